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
import { type Link, type Protocol, protocol, type Transport } from '@mosaik/transport';

/** `[sequence]` or `[sequence, target]` asks; `[sequence, true or false]` answers; `[0, null]` announces a prune. */
type ProbeMessage =
  | { readonly kind: 'ask'; readonly sequence: number; readonly target: PeerId | undefined }
  | { readonly kind: 'answer'; readonly sequence: number; readonly isAlive: boolean }
  /** `[0, [start, start]]`: two processes run with the key of who is asking; see {@link Probes.tellTwice}. */
  | { readonly kind: 'twice'; readonly starts: readonly [number, number] }
  /** The sender lives on, but closes this connection, of which it has too many. */
  | { readonly kind: 'prune' };

const probeCodec: Codec<ProbeMessage> = {
  name: 'probe',
  encode(message) {
    if (message.kind === 'prune') return encodeCbor([0, null]);
    if (message.kind === 'twice') return encodeCbor([0, message.starts]);
    if (message.kind === 'answer') return encodeCbor([message.sequence, message.isAlive]);
    return encodeCbor(message.target ? [message.sequence, idToBytes(message.target)] : [message.sequence]);
  },
  decode(bytes) {
    const fields = decodeCbor(bytes, { maxBytes: 128, maxDepth: 3, maxItems: 8, int64: 'number' });
    const [sequence, second] = Array.isArray(fields) ? fields : [];
    if (typeof sequence !== 'number') throw new DecodeError('schema', 'a probe begins with its number');
    if (second === null) return { kind: 'prune' };
    if (typeof second === 'boolean') return { kind: 'answer', sequence, isAlive: second };
    if (Array.isArray(second)) return { kind: 'twice', starts: readStarts(second) };
    if (second === undefined) return { kind: 'ask', sequence, target: undefined };
    if (second instanceof Uint8Array && second.length === ID_BYTES) {
      return { kind: 'ask', sequence, target: idFromBytes<PeerId>(second) };
    }
    throw new DecodeError('schema', 'a probe is of a peer id or of nobody');
  },
};

function readStarts([first, second]: readonly unknown[]): readonly [number, number] {
  if (typeof first === 'number' && typeof second === 'number') return [first, second];
  throw new DecodeError('schema', 'two starts are two numbers');
}

const probeProtocol: Protocol<ProbeMessage> = protocol({
  name: 'discovery/probe',
  codec: probeCodec,
  priority: 'control',
  maxFrameBytes: 256,
});

/** Probes for others under way at once; further ones are not answered. */
const MAX_PROBES_FOR_OTHERS = 64;

interface Waiting {
  readonly resolve: (isAlive: boolean) => void;
  readonly reject: (error: Error) => void;
}

interface Prober {
  readonly link: Link<ProbeMessage>;
  readonly waiting: Map<number, Waiting>;
}

interface ProbesOptions {
  readonly transport: Transport;
  readonly scope: Scope;
  /** How long a probe for another may take. */
  readonly timeoutMs: number;
  /** A connection was made only to probe for another. */
  readonly onSpare: (peer: PeerId) => void;
  /** A peer closes its connection to us, but lives on. */
  readonly onPrune: (peer: PeerId) => void;
  /** A peer says that two processes run with this node's key. */
  readonly onTwice: (starts: readonly [number, number]) => void;
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
  readonly #onPrune: (peer: PeerId) => void;
  readonly #onSpare: (peer: PeerId) => void;
  /** Links on which others ask; by two processes with one key, when there are. */
  readonly #served = new Map<PeerId, Set<Link<ProbeMessage>>>();
  readonly #onTwice: (starts: readonly [number, number]) => void;
  #sequence = 0;
  #forOthers = 0;

  constructor(options: ProbesOptions) {
    this.#transport = options.transport;
    this.#scope = options.scope;
    this.#timeoutMs = options.timeoutMs;
    this.#onPrune = options.onPrune;
    this.#onTwice = options.onTwice;
    this.#onSpare = options.onSpare;
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

  /** Closes the connection to a peer that is not needed, and lets it know that nothing else is the matter. */
  async prune(peer: PeerId): Promise<void> {
    const prober = await this.#probers.get(peer)?.catch(() => undefined);
    await prober?.link.send({ kind: 'prune' }).catch(() => {});
    await this.#transport.disconnect(peer);
  }

  /**
   * Tells a peer that it runs twice, on each link on which it asks: gossip and new links reach only one of two processes
   * with the same key, but each of them asks for itself.
   */
  tellTwice(peer: PeerId, starts: readonly [number, number]): void {
    for (const link of this.#served.get(peer) ?? []) {
      if (link.end === undefined) link.trySend({ kind: 'twice', starts });
    }
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
      if (message.kind === 'twice') this.#onTwice(message.starts);
      if (message.kind !== 'answer') continue;
      waiting.get(message.sequence)?.resolve(message.isAlive);
    }
    this.#probers.delete(peer);
    void link.close();
    for (const { reject } of [...waiting.values()])
      reject(new ClosedError('the link of the probe has ended'));
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
    const links = this.#served.get(link.peer) ?? new Set();
    this.#served.set(link.peer, links.add(link));
    void link.ended.then(() => {
      links.delete(link);
      if (links.size === 0 && this.#served.get(link.peer) === links) this.#served.delete(link.peer);
    });
    for (let message = await next(link, signal); message; message = await next(link, signal)) {
      if (message.kind === 'prune') this.#onPrune(link.peer);
      if (message.kind !== 'ask') continue;
      if (message.target === undefined) await link.send({ ...message, kind: 'answer', isAlive: true });
      else this.#probeFor(link, message.sequence, message.target);
    }
  }

  #probeFor(link: Link<ProbeMessage>, sequence: number, target: PeerId): void {
    const answer = (isAlive: boolean): void => {
      if (link.end === undefined) link.trySend({ kind: 'answer', sequence, isAlive });
    };
    // Without an answer the asker knows as little as before; a no would be held against the target.
    if (this.#forOthers >= MAX_PROBES_FOR_OTHERS || this.#scope.isClosing) return;
    this.#forOthers++;
    const wasConnected = this.#transport.connections.value.has(target);
    this.#scope.spawn('probe for another', async (signal) => {
      const options = { what: 'probing for another', timeoutMs: this.#timeoutMs, signal };
      const alive = await withTimeout(this.#scope.runtime, options, (until) => this.ping(target, until)).then(
        () => true,
        () => false,
      );
      this.#forOthers--;
      answer(alive);
      if (alive && !wasConnected) this.#onSpare(target);
    });
  }
}

/** The next message, or undefined however the link ends. */
function next(link: Link<ProbeMessage>, signal: AbortSignal): Promise<ProbeMessage | undefined> {
  return link.receive({ signal }).catch(() => undefined);
}
