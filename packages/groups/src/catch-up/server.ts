import type { Replica } from '../driver/replica.ts';
import type { LogIndex } from '../raft/types.ts';
import { LogPrunedError } from '../storage/errors.ts';
import type { LogStorage, SnapshotReader } from '../storage/storage.ts';
import type { GroupMessage } from '../wire/messages.ts';

/** Bytes of entries in one answer, about. */
const ANSWER_BYTES = 1024 * 1024;
/** Snapshots held open at once: a member that reads an older one than these begins anew. */
const READERS_MAX = 3;
/** Questions of one member that are worked on at once; further ones get no answer, and are asked again. */
const UNDER_WAY_MAX = 16;

/** What a member that lags asks. */
export type Question = Extract<
  GroupMessage,
  { kind: 'rangeAsk' | 'entriesAsk' | 'manifestAsk' | 'chunkAsk' }
>;

interface ServerOptions {
  readonly log: LogStorage;
  readonly replica: Replica;
}

/** Gives others what they lack: committed entries, and snapshots. */
export class CatchUpServer {
  readonly #options: ServerOptions;
  readonly #underWay = new Map<string, number>();
  /** Snapshots that others may be reading, by index; they stay readable though newer ones replace them. */
  readonly #readers = new Map<LogIndex, SnapshotReader>();
  /** Chunks of snapshots given to others so far; for stats. */
  servedChunks = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Answers a question; undefined when the member asks too much at once. */
  async answer(from: string, question: Question): Promise<GroupMessage | undefined> {
    const underWay = this.#underWay.get(from) ?? 0;
    if (underWay >= UNDER_WAY_MAX) return undefined;
    this.#underWay.set(from, underWay + 1);
    try {
      return await this.#answer(question);
    } finally {
      const left = (this.#underWay.get(from) ?? 1) - 1;
      if (left > 0) this.#underWay.set(from, left);
      else this.#underWay.delete(from);
    }
  }

  async close(): Promise<void> {
    for (const reader of this.#readers.values()) await reader.close();
    this.#readers.clear();
  }

  #answer(question: Question): Promise<GroupMessage> {
    switch (question.kind) {
      case 'rangeAsk':
        return this.#range(question.id);
      case 'entriesAsk':
        return this.#entries(question);
      case 'manifestAsk':
        return this.#manifest(question.id);
      case 'chunkAsk':
        return this.#chunk(question);
    }
  }

  async #range(id: number): Promise<GroupMessage> {
    const { log, replica } = this.#options;
    await using snapshot = await log.openSnapshot();
    const base = await this.#base();
    const { term } = replica.status;
    const held = { base, commit: replica.commit, term, snapshot: snapshot?.meta.index ?? (0 as LogIndex) };
    return { kind: 'range', id, held };
  }

  /** The last index that is gone. */
  async #base(): Promise<LogIndex> {
    const { log } = this.#options;
    try {
      await log.read({ from: 1 as LogIndex, to: 1 as LogIndex });
      return 0 as LogIndex;
    } catch (thrown) {
      if (thrown instanceof LogPrunedError) return thrown.base;
      throw thrown;
    }
  }

  async #entries({ id, from, to }: Question & { kind: 'entriesAsk' }): Promise<GroupMessage> {
    const { log, replica } = this.#options;
    // What is not committed may still change: it is for the leader alone to send.
    const end = Math.min(to, replica.commit) as LogIndex;
    if (end < from) return { kind: 'entries', id, from, entries: [] };
    try {
      const entries = await log.read({ from, to: end, maxBytes: ANSWER_BYTES });
      return { kind: 'entries', id, from, entries };
    } catch (thrown) {
      if (!(thrown instanceof LogPrunedError)) throw thrown;
      return { kind: 'entries', id, from, entries: [] };
    }
  }

  async #manifest(id: number): Promise<GroupMessage> {
    const reader = await this.#openNewest();
    if (reader === undefined || reader.meta.index === 0) return { kind: 'manifest', id, offer: undefined };
    const { meta, manifest } = reader;
    return { kind: 'manifest', id, offer: { meta, term: this.#options.replica.status.term, manifest } };
  }

  async #chunk({ id, index, position }: Question & { kind: 'chunkAsk' }): Promise<GroupMessage> {
    const reader = this.#readers.get(index) ?? (await this.#openNewest());
    const isThere = reader?.meta.index === index && position < reader.manifest.chunkHashes.length;
    if (!isThere) return { kind: 'chunk', id, chunk: new Uint8Array(0) };
    const chunk = await reader.read(position);
    this.servedChunks++;
    return { kind: 'chunk', id, chunk };
  }

  async #openNewest(): Promise<SnapshotReader | undefined> {
    const newest = await this.#options.log.openSnapshot();
    if (newest === undefined) return undefined;
    const known = this.#readers.get(newest.meta.index);
    if (known !== undefined) {
      await newest.close();
      return known;
    }
    this.#readers.set(newest.meta.index, newest);
    const [oldest] = this.#readers;
    if (this.#readers.size > READERS_MAX && oldest !== undefined) {
      this.#readers.delete(oldest[0]);
      await oldest[1].close();
    }
    return newest;
  }
}
