/** The two threads of a store, and how they are asked. */
import { programBeside, type WorkerClient, WorkerShelf } from '@mosaik/groups/sqlite-kit';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { KeptBlock, LogIdentity } from '../log/log-storage.ts';
import { Appender, type AppendOrigin, type PlacedBlock } from './appender.ts';
import { errorOf, type Failure } from './failure.ts';
import type { OpenedLog, ReaderValue, ReaderWork, Trimmed, WriterValue, WriterWork } from './messages.ts';
import type { Place } from './records.ts';
import type { SqliteStoreOptions } from './sqlite-store.ts';

const STORE_ID_BYTES = 16;

const writers = new WorkerShelf<WriterWork, WriterValue, Failure>(
  programBeside(import.meta.url, './writing/worker'),
  'mosaik-store-writer',
);
const readers = new WorkerShelf<ReaderWork, ReaderValue, Failure>(
  programBeside(import.meta.url, './reading/worker'),
  'mosaik-store-reader',
);

export class StoreWorkers {
  readonly where: string;
  readonly #path: string;
  readonly #writer: WorkerClient<WriterWork, WriterValue, Failure> = writers.take();
  readonly #appender: Appender;
  #reader: WorkerClient<ReaderWork, ReaderValue, Failure> | undefined;
  #isSweeping = false;
  #isClosing = false;

  private constructor(path: string) {
    this.where = `SQLite at ${path}`;
    this.#path = path;
    this.#appender = new Appender((work) => this.#write(work, [work.heads.buffer, work.bytes.buffer]));
  }

  /** @throws {LogStorageError} when the store cannot be used. */
  static async open({ path, runtime, ...test }: SqliteStoreOptions): Promise<{
    readonly workers: StoreWorkers;
    readonly logs: readonly OpenedLog[];
  }> {
    const workers = new StoreWorkers(path);
    const store = bytesToHex(runtime.randomBytes(STORE_ID_BYTES));
    try {
      const logs = await workers.#write({ kind: 'open', path, store, ...test });
      return { workers, logs: logs as readonly OpenedLog[] };
    } catch (error) {
      await writers.giveBack(workers.#writer);
      throw error;
    }
  }

  async begin(identity: LogIdentity, isOwn: boolean): Promise<OpenedLog> {
    return (await this.#write({ kind: 'begin', identity, isOwn })) as OpenedLog;
  }

  async verify(log: number): Promise<OpenedLog> {
    return (await this.#write({ kind: 'verify', log })) as OpenedLog;
  }

  append(origin: AppendOrigin, placed: PlacedBlock): Promise<void> {
    return this.#appender.append(origin, placed);
  }

  async trim(log: number, below: number): Promise<Trimmed> {
    const trimmed = (await this.#write({ kind: 'trim', log, below })) as Trimmed;
    this.sweep();
    return trimmed;
  }

  async remove(log: number): Promise<void> {
    await this.#write({ kind: 'remove', log });
    this.sweep();
  }

  /** In the background, some at a time, what is appended meanwhile in between; what is left is for the next time. */
  sweep(): void {
    if (this.#isSweeping || this.#isClosing) return;
    this.#isSweeping = true;
    this.#write({ kind: 'sweep' }).then(
      (more) => {
        this.#isSweeping = false;
        if (more === 'more') this.sweep();
      },
      // Nothing that is kept depends on it, and whoever writes next is told what is wrong.
      () => {
        this.#isSweeping = false;
      },
    );
  }

  async stageSnapshot(): Promise<number> {
    return (await this.#write({ kind: 'stage' })) as number;
  }

  async writeChunk(snapshot: number, position: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#write({ kind: 'chunk', snapshot, position, bytes }, [bytes.buffer]);
  }

  async discardSnapshot(snapshot: number): Promise<void> {
    await this.#write({ kind: 'discard', snapshot });
    this.sweep();
  }

  async saveSnapshot(
    fold: string,
    saved: { snapshot: number; chunks: number; bytes: number },
  ): Promise<void> {
    await this.#write({ kind: 'save', fold, ...saved });
    this.sweep();
  }

  async read(
    log: number,
    range: { readonly from: number; readonly end: Place; readonly maxBytes: number },
  ): Promise<readonly KeptBlock[]> {
    return (await this.#read({ kind: 'read', log, ...range })) as readonly KeptBlock[];
  }

  async offsetAt(log: number, timeMs: number, end: Place): Promise<number> {
    return (await this.#read({ kind: 'offsetAt', log, timeMs, end })) as number;
  }

  async offsetWithin(log: number, maxBytes: number, end: Place): Promise<number> {
    return (await this.#read({ kind: 'offsetWithin', log, maxBytes, end })) as number;
  }

  async loadSnapshot(fold: string): Promise<Uint8Array | undefined> {
    return (await this.#read({ kind: 'load', fold })) as Uint8Array | undefined;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const reader = this.#reader;
    // The writer last: whoever closes a database last tidies it up. Whatever had failed before, its callers were told.
    if (reader !== undefined && !reader.hasFailed) {
      await this.#read({ kind: 'close' }).then(
        () => readers.giveBack(reader),
        () => reader.end(),
      );
    }
    await this.#write({ kind: 'close' }).then(
      () => writers.giveBack(this.#writer),
      () => this.#writer.end(),
    );
  }

  #write(work: WriterWork, transfer: readonly ArrayBuffer[] = []): Promise<WriterValue> {
    return this.#writer.send(work, { toError: this.#toError, transfer });
  }

  #read(work: ReaderWork): Promise<ReaderValue> {
    return this.#startReader().send(work, { toError: this.#toError });
  }

  /** With what is read first; and again, should one have died. */
  #startReader(): WorkerClient<ReaderWork, ReaderValue, Failure> {
    if (this.#reader !== undefined && !this.#reader.hasFailed) return this.#reader;
    this.#reader = readers.take();
    // If it fails what is read fails, too.
    this.#reader.send({ kind: 'open', path: this.#path }, { toError: this.#toError }).catch(() => {});
    return this.#reader;
  }

  readonly #toError = (failure: Failure): Error => errorOf(this.where, failure);
}
