import type { Block } from '../wire/block.ts';
import type { Epoch, Sequence } from '../wire/messages.ts';

/**
 * Keeps what a producer sends, before anybody else gets it: the seam for stores. A producer with a journal takes its
 * epoch and its place from it, so that the sequence goes on where it was when a process comes back.
 */
export interface Journal {
  readonly epoch: Epoch;
  /** Where the sequence goes on. */
  readonly next: Sequence;
  /**
   * Keeps a block, after all that were given before. Consumers get it, and `send` resolves, once the promise has; at once
   * when there is none. A journal that fails once is not asked again: the producer then refuses everything.
   */
  append(block: Block): Promise<void> | undefined;
}
