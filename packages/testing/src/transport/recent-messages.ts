import { type PeerId, type Runtime, type Scope, sample } from '@mosaik/primitives';
import type { GossipMessage } from '../network/endpoint.ts';

/** Gossipsub's heartbeat; here it beats only while there are recent messages. */
const BEAT_MS = 1_000;
/** As `mcacheLength`: for how many beats a message can be asked for. */
const KEPT_BEATS = 5;
/** As `mcacheGossip`: for how many beats a message is told of. */
const TOLD_BEATS = 3;
/** As `Dlazy` and `gossipFactor`: how many neighbours are told in a beat. */
const TOLD_MIN = 6;
const TOLD_SHARE = 0.25;

interface RecentMessagesOptions {
  readonly runtime: Runtime;
  readonly scope: Scope;
  /** Neighbours outside the mesh, who may have missed something. */
  readonly listeners: () => readonly PeerId[];
  readonly tell: (peer: PeerId, ids: readonly number[]) => void;
}

/**
 * The messages of the last beats, as gossipsub's message cache: some neighbours outside the mesh are told of them and
 * ask for what they miss, so that who is in nobody's mesh hears of everything, a beat later.
 */
export class RecentMessages {
  readonly #options: RecentMessagesOptions;
  /** One map a beat, the newest first. */
  #windows: Map<number, GossipMessage>[] = [];
  #isBeating = false;

  constructor(options: RecentMessagesOptions) {
    this.#options = options;
  }

  add(message: GossipMessage): void {
    if (this.#windows.length === 0) this.#windows.push(new Map());
    this.#windows[0]?.set(message.id, message);
    this.#beatSoon();
  }

  get(id: number): GossipMessage | undefined {
    return this.#windows.find((window) => window.has(id))?.get(id);
  }

  #beatSoon(): void {
    if (this.#isBeating) return;
    this.#isBeating = true;
    // Nodes do not beat in step: the first beat is somewhere within a period.
    const delayMs = this.#windows.length > 1 ? BEAT_MS : BEAT_MS * this.#options.runtime.random();
    this.#options.scope.after(delayMs, () => {
      this.#isBeating = false;
      this.#beat();
    });
  }

  #beat(): void {
    const ids = this.#windows.slice(0, TOLD_BEATS).flatMap((window) => [...window.keys()]);
    const listeners = ids.length > 0 ? this.#options.listeners() : [];
    const count = Math.max(TOLD_MIN, Math.ceil(TOLD_SHARE * listeners.length));
    for (const peer of sample(this.#options.runtime, listeners, count)) this.#options.tell(peer, ids);
    this.#windows = [new Map<number, GossipMessage>(), ...this.#windows].slice(0, KEPT_BEATS);
    if (this.#windows.every((window) => window.size === 0)) this.#windows = [];
    else this.#beatSoon();
  }
}
