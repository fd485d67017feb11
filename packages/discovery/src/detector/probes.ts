import { abortable, ClosedError, type PeerId, type Scope, waitFor, withTimeout } from '@mosaik/primitives';
import type { Link, Transport } from '@mosaik/transport';
import { Askers } from './askers.ts';
import { type ProbeMessage, probeProtocol, type Starts } from './probe-protocol.ts';

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

/** A link that is open, or about to be. */
interface Opening {
  readonly prober: Promise<Prober>;
  /** Gives it up, while it is not open yet. */
  readonly abort: AbortController;
  /** Those who wait for it. */
  waiting: number;
}

interface ProbesOptions {
  readonly transport: Transport;
  readonly scope: Scope;
  /** How long a probe for another may take. */
  readonly timeoutMs: number;
  /** A peer asks this node something: it lives. */
  readonly onHeard: (peer: PeerId) => void;
  /** A connection was made only to probe for another. */
  readonly onSpare: (peer: PeerId) => void;
  /** A peer closes its connection to us, but lives on. */
  readonly onPrune: (peer: PeerId) => void;
  /** When this process started, as its entry has it. */
  readonly ownStart: () => number;
  /** When a peer's process started, as the entry that is held of it has it. */
  readonly startOf: (peer: PeerId) => number | undefined;
  /** A peer says that two processes run with this node's key. */
  readonly onTwice: (starts: Starts) => void;
}

/**
 * Asks and answers probes. Each side asks on a link of its own, opened when first needed and kept while the connection
 * lasts; the other side answers on it.
 */
export class Probes {
  readonly #transport: Transport;
  readonly #scope: Scope;
  readonly #timeoutMs: number;
  readonly #probers = new Map<PeerId, Opening>();
  readonly #onPrune: (peer: PeerId) => void;
  readonly #onSpare: (peer: PeerId) => void;
  readonly #onHeard: (peer: PeerId) => void;
  readonly #askers: Askers;
  readonly #ownStart: () => number;
  readonly #onTwice: (starts: Starts) => void;
  #sequence = 0;
  #forOthers = 0;

  constructor(options: ProbesOptions) {
    this.#transport = options.transport;
    this.#scope = options.scope;
    this.#timeoutMs = options.timeoutMs;
    this.#onPrune = options.onPrune;
    this.#ownStart = options.ownStart;
    this.#askers = new Askers(options.startOf);
    this.#onTwice = options.onTwice;
    this.#onSpare = options.onSpare;
    this.#onHeard = options.onHeard;
  }

  start(): void {
    const accepted = this.#transport.accept(probeProtocol, (link) => this.#serve(link));
    this.#scope.onClose(() => accepted[Symbol.dispose]());
  }

  /** Resolves with the round trip in ms; connects first when there is no connection. */
  async ping(peer: PeerId, signal: AbortSignal): Promise<number> {
    const prober = await this.#proberTo(peer, signal);
    const sentAtMs = this.#scope.runtime.now();
    await this.#ask(prober, undefined, signal);
    return this.#scope.runtime.now() - sentAtMs;
  }

  /** Resolves with whether `helper` got an answer from `target`. */
  async pingThrough(helper: PeerId, target: PeerId, signal: AbortSignal): Promise<boolean> {
    return this.#ask(await this.#proberTo(helper, signal), target, signal);
  }

  /** Closes the connection to a peer that is not needed, and lets it know that nothing else is the matter. */
  async prune(peer: PeerId): Promise<void> {
    const prober = await this.#probers.get(peer)?.prober.catch(() => undefined);
    await prober?.link.send({ kind: 'prune' }).catch(() => {});
    await this.#transport.disconnect(peer);
  }

  /** An entry of a peer is in force: its process started then. */
  onStart(peer: PeerId, start: number): void {
    this.#askers.onStart(peer, start);
  }

  /** Somebody has found out that two processes run with the key of a peer. */
  tellTwice(peer: PeerId, starts: Starts): void {
    this.#askers.tellTwice(peer, starts);
  }

  /** The link to a peer, shared by all who ask for it; its opening is given up when the last of them gives up. */
  async #proberTo(peer: PeerId, signal: AbortSignal): Promise<Prober> {
    const opening = this.#probers.get(peer) ?? this.#open(peer);
    opening.waiting++;
    try {
      return await abortable(opening.prober, 'opening the link of a probe', { signal });
    } catch (error) {
      if (opening.waiting === 1) opening.abort.abort(error);
      throw error;
    } finally {
      opening.waiting--;
    }
  }

  #open(peer: PeerId): Opening {
    const abort = new AbortController();
    const link = this.#transport.open(peer, probeProtocol, { signal: abort.signal });
    const prober = link.then((open) => this.#begin(peer, open));
    const opening: Opening = { prober, abort, waiting: 0 };
    this.#probers.set(peer, opening);
    prober.catch(() => this.#forget(peer, opening));
    return opening;
  }

  #begin(peer: PeerId, link: Link<ProbeMessage>): Prober {
    const prober: Prober = { link, waiting: new Map() };
    link.trySend({ kind: 'hello', start: this.#ownStart() });
    this.#scope.spawn('probe answers', () => this.#listen(peer, prober));
    return prober;
  }

  #forget(peer: PeerId, opening: Opening): void {
    if (this.#probers.get(peer) === opening) this.#probers.delete(peer);
  }

  async #listen(peer: PeerId, { link, waiting }: Prober): Promise<void> {
    const { signal } = this.#scope;
    for (let message = await next(link, signal); message; message = await next(link, signal)) {
      if (message.kind === 'twice') this.#confirmTwice(link, message.starts);
      if (message.kind !== 'answer') continue;
      waiting.get(message.sequence)?.resolve(message.isAlive);
    }
    this.#probers.delete(peer);
    void link.close();
    for (const { reject } of [...waiting.values()])
      reject(new ClosedError('the link of the probe has ended'));
  }

  /** That this process hears of the other one and answers proves that both run. */
  #confirmTwice(link: Link<ProbeMessage>, starts: Starts): void {
    if (!starts.includes(this.#ownStart())) return;
    if (link.end === undefined) link.trySend({ kind: 'twice', starts });
    this.#onTwice(starts);
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
    const asker = this.#askers.add(link);
    for (let message = await next(link, signal); message; message = await next(link, signal)) {
      if (message.kind === 'prune') this.#onPrune(link.peer);
      if (message.kind === 'hello') asker.hello(message.start);
      if (message.kind === 'twice') asker.confirm(message.starts);
      if (message.kind === 'ask') await this.#answer(link, message);
    }
  }

  async #answer(
    link: Link<ProbeMessage>,
    { sequence, target }: Extract<ProbeMessage, { kind: 'ask' }>,
  ): Promise<void> {
    this.#onHeard(link.peer);
    if (target === undefined) await link.send({ kind: 'answer', sequence, isAlive: true });
    else this.#probeFor(link, sequence, target);
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
