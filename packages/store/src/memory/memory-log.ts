import type { Sequence } from '@mosaik/streams';
import { LogStorageError } from '../log/errors.ts';
import type { KeptBlock, LogExtent, LogIdentity, LogStorage } from '../log/log-storage.ts';
import { checkAppend } from '../log/rules.ts';

/** Removed blocks are let go of at once, their places in the list only when so many of them are at its head. */
const HEAD_MAX = 1_024;

/** What is kept of a log, whoever has it open. */
export class MemoryLogState {
  readonly identity: LogIdentity;
  readonly isOwn: boolean;
  /** Blocks in order; those before `head` are removed. */
  readonly #blocks: (KeptBlock | undefined)[] = [];
  #head = 0;
  #first: Sequence = 0;
  #next: Sequence = 0;
  #bytes = 0;
  #newestMs = 0;
  isOpen = false;

  constructor(identity: LogIdentity, isOwn: boolean) {
    this.identity = identity;
    this.isOwn = isOwn;
  }

  get extent(): LogExtent {
    return { first: this.#first, next: this.#next, bytes: this.#bytes, newestMs: this.#newestMs };
  }

  append(block: KeptBlock): void {
    checkAppend(block, { next: this.#next, newestMs: this.#newestMs });
    if (this.#first === this.#next) this.#first = block.first;
    this.#blocks.push(block);
    this.#next = block.next;
    this.#bytes += block.bytes.length;
    this.#newestMs = block.timeMs;
  }

  read(from: Sequence, maxBytes: number): KeptBlock[] {
    const blocks: KeptBlock[] = [];
    let bytes = 0;
    for (let index = this.#indexOf((block) => block.next > from); index < this.#blocks.length; index++) {
      const block = this.#blocks[index] as KeptBlock;
      bytes += block.bytes.length;
      if (blocks.length > 0 && bytes > maxBytes) break;
      blocks.push(block);
    }
    return blocks;
  }

  offsetAt(timeMs: number): Sequence {
    const block = this.#blocks[this.#indexOf((candidate) => candidate.timeMs >= timeMs)];
    return block === undefined ? this.#next : Math.max(block.first, this.#first);
  }

  offsetWithin(maxBytes: number): Sequence {
    let bytes = this.#bytes;
    let index = this.#head;
    for (; bytes > maxBytes && index < this.#blocks.length; index++) {
      bytes -= (this.#blocks[index] as KeptBlock).bytes.length;
    }
    return index === this.#head ? this.#first : (this.#blocks[index]?.first ?? this.#next);
  }

  trim(below: Sequence): void {
    this.#first = Math.min(Math.max(below, this.#first), this.#next);
    for (let block = this.#blocks[this.#head]; block !== undefined && block.next <= this.#first; ) {
      this.#bytes -= block.bytes.length;
      this.#blocks[this.#head++] = undefined;
      block = this.#blocks[this.#head];
    }
    if (this.#head < HEAD_MAX) return;
    this.#blocks.splice(0, this.#head);
    this.#head = 0;
  }

  /** The first of the blocks, in order, for which something holds that holds for all after it. */
  #indexOf(holds: (block: KeptBlock) => boolean): number {
    let low = this.#head;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#blocks[middle] as KeptBlock)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** A log in memory, open. */
export class MemoryLog implements LogStorage {
  readonly durability = 'memory';
  readonly #state: MemoryLogState;
  #isClosed = false;

  /** @throws {LogStorageError} `inUse` */
  constructor(state: MemoryLogState) {
    if (state.isOpen) throw new LogStorageError('inUse', 'the log is open already');
    state.isOpen = true;
    this.#state = state;
  }

  get identity(): LogIdentity {
    return this.#state.identity;
  }

  get extent(): LogExtent {
    return this.#state.extent;
  }

  append(block: KeptBlock): Promise<void> | undefined {
    try {
      this.#requireOpen();
      this.#state.append(block);
      return undefined;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  async read(from: Sequence, maxBytes: number): Promise<readonly KeptBlock[]> {
    this.#requireOpen();
    return this.#state.read(from, maxBytes);
  }

  async offsetAt(timeMs: number): Promise<Sequence> {
    this.#requireOpen();
    return this.#state.offsetAt(timeMs);
  }

  async offsetWithin(maxBytes: number): Promise<Sequence> {
    this.#requireOpen();
    return this.#state.offsetWithin(maxBytes);
  }

  async trim(below: Sequence): Promise<void> {
    this.#requireOpen();
    this.#state.trim(below);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#state.isOpen = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new LogStorageError('closed', 'the log is closed');
  }
}
