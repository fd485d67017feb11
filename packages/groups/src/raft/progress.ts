import { invariant } from './invariant.ts';
import type { LogIndex, MemberId } from './types.ts';

/**
 * - `probe`: where the logs match is not known; one append at a time, until it is.
 * - `replicate`: they match; appends are sent ahead of the acknowledgements, as far as the window allows.
 * - `catchingUp`: it needs entries that are not in memory here; it gets them elsewhere, and says when it has them.
 */
export type ProgressState = 'probe' | 'replicate' | 'catchingUp';

export interface Window {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/**
 * What a leader knows of a follower.
 *
 * Invariant: `match < next`; in `replicate`, all that is between was sent and is not acknowledged.
 */
export class Progress {
  readonly id: MemberId;
  state: ProgressState = 'probe';
  /** It is known to have durably what the leader has, up to here. */
  match: LogIndex = 0 as LogIndex;
  /** What to send next. */
  next: LogIndex;
  /** A probe is on its way: nothing is sent before it is answered, or taken for lost. */
  isPaused = false;
  /** The highest commit index it was told. */
  toldCommit: LogIndex = 0 as LogIndex;
  /** The last round of heartbeats it has answered. */
  answeredRound = 0;
  /** Ticks since a message of this term came from it. */
  silentTicks = 0;
  readonly #window: Window;
  /** Appends on their way, oldest first: their last index and bytes. */
  #inflight: { readonly last: LogIndex; readonly bytes: number }[] = [];
  #inflightBytes = 0;

  constructor(id: MemberId, next: LogIndex, window: Window) {
    this.id = id;
    this.next = next;
    this.#window = window;
  }

  /** Whether something was sent that is not acknowledged. */
  get isWaiting(): boolean {
    return this.match + 1 < this.next;
  }

  get hasRoom(): boolean {
    return this.#inflight.length < this.#window.messagesMax && this.#inflightBytes < this.#window.bytesMax;
  }

  becomeProbe(next: LogIndex): void {
    invariant(next > this.match, `probing ${this.id} at ${next}, which it has acknowledged`);
    this.#become('probe', next);
  }

  becomeReplicate(): void {
    this.#become('replicate', (this.match + 1) as LogIndex);
  }

  becomeCatchingUp(): void {
    this.#become('catchingUp', (this.match + 1) as LogIndex);
  }

  sent(last: LogIndex, bytes: number): void {
    invariant(this.state === 'replicate' && last >= this.next, 'appends are sent in order');
    this.next = (last + 1) as LogIndex;
    this.#inflight.push({ last, bytes });
    this.#inflightBytes += bytes;
  }

  /** Takes an acknowledgement; true if it says anything new. */
  acknowledged(match: LogIndex): boolean {
    if (match <= this.match) return false;
    this.match = match;
    if (this.next <= match) this.next = (match + 1) as LogIndex;
    let done = 0;
    for (const each of this.#inflight) {
      if (each.last > match) break;
      this.#inflightBytes -= each.bytes;
      done++;
    }
    if (done > 0) this.#inflight.splice(0, done);
    return true;
  }

  #become(state: ProgressState, next: LogIndex): void {
    this.state = state;
    this.next = next;
    this.isPaused = false;
    this.#inflight = [];
    this.#inflightBytes = 0;
  }
}
