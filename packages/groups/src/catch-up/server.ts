import type { Runtime } from '@mosaik/primitives';
import type { Replica } from '../driver/replica.ts';
import type { LogIndex } from '../raft/types.ts';
import { LogPrunedError } from '../storage/errors.ts';
import type { LogStorage } from '../storage/storage.ts';
import type { GroupMessage } from '../wire/messages.ts';
import type { Holds } from './holds.ts';
import { Readers } from './readers.ts';

/** Bytes of entries in one answer, about. */
const ANSWER_BYTES = 1024 * 1024;
/** Questions of one member that are worked on at once; further ones get no answer, and are asked again. */
const UNDER_WAY_MAX = 16;

/** What a member that lags asks. */
export type Question = Extract<
  GroupMessage,
  { kind: 'rangeAsk' | 'entriesAsk' | 'manifestAsk' | 'chunkAsk' }
>;

interface ServerOptions {
  readonly runtime: Runtime;
  readonly log: LogStorage;
  readonly replica: Replica;
  /** Told what is asked for. */
  readonly holds: Holds;
}

/** Gives others what they lack: committed entries, and snapshots. */
export class CatchUpServer {
  readonly #options: ServerOptions;
  readonly #underWay = new Map<string, number>();
  readonly #readers: Readers;
  /** Chunks of snapshots given to others so far; for stats. */
  servedChunks = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#readers = new Readers(options.runtime, options.log);
  }

  /** Answers a question; undefined when the member asks too much at once. */
  async answer(from: string, question: Question): Promise<GroupMessage | undefined> {
    const underWay = this.#underWay.get(from) ?? 0;
    if (underWay >= UNDER_WAY_MAX) return undefined;
    this.#underWay.set(from, underWay + 1);
    try {
      return await this.#answer(from, question);
    } finally {
      const left = (this.#underWay.get(from) ?? 1) - 1;
      if (left > 0) this.#underWay.set(from, left);
      else this.#underWay.delete(from);
    }
  }

  close(): Promise<void> {
    return this.#readers.close();
  }

  #answer(from: string, question: Question): Promise<GroupMessage> {
    switch (question.kind) {
      case 'rangeAsk':
        return this.#range(question.id);
      case 'entriesAsk':
        return this.#entries(question);
      case 'manifestAsk':
        return this.#manifest(from, question.id);
      case 'chunkAsk':
        return this.#chunk(from, question);
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
    const { log, replica, holds } = this.#options;
    // What is not committed may still change: it is for the leader alone to send.
    const end = Math.min(to, replica.commit) as LogIndex;
    if (end < from) return { kind: 'entries', id, from, entries: [] };
    try {
      const entries = await log.read({ from, to: end, maxBytes: ANSWER_BYTES });
      holds.asked((from - 1) as LogIndex);
      return { kind: 'entries', id, from, entries };
    } catch (thrown) {
      if (!(thrown instanceof LogPrunedError)) throw thrown;
      return { kind: 'entries', id, from, entries: [] };
    }
  }

  async #manifest(from: string, id: number): Promise<GroupMessage> {
    const { replica, holds } = this.#options;
    const reader = await this.#readers.newest(from);
    if (reader === undefined || reader.meta.index === 0) return { kind: 'manifest', id, offer: undefined };
    const { meta, manifest } = reader;
    // Already now: all members take their next snapshots, and prune, at about the same time.
    holds.asked(meta.index);
    return { kind: 'manifest', id, offer: { meta, term: replica.status.term, manifest } };
  }

  async #chunk(
    from: string,
    { id, index, position }: Question & { kind: 'chunkAsk' },
  ): Promise<GroupMessage> {
    const reader = await this.#readers.at(index, from);
    if (reader === undefined || position >= reader.manifest.chunkHashes.length)
      return { kind: 'chunk', id, chunk: new Uint8Array(0) };
    this.#options.holds.asked(index);
    const chunk = await reader.read(position);
    this.servedChunks++;
    return { kind: 'chunk', id, chunk };
  }
}
