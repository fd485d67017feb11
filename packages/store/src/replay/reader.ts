import {
  batchesOf,
  createEventStream,
  DONE,
  type EventSource,
  iteratorOf,
  toError,
  type WaitOptions,
} from '@mosaik/primitives';
import { type DatumDecoder, datumDecoder, type StreamDefinition } from '@mosaik/streams';
import type { Feed, RawDatum, RawGap } from './feed.ts';
import type { InvalidReplayedDatum, ReplayGap, ReplayRecord } from './replay.ts';

const BATCH_DATUMS = 256;

/** Decodes what the feed holds, only when somebody reads it. */
export class ReplayReader<Out> {
  readonly gaps: EventSource<ReplayGap> = createEventStream<ReplayGap>();
  readonly invalid: EventSource<InvalidReplayedDatum> = createEventStream<InvalidReplayedDatum>();
  readonly #decodeAt: DatumDecoder<Out>;
  readonly #feed: Feed;
  readonly #takeMark: () => boolean;
  datumCount = 0;
  gapCount = 0;
  invalidCount = 0;

  /** `takeMark` tells, once, that everything up to here makes the replay caught up. */
  constructor(definition: StreamDefinition<unknown, Out>, feed: Feed, takeMark: () => boolean) {
    this.#decodeAt = datumDecoder(definition);
    this.#feed = feed;
    this.#takeMark = takeMark;
  }

  iterate(options: WaitOptions = {}): AsyncIterableIterator<Out, void, void> {
    return iteratorOf(() => this.#nextDatum(options));
  }

  batches(
    options: WaitOptions & { readonly maxDatums?: number } = {},
  ): AsyncIterableIterator<Out[], void, void> {
    const { maxDatums: maxItems = BATCH_DATUMS } = options;
    return batchesOf({ wait: () => this.#nextDatum(options), take: () => this.#tryDatum(), maxItems });
  }

  records(options: WaitOptions = {}): AsyncIterableIterator<ReplayRecord<Out>, void, void> {
    return iteratorOf<ReplayRecord<Out>>(async () => {
      while (!this.#feed.isClosed) {
        const record = this.#tryRecord();
        if (record !== undefined) return { done: false, value: record };
        await this.#feed.arrival(options);
      }
      return DONE;
    });
  }

  recordBatches(
    options: WaitOptions & { readonly maxRecords?: number } = {},
  ): AsyncIterableIterator<ReplayRecord<Out>[], void, void> {
    const { maxRecords = BATCH_DATUMS } = options;
    return iteratorOf<ReplayRecord<Out>[]>(async () => {
      while (!this.#feed.isClosed) {
        const batch: ReplayRecord<Out>[] = [];
        while (batch.length < maxRecords) {
          const record = this.#tryRecord();
          if (record === undefined) break;
          batch.push(record);
        }
        if (batch.length > 0) return { done: false, value: batch };
        await this.#feed.arrival(options);
      }
      return DONE;
    });
  }

  close(): void {
    this.gaps.close();
    this.invalid.close();
  }

  #nextDatum(options: WaitOptions): Promise<IteratorResult<Out, void>> {
    try {
      const result = this.#tryDatum();
      return result === undefined ? this.#waitForDatum(options) : Promise.resolve(result);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  async #waitForDatum(options: WaitOptions): Promise<IteratorResult<Out, void>> {
    while (!this.#feed.isClosed) {
      const result = this.#tryDatum();
      if (result !== undefined) return result;
      await this.#feed.arrival(options);
    }
    return DONE;
  }

  #tryDatum(): IteratorYieldResult<Out> | undefined {
    while (!this.#feed.isClosed) {
      const raw = this.#feed.take();
      if (raw === undefined || raw.type === 'mark') this.#takeMark();
      if (raw === undefined) return undefined;
      if (raw.type === 'gap') this.#tellGap(raw);
      if (raw.type !== 'datum') continue;
      const result = this.#decode(raw);
      if (result !== undefined) return result;
    }
    return undefined;
  }

  #tryRecord(): ReplayRecord<Out> | undefined {
    while (true) {
      const raw = this.#feed.take();
      if ((raw === undefined || raw.type === 'mark') && this.#takeMark()) return { type: 'caughtUp' };
      if (raw === undefined) return undefined;
      if (raw.type === 'gap') return this.#tellGap(raw);
      if (raw.type === 'mark') continue;
      const result = this.#decode(raw);
      if (result === undefined) continue;
      const { producer, log } = raw.lane.identity;
      const { offset, timeMs } = raw;
      return { type: 'datum', datum: result.value, producer, log, offset, timeMs };
    }
  }

  #decode(raw: RawDatum): IteratorYieldResult<Out> | undefined {
    try {
      const value = this.#decodeAt(raw.bytes, raw.start, raw.end);
      this.datumCount++;
      return { done: false, value };
    } catch (thrown) {
      this.#tellInvalid(raw, toError(thrown));
      return undefined;
    }
  }

  #tellGap({ lane, from, to }: RawGap): ReplayGap {
    const { producer, log } = lane.identity;
    const gap: ReplayGap = { type: 'gap', producer, log, from, to };
    this.gapCount++;
    this.gaps.emit(gap);
    return gap;
  }

  #tellInvalid({ lane, offset }: RawDatum, error: Error): void {
    const { producer, log } = lane.identity;
    this.invalidCount++;
    this.invalid.emit({ type: 'invalid', producer, log, offset, error });
  }
}
