import type { Scope } from '@mosaik/primitives';

/** Someone who wants to send; called when it may. */
export interface Sender {
  /** Sends one block that it had asked for. */
  readonly onTurn: () => void;
}

/** Lets bytes out, or holds them back. */
export interface Egress {
  /** Whether `sender` may send `bytes` now; if not, its `onTurn` is called when it may. */
  request(sender: Sender, bytes: number): boolean;
  /** Forgets a sender. */
  leave(sender: Sender): void;
}

/** Lets everything out. */
export const unlimited: Egress = { request: () => true, leave: () => {} };

/** Rates need some depth, or every block waits for a timer of its own. */
const DEPTH_MS = 100;

/**
 * A token bucket over all consumers of a producer. Who waits is served by start-time fair queueing (Goyal, Vin, Cheng,
 * SIGCOMM 1996): the one that has been given the fewest bytes comes first, and who was idle gains nothing by it.
 */
export class LimitedEgress implements Egress {
  readonly #scope: Scope;
  readonly #bytesPerMs: number;
  readonly #depthBytes: number;
  readonly #served = new Map<Sender, number>();
  readonly #waiting = new Map<Sender, number>();
  #tokens: number;
  #atMs: number;
  /** What the sender served last had been given: the virtual time. */
  #virtualBytes = 0;
  #isTimerSet = false;

  constructor(scope: Scope, bytesPerSecond: number) {
    this.#scope = scope;
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#depthBytes = this.#bytesPerMs * DEPTH_MS;
    this.#tokens = this.#depthBytes;
    this.#atMs = scope.runtime.now();
  }

  request(sender: Sender, bytes: number): boolean {
    this.#refill();
    if (this.#waiting.size === 0 && this.#tokens > 0) {
      this.#serve(sender, bytes);
      return true;
    }
    this.#waiting.set(sender, bytes);
    this.#arm();
    return false;
  }

  leave(sender: Sender): void {
    this.#waiting.delete(sender);
    this.#served.delete(sender);
  }

  /** A block may be larger than what is left; what it takes too much, the next ones wait for. */
  #serve(sender: Sender, bytes: number): void {
    const start = Math.max(this.#served.get(sender) ?? 0, this.#virtualBytes);
    this.#virtualBytes = start;
    this.#served.set(sender, start + bytes);
    this.#tokens -= bytes;
  }

  #refill(): void {
    const nowMs = this.#scope.runtime.now();
    this.#tokens = Math.min(this.#depthBytes, this.#tokens + (nowMs - this.#atMs) * this.#bytesPerMs);
    this.#atMs = nowMs;
  }

  #arm(): void {
    if (this.#isTimerSet) return;
    this.#isTimerSet = true;
    const waitMs = Math.max(1, (1 - this.#tokens) / this.#bytesPerMs);
    this.#scope.after(waitMs, () => {
      this.#isTimerSet = false;
      this.#turn();
    });
  }

  #turn(): void {
    this.#refill();
    while (this.#tokens > 0) {
      const sender = this.#next();
      if (sender === undefined) return;
      this.#serve(sender, this.#waiting.get(sender) ?? 0);
      this.#waiting.delete(sender);
      sender.onTurn();
    }
    if (this.#waiting.size > 0) this.#arm();
  }

  #next(): Sender | undefined {
    let best: Sender | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const sender of this.#waiting.keys()) {
      const served = Math.max(this.#served.get(sender) ?? 0, this.#virtualBytes);
      if (served >= least) continue;
      best = sender;
      least = served;
    }
    return best;
  }
}
