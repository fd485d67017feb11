import type { PeerId } from '@mosaik/primitives';
import type { Accepted, Epoch, Sequence } from '../wire/messages.ts';
import type { Gap } from './consumer.ts';

/** How far a consumer is with one producer: it detects what is missing, and does not trust. */
export class Position {
  readonly #producer: PeerId;
  #epoch: Epoch | undefined;
  #next: Sequence = 0;
  /** The producer has said that nothing follows in this epoch. */
  #isFinished = false;

  constructor(producer: PeerId) {
    this.#producer = producer;
  }

  /** The epoch of the subscription; there is one once it began. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** The first sequence that has not been received. */
  get next(): Sequence {
    return this.#next;
  }

  /**
   * A subscription begins. Returns what was missed since the one before; the first one misses nothing.
   */
  begin({ epoch, next }: Accepted): Gap[] {
    const gaps = this.#gapsUpTo(epoch, next);
    this.#epoch = epoch;
    this.#next = next;
    this.#isFinished = false;
    return gaps;
  }

  /** Everything below `next` has been received, or was not wanted. */
  advance(next: Sequence): void {
    this.#next = next;
  }

  /** The producer has ended in an orderly way. */
  finish(next: Sequence): void {
    this.#next = next;
    this.#isFinished = true;
  }

  #gapsUpTo(epoch: Epoch, next: Sequence): Gap[] {
    if (this.#epoch === undefined) return [];
    if (this.#epoch === epoch) return next > this.#next ? [this.#gap(epoch, this.#next, next)] : [];
    const gaps = this.#isFinished ? [] : [this.#gap(this.#epoch, this.#next, undefined)];
    return next > 0 ? [...gaps, this.#gap(epoch, 0, next)] : gaps;
  }

  #gap(epoch: Epoch, from: Sequence, to: Sequence | undefined): Gap {
    return { type: 'gap', producer: this.#producer, epoch, from, to };
  }
}
