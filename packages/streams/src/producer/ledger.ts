import { type Block, BlockCursor } from '../wire/block.ts';
import type { Sequence } from '../wire/messages.ts';

/** A block of which it is not yet known whether each of its data reached somebody. */
interface Page {
  readonly block: Block;
  /** One byte a datum; 1 when it was handed to a connection. */
  readonly isDelivered: Uint8Array;
  /** Channels that still hold something of it. */
  holders: number;
}

/**
 * Keeps account of what was handed to no connection, for `onUndelivered`. Only kept when somebody asks: it holds each block until
 * all channels are done with it.
 */
export class Ledger {
  readonly #onUndelivered: (datum: Uint8Array) => void;
  readonly #pages: Page[] = [];

  constructor(onUndelivered: (datum: Uint8Array) => void) {
    this.#onUndelivered = onUndelivered;
  }

  /** A block that `holders` channels were given, each in full or in part. */
  open(block: Block, holders: number): void {
    const page: Page = { block, isDelivered: new Uint8Array(block.count), holders };
    if (holders === 0) this.#settle(page);
    else this.#pages.push(page);
  }

  /** A channel handed `sent`, a block or what its criteria left of blocks, to its connection. */
  delivered(sent: Block): void {
    const cursor = new BlockCursor(sent);
    let at = this.#indexOf(sent.first);
    while (!cursor.isDone) {
      cursor.take();
      while (this.#isBefore(at, cursor.sequence)) at++;
      const page = this.#pages[at];
      if (page !== undefined) page.isDelivered[cursor.sequence - page.block.first] = 1;
    }
  }

  /** A channel is done with everything below `next`, from `from` on, whether it sent it or dropped it. */
  released(from: Sequence, next: Sequence): void {
    for (let at = this.#indexOf(from); at < this.#pages.length; at++) {
      const page = this.#pages[at] as Page;
      if (page.block.next > next) break;
      page.holders--;
    }
    while (this.#pages[0]?.holders === 0) this.#settle(this.#pages.shift() as Page);
  }

  /** Of the page that `sequence` is on, or of the next one; pages ascend. */
  #indexOf(sequence: Sequence): number {
    let low = 0;
    let high = this.#pages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#pages[middle] as Page).block.next > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #isBefore(at: number, sequence: Sequence): boolean {
    const page = this.#pages[at];
    return page !== undefined && page.block.next <= sequence;
  }

  #settle({ block, isDelivered }: Page): void {
    const cursor = new BlockCursor(block);
    for (let index = 0; index < block.count; index++) {
      const datum = cursor.take();
      if (isDelivered[index] === 0) this.#onUndelivered(datum);
    }
  }
}
