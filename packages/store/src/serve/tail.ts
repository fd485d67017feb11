import { invariant } from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';
import type { KeptBlock } from '../log/log-storage.ts';

/** What is kept in memory of the end of a log, for those who follow closely. */
const TAIL_BYTES_MAX = 2 * 1024 * 1024;

/** The newest blocks of a log, in order and without holes, so that followers need not read them from storage. */
export class Tail {
  readonly #maxBytes: number;
  readonly #blocks: KeptBlock[] = [];
  #bytes = 0;

  constructor(maxBytes: number = TAIL_BYTES_MAX) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(block: KeptBlock): void {
    const last = this.#blocks.at(-1);
    invariant(last === undefined || block.first >= last.next, 'a block is put before the end of a log');
    if (last !== undefined && block.first > last.next) this.#clear();
    this.#blocks.push(block);
    this.#bytes += block.bytes.length;
    while (this.#bytes > this.#maxBytes && this.#blocks.length > 1) {
      this.#bytes -= (this.#blocks.shift() as KeptBlock).bytes.length;
    }
  }

  /** Blocks from the one that covers `from` on, up to about `maxBytes`; undefined when it is not here. */
  read(from: Sequence, maxBytes: number): readonly KeptBlock[] | undefined {
    const head = this.#blocks[0];
    if (head === undefined || from < head.first) return undefined;
    let index = this.#blocks.length;
    while (index > 0 && (this.#blocks[index - 1] as KeptBlock).next > from) index--;
    const blocks: KeptBlock[] = [];
    for (let bytes = 0; index < this.#blocks.length && (blocks.length === 0 || bytes < maxBytes); index++) {
      const block = this.#blocks[index] as KeptBlock;
      bytes += block.bytes.length;
      blocks.push(block);
    }
    return blocks;
  }

  #clear(): void {
    this.#blocks.length = 0;
    this.#bytes = 0;
  }
}
