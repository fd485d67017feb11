import type { Sequence } from '@mosaik/streams';
import { LogStorageError } from '../log/errors.ts';
import type { KeptBlock, LogExtent, LogIdentity, LogStorage } from '../log/log-storage.ts';
import { checkAppend } from '../log/rules.ts';
import type { AppendOrigin, PlacedBlock } from './appender.ts';
import type { OpenedLog, Trimmed } from './messages.ts';
import type { Place } from './records.ts';

/** What a log needs of its store. */
export interface LogHost {
  append(origin: AppendOrigin, placed: PlacedBlock): Promise<void>;
  read(log: number, range: { from: Sequence; end: Place; maxBytes: number }): Promise<readonly KeptBlock[]>;
  offsetAt(log: number, timeMs: number, end: Place): Promise<Sequence>;
  offsetWithin(log: number, maxBytes: number, end: Place): Promise<Sequence>;
  trim(log: number, below: Sequence): Promise<Trimmed>;
  closed(log: number): void;
}

/** A log at this end of its workers: knows where it begins and ends. */
export class SqliteLog implements LogStorage, AppendOrigin {
  readonly durability = 'fsync';
  readonly identity: LogIdentity;
  readonly log: number;
  readonly #host: LogHost;
  #first: Sequence;
  /** Where the first block that is kept begins. */
  #kept: Place;
  /** Where the last durable block ends. */
  #end: Place;
  #newestMs: number;
  /** After the last block that was taken, durable or not. */
  #taken: { readonly next: Sequence; readonly newestMs: number; readonly position: number };
  #failure: Error | undefined;
  /** What is under way: closing waits for it. */
  readonly #underWay = new Set<Promise<unknown>>();
  #lastAppend: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(host: LogHost, { log, record }: OpenedLog) {
    const { stream, producer, first, kept, end, newestMs } = record;
    this.#host = host;
    this.log = log;
    this.identity = { stream, producer, log: record.log };
    this.#first = first;
    this.#kept = kept;
    this.#end = end;
    this.#newestMs = newestMs;
    this.#taken = { next: end.offset, newestMs, position: end.position };
  }

  get extent(): LogExtent {
    const bytes = this.#end.position - this.#kept.position;
    return { first: this.#first, next: this.#end.offset, bytes, newestMs: this.#newestMs };
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  append(block: KeptBlock): Promise<void> {
    try {
      this.#requireOpen();
      if (this.#failure !== undefined) throw this.#failure;
      checkAppend(block, this.#taken);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const { position } = this.#taken;
    this.#taken = {
      next: block.next,
      newestMs: block.timeMs,
      position: position + block.bytes.length,
    };
    const appended = this.#host.append(this, { block, position });
    this.#lastAppend = appended;
    return appended;
  }

  settle({ first, next, timeMs, bytes }: KeptBlock): void {
    if (this.#first === this.#end.offset) {
      this.#first = first;
      this.#kept = { offset: first, position: this.#end.position };
    }
    this.#end = { offset: next, position: this.#end.position + bytes.length };
    this.#newestMs = timeMs;
  }

  fail(error: Error): void {
    this.#failure ??= error;
  }

  async read(from: Sequence, maxBytes: number): Promise<readonly KeptBlock[]> {
    this.#requireOpen();
    if (from >= this.#end.offset || this.#first === this.#end.offset) return [];
    return await this.#during(this.#host.read(this.log, { from, end: this.#end, maxBytes }));
  }

  async offsetAt(timeMs: number): Promise<Sequence> {
    this.#requireOpen();
    return await this.#during(this.#host.offsetAt(this.log, timeMs, this.#end));
  }

  async offsetWithin(maxBytes: number): Promise<Sequence> {
    this.#requireOpen();
    return await this.#during(this.#host.offsetWithin(this.log, maxBytes, this.#end));
  }

  async trim(below: Sequence): Promise<void> {
    this.#requireOpen();
    // Only what is durable now: what is under way was not asked for.
    const first = Math.min(below, this.#end.offset);
    if (first <= this.#first) return;
    await this.#during(this.#trim(first));
  }

  async #trim(below: Sequence): Promise<void> {
    const { first, kept } = await this.#host.trim(this.log, below);
    this.#first = first;
    this.#kept = kept;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Whoever asked for it was told how it went.
    await Promise.allSettled([...this.#underWay, this.#lastAppend]);
    this.#host.closed(this.log);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #during<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new LogStorageError('closed', 'the log is closed');
  }
}
