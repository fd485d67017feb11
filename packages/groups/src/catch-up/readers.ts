import type { Runtime } from '@mosaik/primitives';
import type { LogIndex } from '../raft/types.ts';
import type { LogStorage, SnapshotReader } from '../storage/storage.ts';

/** Snapshots held open at once. */
const READERS_MAX = 3;
/** Who has not read for so long does not: the most patient member waits, and hears out, no longer than this. */
const IDLE_MS = 60_000;

/** Which snapshot a member reads. */
interface Use {
  readonly index: LogIndex;
  readonly atMs: number;
}

/**
 * Snapshots that others read: they stay readable though newer ones replace them. While as many as may be are read, whoever
 * comes then is given the newest of these: an older snapshot is better than one that is taken away from somebody half-way.
 */
export class Readers {
  readonly #runtime: Runtime;
  readonly #log: LogStorage;
  readonly #open = new Map<LogIndex, SnapshotReader>();
  /** By member: each reads one at a time. */
  readonly #uses = new Map<string, Use>();

  constructor(runtime: Runtime, log: LogStorage) {
    this.#runtime = runtime;
    this.#log = log;
  }

  /** The snapshot at an index, if there still is one. */
  async at(index: LogIndex, member: string): Promise<SnapshotReader | undefined> {
    if (!this.#open.has(index)) await this.newest(member);
    return this.#use(index, member);
  }

  /** The newest snapshot that there is room for; from here on the member reads no other. */
  async newest(member: string): Promise<SnapshotReader | undefined> {
    const newest = await this.#log.openSnapshot();
    if (newest === undefined) return undefined;
    this.#uses.delete(member);
    const unused = this.#unused();
    if (this.#open.has(newest.meta.index) || (this.#open.size >= READERS_MAX && unused === undefined)) {
      await newest.close();
      return this.#use(Math.max(...this.#open.keys()) as LogIndex, member);
    }
    this.#open.set(newest.meta.index, newest);
    this.#use(newest.meta.index, member);
    if (unused !== undefined) await this.#close(unused);
    return newest;
  }

  async close(): Promise<void> {
    for (const index of [...this.#open.keys()]) await this.#close(index);
    this.#uses.clear();
  }

  #use(index: LogIndex, member: string): SnapshotReader | undefined {
    const reader = this.#open.get(index);
    if (reader !== undefined) this.#uses.set(member, { index, atMs: this.#runtime.now() });
    return reader;
  }

  async #close(index: LogIndex): Promise<void> {
    const reader = this.#open.get(index);
    this.#open.delete(index);
    await reader?.close();
  }

  /** The oldest snapshot that nobody reads any more. */
  #unused(): LogIndex | undefined {
    const sinceMs = this.#runtime.now() - IDLE_MS;
    for (const [member, { atMs }] of this.#uses) if (atMs < sinceMs) this.#uses.delete(member);
    const used = new Set([...this.#uses.values()].map(({ index }) => index));
    const unused = [...this.#open.keys()].filter((index) => !used.has(index));
    return unused.length === 0 ? undefined : (Math.min(...unused) as LogIndex);
  }
}
