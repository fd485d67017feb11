import { toError } from '@mosaik/primitives';
import type { Block } from '../wire/block.ts';
import type { Journal } from './journal.ts';

/** What a journal may have taken and not yet kept, before `send` waits for it. */
const KEEPING_BYTES_MAX = 8 * 1024 * 1024;

interface KeepingOptions {
  readonly journal: Journal;
  /** A block is kept; called in the order of the blocks. */
  readonly onKept: (block: Block) => void;
  readonly onFailed: (error: Error) => void;
  /** `isFull` may have changed. */
  readonly onLevel: () => void;
}

/** Passes blocks on once the journal has kept them, and tells those who sent when theirs is. */
export class Keeping {
  readonly #options: KeepingOptions;
  /** Of the block that is being filled. */
  #open: PromiseWithResolvers<void> | undefined;
  #pendingBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(options: KeepingOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#pendingBytes >= KEEPING_BYTES_MAX;
  }

  /** The journal has failed: nothing is passed on any more, as there would be a hole in it. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Resolves when the block that is being filled is kept. */
  get current(): Promise<void> {
    if (this.#open === undefined) {
      this.#open = Promise.withResolvers<void>();
      // Who uses `trySend` does not hear of a failure here, but by the next call.
      this.#open.promise.catch(() => {});
    }
    return this.#open.promise;
  }

  /** Resolves when everything given so far is kept, or has failed. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** Gives a block to the journal. */
  keep(block: Block): void {
    const open = this.#open;
    this.#open = undefined;
    const pending = this.#options.journal.append(block);
    if (pending === undefined) {
      this.#onKept(block, open);
      return;
    }
    this.#add(block.bytes.length);
    this.#last = pending.then(
      () => {
        this.#add(-block.bytes.length);
        this.#onKept(block, open);
      },
      (thrown) => this.#onFailed(toError(thrown), open),
    );
  }

  #onKept(block: Block, open: PromiseWithResolvers<void> | undefined): void {
    if (!this.#hasFailed) this.#options.onKept(block);
    open?.resolve();
  }

  #onFailed(error: Error, open: PromiseWithResolvers<void> | undefined): void {
    this.#hasFailed = true;
    this.#options.onFailed(error);
    open?.reject(error);
  }

  #add(bytes: number): void {
    this.#pendingBytes += bytes;
    this.#options.onLevel();
  }
}
