import {
  batchesOf,
  ClosedError,
  createEventStream,
  DONE,
  type EventSource,
  iteratorOf,
  toError,
  type WaitOptions,
} from '@mosaik/primitives';
import { decodeDatum, type StreamDefinition } from '../definition.ts';
import type { StreamMetrics } from '../metrics.ts';
import type { DatumRecord, Gap, InvalidDatum } from './consumer.ts';
import type { Inbox, RawDatum } from './inbox.ts';

const BATCH_DATUMS = 256;

/** Decodes what the inbox holds, only when somebody reads it, and tells of what cannot be. */
export class Reader<Out> {
  readonly gaps: EventSource<Gap> = createEventStream<Gap>();
  readonly invalid: EventSource<InvalidDatum> = createEventStream<InvalidDatum>();
  readonly #definition: StreamDefinition<unknown, Out>;
  readonly #inbox: Inbox;
  readonly #metrics: StreamMetrics;
  gapCount = 0;
  invalidCount = 0;

  constructor(definition: StreamDefinition<unknown, Out>, inbox: Inbox, metrics: StreamMetrics) {
    this.#definition = definition;
    this.#inbox = inbox;
    this.#metrics = metrics;
  }

  tryRecv(): Out | undefined {
    return this.#next()?.value as Out | undefined;
  }

  async recv(options: WaitOptions = {}): Promise<Out> {
    const result = await this.#nextWaiting(options);
    if (result.done === true) throw new ClosedError(`the consumer of ${this.#definition.name} is closed`);
    return result.value;
  }

  iterate(): AsyncIterableIterator<Out, void, void> {
    return iteratorOf(() => {
      const result = this.#next();
      return result === undefined ? this.#nextWaiting({}) : Promise.resolve(result);
    });
  }

  batches(
    options: WaitOptions & { readonly maxDatums?: number } = {},
  ): AsyncIterableIterator<Out[], void, void> {
    const { maxDatums: maxItems = BATCH_DATUMS } = options;
    return batchesOf({ wait: () => this.#nextWaiting(options), take: () => this.#next(), maxItems });
  }

  records(options: WaitOptions = {}): AsyncIterableIterator<DatumRecord<Out> | Gap, void, void> {
    return iteratorOf<DatumRecord<Out> | Gap>(async () => {
      while (!this.#inbox.isClosed) {
        const record = this.#record();
        if (record !== undefined) return { done: false, value: record };
        await this.#inbox.arrival(options);
      }
      return DONE;
    });
  }

  close(): void {
    this.gaps.close();
    this.invalid.close();
  }

  async #nextWaiting(options: WaitOptions): Promise<IteratorResult<Out, void>> {
    while (true) {
      const result = this.#next();
      if (result !== undefined) return result;
      if (this.#inbox.isClosed) return DONE;
      await this.#inbox.arrival(options);
    }
  }

  #next(): IteratorYieldResult<Out> | undefined {
    while (true) {
      const raw = this.#inbox.take();
      if (raw === undefined) return undefined;
      if (raw.type === 'gap') {
        this.#tellGap(raw);
        continue;
      }
      const result = this.#decode(raw);
      if (result !== undefined) return result;
    }
  }

  #record(): DatumRecord<Out> | Gap | undefined {
    while (true) {
      const raw = this.#inbox.take();
      if (raw === undefined) return undefined;
      if (raw.type === 'gap') {
        this.#tellGap(raw);
        return raw;
      }
      const result = this.#decode(raw);
      if (result === undefined) continue;
      const { producer, epoch, sequence } = raw;
      return { type: 'datum', datum: result.value, producer, epoch, sequence };
    }
  }

  #decode(raw: RawDatum): IteratorYieldResult<Out> | undefined {
    try {
      return { done: false, value: decodeDatum(this.#definition, raw) };
    } catch (thrown) {
      this.#tellInvalid(raw, toError(thrown));
      return undefined;
    }
  }

  #tellGap(gap: Gap): void {
    this.gapCount++;
    this.#metrics.gap();
    this.gaps.emit(gap);
  }

  #tellInvalid({ producer, epoch, sequence }: RawDatum, error: Error): void {
    this.invalidCount++;
    this.#metrics.invalid();
    this.invalid.emit({ type: 'invalid', producer, epoch, sequence, error });
  }
}
