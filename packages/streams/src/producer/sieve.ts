import type { Filter } from '../criteria/filter.ts';
import { type Block, BlockCursor, BlockWriter, type BlockWriterOptions } from '../wire/block.ts';
import type { Sequence } from '../wire/messages.ts';

/** After so many places that the criteria left out, the consumer is told how far the producer is. */
const SKIPPED_MAX = 1_024;

/** Makes blocks for one consumer with criteria: of what all others get, what this one wants. */
export class Sieve {
  readonly #filter: Filter;
  readonly #writer: BlockWriter;
  /** What is wanted of what was sent since the last block. */
  readonly #wanted: Sequence[] = [];

  constructor(filter: Filter, from: Sequence, options: Pick<BlockWriterOptions, 'isLending'> = {}) {
    this.#filter = filter;
    this.#writer = new BlockWriter({ ...options, from });
  }

  /** Looks at a datum when it is sent, while it is at hand as it was before it was encoded. */
  look(sequence: Sequence, datum: unknown): void {
    if (this.#filter(datum)) this.#wanted.push(sequence);
  }

  /** What the criteria leave of a block; now and then an empty one, so that the consumer knows how far the producer is. */
  sift(shared: Block): Block | undefined {
    const cursor = new BlockCursor(shared);
    const end = this.#wanted.findIndex((sequence) => sequence >= shared.next);
    const wanted = this.#wanted.splice(0, end < 0 ? this.#wanted.length : end);
    for (const sequence of wanted) {
      let datum = cursor.take();
      while (cursor.sequence < sequence) datum = cursor.take();
      this.#writer.append(sequence, datum);
    }
    const isWorthTelling = !this.#writer.isEmpty || shared.next - this.#writer.next >= SKIPPED_MAX;
    return isWorthTelling ? this.#writer.seal(shared.next) : undefined;
  }

  /** The places up to `next` that the consumer was not told of yet. */
  rest(next: Sequence): Block | undefined {
    return this.#writer.next < next ? this.#writer.seal(next) : undefined;
  }
}
