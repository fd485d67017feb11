import type { Runtime } from '@mosaik/primitives';
import { Pacer } from './pacer.ts';

/**
 * What bulk of all links together writes before other events are let in: 256 KiB take about a millisecond to encrypt, and
 * a heartbeat of the same node waits no longer than that.
 */
const TURN_BYTES = 256 * 1024;

/** Whoever has bulk to send and waits for its turn. */
export interface Waiting {
  /** Sends what it has, about a frame of it; returns how many bytes. */
  go(): number;
}

/**
 * Has the bulk of a node leave in turns: a frame of each link that has one, round and round, and after 256 KiB a turn of the
 * event loop for everything else.
 *
 * libp2p has no such order. When a connection has room again it tells its streams one after the other, and the first to
 * have enough to say fills it for all: measured with eight links that send all they can, a ninth could not be opened
 * within ten seconds. Bulk therefore comes back a turn later than it is told, when whoever had little to say has said it.
 */
export class Turns {
  readonly #runtime: Runtime;
  readonly #pacer: Pacer;
  readonly #waiting = new Set<Waiting>();
  #spentBytes = 0;
  #isTurnPending = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#pacer = new Pacer(runtime);
  }

  /** Whether bulk may leave at once: nobody waits, and something is left of this turn. */
  get isFree(): boolean {
    return this.#waiting.size === 0 && this.#spentBytes < TURN_BYTES && this.#pacer.restMs === 0;
  }

  /** Bytes of bulk have left without waiting. */
  spend(bytes: number): void {
    this.#spend(bytes);
    this.#awaitTurn();
  }

  #spend(bytes: number): void {
    this.#spentBytes += bytes;
    this.#pacer.spend(bytes);
  }

  /** A small frame has left, which never waits for its turn. */
  small(): void {
    this.#pacer.small();
  }

  /** Comes last; who waits already keeps its place. */
  join(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.#awaitTurn();
  }

  leave(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  #awaitTurn(): void {
    if (this.#isTurnPending) return;
    this.#isTurnPending = true;
    const { restMs } = this.#pacer;
    if (restMs > 0) this.#runtime.setTimer(restMs, () => this.#take());
    else this.#runtime.yieldTo(() => this.#take());
  }

  /** Who joins again meanwhile comes again, as long as something is left of the turn. */
  #take(): void {
    this.#isTurnPending = false;
    if (this.#pacer.restMs > 0) {
      // Timers know whole milliseconds, and count from the beginning of a turn.
      this.#awaitTurn();
      return;
    }
    this.#spentBytes = 0;
    for (const waiting of this.#waiting) {
      if (this.#spentBytes >= TURN_BYTES || this.#pacer.restMs > 0) break;
      this.#waiting.delete(waiting);
      this.#spend(waiting.go());
    }
    if (this.#spentBytes === 0) return;
    this.#awaitTurn();
  }
}
