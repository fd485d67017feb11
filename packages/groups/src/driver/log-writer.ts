import { invariant, toError } from '@mosaik/primitives';
import type { Persist, WriteToken } from '../raft/raft.ts';
import type { LogIndex, SnapshotMeta } from '../raft/types.ts';
import type { LogStorage, SnapshotStage } from '../storage/storage.ts';

interface LogWriterOptions {
  readonly log: LogStorage;
  readonly onPersisted: (token: WriteToken) => void;
  readonly onFailed: (error: Error) => void;
}

/**
 * Writes what the core wants persisted, in the order of its tokens. Writes of entries are handed to the storage at once,
 * which makes those durable together that wait for the same fsync; a write with a snapshot stands by itself.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  /** A snapshot that was pulled from others, complete, and waits to be put in force. */
  #staged: SnapshotStage | undefined;
  /** Set while a write with a snapshot is under way: what comes after waits for it. */
  #barrier: Promise<void> | undefined;
  #hasFailed = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** Whether a write with a snapshot is under way, or a snapshot waits for its write. */
  get isBusyWithSnapshot(): boolean {
    return this.#barrier !== undefined || this.#staged !== undefined;
  }

  /** Keeps a complete snapshot until the core asks for it. */
  stage(stage: SnapshotStage): void {
    invariant(this.#staged === undefined, 'one snapshot waits to be put in force at a time');
    this.#staged = stage;
  }

  write(persist: Persist, commit: LogIndex): void {
    if (this.#hasFailed) return;
    if (this.#barrier === undefined && persist.snapshot === undefined) {
      this.#append(persist, commit).then(
        () => this.#options.onPersisted(persist.token),
        (thrown) => this.#fail(thrown),
      );
      return;
    }
    const barrier: Promise<void> = (this.#barrier ?? Promise.resolve())
      .then(() => this.#writeInSteps(persist, commit))
      .then(
        () => this.#finished(barrier, persist.token),
        (thrown) => this.#fail(thrown),
      );
    this.#barrier = barrier;
  }

  #append({ hardState, truncateFrom, entries }: Persist, commit: LogIndex): Promise<void> {
    return this.#options.log.append({ hardState, truncateFrom, entries, commit });
  }

  async #writeInSteps(persist: Persist, commit: LogIndex): Promise<void> {
    const { hardState, snapshot } = persist;
    if (this.#hasFailed) return;
    if (snapshot === undefined) {
      await this.#append(persist, commit);
      return;
    }
    if (hardState !== undefined) await this.#options.log.append({ hardState });
    await this.#commit(snapshot);
    await this.#append({ ...persist, hardState: undefined }, commit);
  }

  async #commit(snapshot: SnapshotMeta): Promise<void> {
    const staged = this.#staged;
    invariant(staged?.meta.index === snapshot.index, 'the core wants a snapshot that is not there');
    await staged.commit();
    this.#staged = undefined;
  }

  #finished(barrier: Promise<void>, token: WriteToken): void {
    if (this.#hasFailed) return;
    if (this.#barrier === barrier) this.#barrier = undefined;
    this.#options.onPersisted(token);
  }

  #fail(thrown: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.onFailed(toError(thrown));
  }
}
