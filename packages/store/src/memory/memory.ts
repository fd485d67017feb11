import type { PeerId, StreamId } from '@mosaik/primitives';
import type { Epoch } from '@mosaik/streams';
import { LogStorageError } from '../log/errors.ts';
import type { LogIdentity, LogListing, LogStorage, LogStore } from '../log/log-storage.ts';
import { MemoryLog, MemoryLogState } from './memory-log.ts';

/**
 * Keeps logs in memory: they are gone with the process, and a producer that comes back begins another log. Retaining a
 * stream again with the same `memory()` goes on with the same log.
 */
export function memory(): LogStore {
  return new MemoryLogStore();
}

class MemoryLogStore implements LogStore {
  readonly durability = 'memory';
  readonly #logs = new Map<string, MemoryLogState>();
  readonly #snapshots = new Map<string, Uint8Array>();
  readonly #open = new Set<LogStorage>();
  #isClosed = false;

  async openOwn(stream: StreamId, producer: PeerId, newLog: () => Epoch): Promise<LogStorage> {
    this.#requireOpen();
    const known = this.#ownOf(stream);
    if (known === undefined) return this.#begin({ stream, producer, log: newLog() }, true);
    if (known.identity.producer !== producer)
      throw new LogStorageError('other', 'the log is of another producer');
    return this.#opened(known);
  }

  async openMirror({ stream, producer, log }: LogIdentity): Promise<LogStorage> {
    this.#requireOpen();
    const identity = { stream, producer, log };
    const known = this.#logs.get(keyOf(identity));
    return known === undefined ? this.#begin(identity, false) : this.#opened(known);
  }

  async list(stream: StreamId): Promise<readonly LogListing[]> {
    this.#requireOpen();
    const logs = [...this.#logs.values()].filter(({ identity }) => identity.stream === stream);
    return logs.map(({ identity, isOwn }) => ({ ...identity, isOwn }));
  }

  async remove(identity: LogIdentity): Promise<void> {
    this.#requireOpen();
    const key = keyOf(identity);
    if (this.#logs.get(key)?.isOpen === true)
      throw new LogStorageError('inUse', 'a log that is open is removed');
    this.#logs.delete(key);
  }

  async loadSnapshot(fold: string): Promise<Uint8Array | undefined> {
    this.#requireOpen();
    return this.#snapshots.get(fold)?.slice();
  }

  async saveSnapshot(fold: string, snapshot: Uint8Array): Promise<void> {
    this.#requireOpen();
    this.#snapshots.set(fold, snapshot.slice());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#open, (log) => log.close()));
    this.#open.clear();
  }

  #ownOf(stream: StreamId): MemoryLogState | undefined {
    return [...this.#logs.values()].find(({ identity, isOwn }) => isOwn && identity.stream === stream);
  }

  #begin(identity: LogIdentity, isOwn: boolean): LogStorage {
    const state = new MemoryLogState(identity, isOwn);
    this.#logs.set(keyOf(identity), state);
    return this.#opened(state);
  }

  #opened(state: MemoryLogState): LogStorage {
    const log = new MemoryLog(state);
    this.#open.add(log);
    return log;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new LogStorageError('closed', 'the store of logs is closed');
  }
}

function keyOf({ stream, producer, log }: LogIdentity): string {
  return `${stream} ${producer} ${log}`;
}
