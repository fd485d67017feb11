import { invariant, toError, type WaitOptions, waitFor } from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';
import type { KeptBlock, LogExtent, LogIdentity, LogStorage, Retention } from '../log/log-storage.ts';
import { Tail } from './tail.ts';

/**
 * A log that this node keeps and serves: its storage, its newest blocks in memory, and those who wait for more.
 *
 * Invariant: what readers see is durable. They read at their own pace, so that none of them holds up another or the writer.
 */
export class KeptLog {
  readonly storage: LogStorage;
  /** This node produces it, now. */
  readonly isOwn: boolean;
  readonly #retention: Retention;
  readonly #tail = new Tail();
  readonly #waiting = new Set<() => void>();
  /** What is being kept, in order, and not yet durable. */
  #pendingBytes = 0;
  #takenNext: Sequence;
  #shownNext: Sequence;
  #failure: Error | undefined;

  constructor(storage: LogStorage, { isOwn, retention }: { isOwn: boolean; retention: Retention }) {
    this.storage = storage;
    this.isOwn = isOwn;
    this.#retention = retention;
    this.#takenNext = storage.extent.next;
    this.#shownNext = storage.extent.next;
  }

  get identity(): LogIdentity {
    return this.storage.identity;
  }

  /** What can be read now. By the number of items, retention is exact at any moment. */
  get extent(): LogExtent {
    const { first, bytes, newestMs } = this.storage.extent;
    const next = this.#shownNext;
    const { maxItems = Number.POSITIVE_INFINITY } = this.#retention;
    return { first: Math.min(Math.max(first, next - maxItems), next), next, bytes, newestMs };
  }

  /** The end of what was given to the storage, durable or not. */
  get takenNext(): Sequence {
    return this.#takenNext;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Why nothing more can be kept. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Keeps a block, and shows it to readers once it is durable; undefined when it is so on return. */
  append(block: KeptBlock): Promise<void> | undefined {
    invariant(block.first >= this.#takenNext, 'a log goes back');
    const pending = this.storage.append(block);
    this.#takenNext = block.next;
    if (pending === undefined) {
      this.#show(block);
      return undefined;
    }
    this.#pendingBytes += block.bytes.length;
    return pending.then(
      () => {
        this.#pendingBytes -= block.bytes.length;
        this.#show(block);
      },
      (thrown) => {
        this.#failure ??= toError(thrown);
        throw this.#failure;
      },
    );
  }

  /** Blocks from the one that covers `from` on, or the next after it; none at the end. */
  read(from: Sequence, maxBytes: number): readonly KeptBlock[] | Promise<readonly KeptBlock[]> {
    return this.#tail.read(from, maxBytes) ?? this.storage.read(from, maxBytes);
  }

  /** Resolves when there is something at or after `position`. */
  reaches(position: Sequence, options: WaitOptions): Promise<void> {
    return waitFor<void>('waiting for a log to grow', options.signal, (resolve) => {
      if (this.#shownNext > position) resolve();
      const wake = (): void => {
        if (this.#shownNext > position) resolve();
      };
      this.#waiting.add(wake);
      return () => void this.#waiting.delete(wake);
    });
  }

  #show(block: KeptBlock): void {
    invariant(this.storage.extent.next >= block.next, 'a block is shown before it is durable');
    this.#shownNext = block.next;
    this.#tail.push(block);
    for (const wake of [...this.#waiting]) wake();
  }
}
