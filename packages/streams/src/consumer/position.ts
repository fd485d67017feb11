import { DecodeError, type PeerId } from '@mosaik/primitives';
import type { Block } from '../wire/block.ts';
import type { Accepted, Epoch, Finished, Sequence } from '../wire/messages.ts';
import type { Gap } from './consumer.ts';

/**
 * How far a consumer is with one producer: it detects what is missing, and does not trust.
 *
 * Invariant: everything of `epoch` below `next` was put into the inbox, was reported as a gap, was not wanted, or was
 * sent before the consumer was there. So it moves on only after what it moves over has been put there.
 */
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
   * What was missed since the subscription before, when one begins like this; the first one misses nothing.
   *
   * @throws {DecodeError} when the producer would go back in its epoch.
   */
  missedBefore({ epoch, next }: Accepted): Gap[] {
    if (this.#epoch === undefined) return [];
    if (this.#epoch === epoch) {
      if (next < this.#next) throw outOfPlace('a subscription', next, this.#next);
      return next > this.#next ? [this.#gap(epoch, this.#next, next)] : [];
    }
    const gaps = this.#isFinished ? [] : [this.#gap(this.#epoch, this.#next, undefined)];
    return next > 0 ? [...gaps, this.#gap(epoch, 0, next)] : gaps;
  }

  /** A subscription begins, and what was missed before it has been reported. */
  begin({ epoch, next }: Accepted): void {
    this.#epoch = epoch;
    this.#next = next;
    this.#isFinished = false;
  }

  /**
   * Within a subscription nothing is lost or comes twice.
   *
   * @throws {DecodeError} when a block does not follow on what came before it.
   */
  check({ first }: Pick<Block, 'first'>): void {
    if (this.#isFinished) throw new DecodeError('malformed', 'a block after the end');
    if (first !== this.#next) throw outOfPlace('a block', first, this.#next);
  }

  /** Everything below `next` is in the inbox, or was not wanted. */
  advance(next: Sequence): void {
    this.#next = next;
  }

  /**
   * The producer has ended in an orderly way.
   *
   * @throws {DecodeError} when it did not send everything up to there.
   */
  finish({ next }: Finished): void {
    if (next !== this.#next) throw outOfPlace('the end', next, this.#next);
    this.#isFinished = true;
  }

  #gap(epoch: Epoch, from: Sequence, to: Sequence | undefined): Gap {
    return { type: 'gap', producer: this.#producer, epoch, from, to };
  }
}

function outOfPlace(what: string, at: Sequence, expected: Sequence): DecodeError {
  return new DecodeError('malformed', `${what} at ${at}, not at ${expected}`);
}
