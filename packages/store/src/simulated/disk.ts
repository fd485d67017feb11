import { type PeerId, type Runtime, type StreamId, sleep } from '@mosaik/primitives';
import type { Epoch, Sequence } from '@mosaik/streams';
import { LogStorageError } from '../log/errors.ts';
import type {
  KeptBlock,
  LogExtent,
  LogIdentity,
  LogListing,
  LogStorage,
  LogStore,
} from '../log/log-storage.ts';
import { checkAppend } from '../log/rules.ts';
import { MemoryLogState } from '../memory/memory-log.ts';

/** How long a simulated sync takes at most. */
const SYNC_MS = 12;

/**
 * A disk that outlives the processes of a host: each mounts it anew. What was not synced when a process ends is gone, as the
 * timers that would have synced it end with the process.
 */
export class LogDisk {
  readonly logs: Map<string, MemoryLogState> = new Map();
  readonly snapshots: Map<string, Uint8Array> = new Map();
  #mounted: DiskStore | undefined;

  mount(runtime: Runtime): LogStore {
    this.#mounted?.end();
    this.#mounted = new DiskStore(this, runtime);
    return this.#mounted;
  }
}

class DiskStore implements LogStore {
  readonly durability = 'fsync';
  readonly #disk: LogDisk;
  readonly #runtime: Runtime;
  readonly #open = new Map<string, DiskLog>();
  #isClosed = false;

  constructor(disk: LogDisk, runtime: Runtime) {
    this.#disk = disk;
    this.#runtime = runtime;
  }

  /** As the process does: nothing is waited for. */
  end(): void {
    this.#isClosed = true;
    for (const log of this.#open.values()) log.end();
  }

  async openOwn(stream: StreamId, producer: PeerId, newLog: () => Epoch): Promise<LogStorage> {
    const known = [...this.#disk.logs.values()].find(
      ({ isOwn, identity }) => isOwn && identity.stream === stream,
    );
    if (known !== undefined && known.identity.producer !== producer)
      throw new LogStorageError('other', 'of another producer');
    return this.#opened(known ?? new MemoryLogState({ stream, producer, log: newLog() }, true));
  }

  async openMirror({ stream, producer, log }: LogIdentity): Promise<LogStorage> {
    const identity = { stream, producer, log };
    return this.#opened(this.#disk.logs.get(keyOf(identity)) ?? new MemoryLogState(identity, false));
  }

  async list(stream: StreamId): Promise<readonly LogListing[]> {
    const logs = [...this.#disk.logs.values()].filter(({ identity }) => identity.stream === stream);
    return logs.map(({ identity, isOwn }) => ({ ...identity, isOwn }));
  }

  async remove(identity: LogIdentity): Promise<void> {
    if (this.#open.get(keyOf(identity))?.isClosed === false) throw new LogStorageError('inUse', 'it is open');
    this.#disk.logs.delete(keyOf(identity));
  }

  async loadSnapshot(fold: string): Promise<Uint8Array | undefined> {
    await sleep(this.#runtime, 1);
    return this.#disk.snapshots.get(fold)?.slice();
  }

  async saveSnapshot(fold: string, snapshot: Uint8Array): Promise<void> {
    const copy = snapshot.slice();
    await sleep(this.#runtime, this.#runtime.random() * SYNC_MS);
    this.#disk.snapshots.set(fold, copy);
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open.values(), (log) => log.close()));
    this.#isClosed = true;
  }

  #opened(state: MemoryLogState): LogStorage {
    if (this.#isClosed) throw new LogStorageError('closed', 'the disk is not mounted');
    const key = keyOf(state.identity);
    if (this.#open.get(key)?.isClosed === false) throw new LogStorageError('inUse', 'it is open');
    this.#disk.logs.set(key, state);
    const log = new DiskLog(state, this.#runtime);
    this.#open.set(key, log);
    return log;
  }
}

interface Pending {
  readonly block: KeptBlock;
  readonly resolve: () => void;
}

class DiskLog implements LogStorage {
  readonly durability = 'fsync';
  readonly #state: MemoryLogState;
  readonly #runtime: Runtime;
  #pending: Pending[] = [];
  #syncing: Promise<void> | undefined;
  #taken: Pick<LogExtent, 'next' | 'newestMs'>;
  isClosed = false;

  constructor(state: MemoryLogState, runtime: Runtime) {
    this.#state = state;
    this.#runtime = runtime;
    this.#taken = state.extent;
  }

  get identity(): LogIdentity {
    return this.#state.identity;
  }

  get extent(): LogExtent {
    return this.#state.extent;
  }

  end(): void {
    this.isClosed = true;
    this.#pending = [];
  }

  append(block: KeptBlock): Promise<void> {
    try {
      this.#requireOpen();
      checkAppend(block, this.#taken);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    this.#taken = { next: block.next, newestMs: block.timeMs };
    return new Promise((resolve) => {
      this.#pending.push({ block, resolve });
      this.#syncing ??= this.#sync();
    });
  }

  async read(from: Sequence, maxBytes: number): Promise<readonly KeptBlock[]> {
    this.#requireOpen();
    await sleep(this.#runtime, this.#runtime.random());
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
    await this.#syncing;
    this.isClosed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #sync(): Promise<void> {
    while (this.#pending.length > 0) {
      await sleep(this.#runtime, this.#runtime.random() * SYNC_MS);
      if (this.isClosed) return;
      const batch = this.#pending;
      this.#pending = [];
      for (const { block, resolve } of batch) {
        this.#state.append(block);
        resolve();
      }
    }
    this.#syncing = undefined;
  }

  #requireOpen(): void {
    if (this.isClosed) throw new LogStorageError('closed', 'the log is closed');
  }
}

function keyOf({ stream, producer, log }: LogIdentity): string {
  return `${stream} ${producer} ${log}`;
}
