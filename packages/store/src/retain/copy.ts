import { type PeerId, type Scope, toError } from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';
import type { KeptBlock } from '../log/log-storage.ts';
import type { Reach } from '../pull/asking.ts';
import type { Holders } from '../pull/holders.ts';
import { LogSource } from '../pull/log-source.ts';
import type { Sink } from '../pull/sink.ts';
import type { KeptLog } from '../serve/kept-log.ts';

/** What may be on its way to the disk before more is taken. */
const PENDING_BYTES_MAX = 8 * 1024 * 1024;
const BACKOFF = { baseMs: 100, maxMs: 5_000 } as const;

export interface CopyOptions {
  readonly scope: Scope;
  readonly reach: Reach;
  readonly holders: Holders;
  readonly log: KeptLog;
  readonly start: Sequence;
  readonly onKept: (block: KeptBlock) => void;
  readonly onGap: () => void;
  readonly onFailed: (error: Error) => void;
  readonly onMisbehaviour: (peer: PeerId, error: Error) => void;
}

/** A copy of the log of another producer that keeps itself up to date: the same blocks, offsets and times. */
export class Copy implements Sink {
  readonly log: KeptLog;
  readonly #options: CopyOptions;
  readonly #source: LogSource;
  #failure: Error | undefined;

  constructor(options: CopyOptions) {
    const { scope, reach, holders, log, start } = options;
    this.#options = options;
    this.log = log;
    this.#source = new LogSource({
      scope: scope.child('copy'),
      reach,
      holders,
      identity: log.identity,
      start,
      isResumed: false,
      sink: this,
      backoff: BACKOFF,
      maxBuffer: PENDING_BYTES_MAX,
      onMisbehaviour: options.onMisbehaviour,
    });
  }

  get state(): string {
    return this.#failure?.message ?? this.#source.why;
  }

  /** Ends it, and closes its log. */
  close(): Promise<void> {
    return this.#options.scope.close();
  }

  take(block: KeptBlock, from: Sequence): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const isFirst = this.log.takenNext === 0 && block.first < from;
    const pending = this.log.append(block);
    this.#options.onKept(block);
    // Its source keeps only a part of its first block.
    if (isFirst) return Promise.resolve(pending).then(() => this.log.storage.trim(from));
    if (pending === undefined) return undefined;
    if (this.log.pendingBytes >= PENDING_BYTES_MAX) return pending;
    pending.catch((thrown) => this.fail(toError(thrown)));
    return undefined;
  }

  gap(): undefined {
    this.#options.onGap();
  }

  caughtUp(): undefined {}

  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#options.onFailed(error);
  }
}
