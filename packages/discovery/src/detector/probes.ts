import {
  ClosedError,
  type Codec,
  DecodeError,
  decodeCbor,
  encodeCbor,
  ID_BYTES,
  idFromBytes,
  idToBytes,
  type PeerId,
  type Scope,
  waitFor,
  withTimeout,
} from '@mosaik/primitives';
import { type Link, protocol, type Protocol, type Transport } from '@mosaik/transport';

/** `[sequence]` or `[sequence, target]` asks; `[sequence, true or false]` answers. */
type ProbeMessage =
  | { readonly kind: 'ask'; readonly sequence: number; readonly target: PeerId | undefined }
  | { readonly kind: 'answer'; readonly sequence: number; readonly isAlive: boolean };

const probeCodec: Codec<ProbeMessage> = {
  name: 'probe',
  encode(message) {
    if (message.kind === 'answer') return encodeCbor([message.sequence, message.isAlive]);
    return encodeCbor(message.target ? [message.sequence, idToBytes(message.target)] : [message.sequence]);
  },
  decode(bytes) {
    const fields = decodeCbor(bytes, { maxBytes: 128, maxDepth: 2, maxItems: 4 });
    const [sequence, second] = Array.isArray(fields) ? fields : [];
    if (typeof sequence !== 'number') throw new DecodeError('schema', 'a probe begins with its number');
    if (typeof second === 'boolean') return { kind: 'answer', sequence, isAlive: second };
    if (second === undefined) return { kind: 'ask', sequence, target: undefined };
    if (second instanceof Uint8Array && second.length === ID_BYTES) {
      return { kind: 'ask', sequence, target: idFromBytes<PeerId>(second) };
    }
    throw new DecodeError('schema', 'a probe is of a peer id or of nobody');
  },
};

const probeProtocol: Protocol<ProbeMessage> = protocol({
  name: 'discovery/probe',
  codec: probeCodec,
  priority: 'control',
  maxFrameBytes: 256,
});

/** Probes for others under way at once; further ones are answered with no. */
const MAX_PROBES_FOR_OTHERS = 64;

interface Waiting {
  readonly resolve: (isAlive: boolean) => void;
  readonly reject: (error: Error) => void;
}

interface Prober {
  readonly link: Link<ProbeMessage>;
  readonly waiting: Map<number, Waiting>;
}

/**
 * Asks and answers probes. Each side asks on a link of its own, opened when first needed and kept while the connection
 * lasts; the other side answers on it.
 */
export class Probes {
  readonly #transport: Transport;
  readonly #scope: Scope;
  readonly #timeoutMs: number;
  readonly #probers = new Map<PeerId, Promise<Prober>>();
  #sequence = 0;
  #forOthers = 0;

  constructor(transport: Transport, scope: Scope, timeoutMs: number) {
    this.#transport = transport;
    this.#scope = scope;
    this.#timeoutMs = timeoutMs;
  }

  start(): void {
    const accepted = this.#transport.accept(probeProtocol, (link) => this.#serve(link));
    this.#scope.onClose(() => accepted[Symbol.dispose]());
  }

  /** Resolves with the round trip in ms; connects first when there is no connection. */
  async ping(peer: PeerId, signal: AbortSignal): Promise<number> {
    const prober = await this.#proberOf(peer, signal);
    const sentAtMs = this.#scope.runtime.now();
    await this.#ask(prober, undefined, signal);
    return this.#scope.runtime.now() - sentAtMs;
  }

  /** Resolves with whether `helper` got an answer from `target`. */
  async pingThrough(helper: PeerId, target: PeerId, signal: AbortSignal): Promise<boolean> {
    return this.#ask(await this.#proberOf(helper, signal), target, signal);
  }

  #proberOf(peer: PeerId, signal: AbortSignal): Promise<Prober> {
    const known = this.#probers.get(peer);
    if (known !== undefined) return known;
    const opening = this.#open(peer, signal).catch((error) => {
      if (this.#probers.get(peer) === opening) this.#probers.delete(peer);
      throw error;
    });
    this.#probers.set(peer, opening);
    return opening;
  }

  async #open(peer: PeerId, signal: AbortSignal): Promise<Prober> {
    const link = await this.#transport.open(peer, probeProtocol, { signal });
    const prober: Prober = { link, waiting: new Map() };
    this.#scope.spawn('probe answers', () => this.#listen(peer, prober));
    return prober;
  }

  async #listen(peer: PeerId, { link, waiting }: Prober): Promise<void> {
    const { signal } = this.#scope;
    for (let message = await next(link, signal); message; message = await next(link, signal)) {
      if (message.kind !== 'answer') continue;
      waiting.get(message.sequence)?.resolve(message.isAlive);
    }
    this.#probers.delete(peer);
    void link.close();
    for (const { reject } of [...waiting.values()]) reject(new ClosedError('the link of the probe has ended'));
  }

  #ask({ link, waiting }: Prober, target: PeerId | undefined, signal: AbortSignal): Promise<boolean> {
    const sequence = ++this.#sequence;
    return waitFor<boolean>('probing', signal, (resolve, reject) => {
      waiting.set(sequence, { resolve, reject });
      link.send({ kind: 'ask', sequence, target }).catch(reject);
      return () => void waiting.delete(sequence);
    });
  }

  async #serve(link: Link<ProbeMessage>): Promise<void> {
    const { signal } = this.#scope;
    for (let message = await next(link, signal); message; message = await next(link, signal)) {
      if (message.kind !== 'ask') continue;
      if (message.target === undefined) await link.send({ ...message, kind: 'answer', isAlive: true });
      else this.#probeFor(link, message.sequence, message.target);
    }
  }

  #probeFor(link: Link<ProbeMessage>, sequence: number, target: PeerId): void {
    const answer = (isAlive: boolean): void => {
      if (link.end === undefined) link.trySend({ kind: 'answer', sequence, isAlive });
    };
    if (this.#forOthers >= MAX_PROBES_FOR_OTHERS || this.#scope.isClosing) return answer(false);
    this.#forOthers++;
    this.#scope.spawn('probe for another', async (signal) => {
      const options = { what: 'probing for another', timeoutMs: this.#timeoutMs, signal };
      const alive = await withTimeout(this.#scope.runtime, options, (until) => this.ping(target, until)).then(
        () => true,
        () => false,
      );
      this.#forOthers--;
      answer(alive);
    });
  }
}

/** The next message, or undefined however the link ends. */
function next(link: Link<ProbeMessage>, signal: AbortSignal): Promise<ProbeMessage | undefined> {
  return link.receive({ signal }).catch(() => undefined);
}
