import {
  ClosedError,
  createEventStream,
  DONE,
  type EventSource,
  iteratorOf,
  toError,
  type WaitOptions,
} from '@mosaik/primitives';
import { type DatumDecoder, datumDecoder, type StreamDefinition } from '../definition.ts';
import type { StreamMetrics } from '../metrics.ts';
import type { BlockCursor } from '../wire/block.ts';
import type { DatumRecord, Gap, InvalidDatum } from './consumer.ts';
import type { Inbox } from './inbox.ts';

const BATCH_DATUMS = 256;

/** Not a datum, which may be anything, undefined included. */
const NONE: unique symbol = Symbol('none');

/** Decodes what the inbox holds, only when somebody reads it, and tells of what cannot be. */
export class Reader<Out> {
  readonly gaps: EventSource<Gap> = createEventStream<Gap>();
  readonly invalid: EventSource<InvalidDatum> = createEventStream<InvalidDatum>();
  readonly #streamName: string;
  readonly #decodeAt: DatumDecoder<Out>;
  readonly #inbox: Inbox;
  readonly #metrics: StreamMetrics;
  gapCount = 0;
  invalidCount = 0;

  constructor(definition: StreamDefinition<unknown, Out>, inbox: Inbox, metrics: StreamMetrics) {
    this.#streamName = definition.name;
    this.#decodeAt = datumDecoder(definition);
    this.#inbox = inbox;
    this.#metrics = metrics;
  }

  tryRecv(): Out | undefined {
    const datum = this.#next();
    return datum === NONE ? undefined : datum;
  }

  async recv(options: WaitOptions = {}): Promise<Out> {
    const { datum } = await this.#nextWaiting(options);
    if (datum === NONE) throw new ClosedError(`the consumer of ${this.#streamName} is closed`);
    return datum;
  }

  iterate(): AsyncIterableIterator<Out, void, void> {
    const wait = async (): Promise<IteratorResult<Out, void>> => {
      const { datum } = await this.#nextWaiting({});
      return datum === NONE ? DONE : { done: false, value: datum };
    };
    return iteratorOf(() => {
      const value = this.#next();
      return value === NONE ? wait() : Promise.resolve({ done: false, value });
    });
  }

  batches(
    options: WaitOptions & { readonly maxDatums?: number } = {},
  ): AsyncIterableIterator<Out[], void, void> {
    const { maxDatums = BATCH_DATUMS } = options;
    return iteratorOf<Out[]>(async () => {
      const { datum: first } = await this.#nextWaiting(options);
      if (first === NONE) return DONE;
      const batch = [first];
      this.#fill(batch, maxDatums);
      return { done: false, value: batch };
    });
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

  /** The next datum, also one that is still to come; none when the consumer is closed. In an object, as a datum may have a `then`. */
  async #nextWaiting(options: WaitOptions): Promise<{ readonly datum: Out | typeof NONE }> {
    while (true) {
      const datum = this.#next();
      if (datum !== NONE || this.#inbox.isClosed) return { datum };
      await this.#inbox.arrival(options);
    }
  }

  /** Adds what is there, up to so many in all. */
  #fill(batch: Out[], maxDatums: number): void {
    while (batch.length < maxDatums) {
      const datum = this.#next();
      if (datum === NONE) return;
      batch.push(datum);
    }
  }

  /** The next datum that is there. */
  #next(): Out | typeof NONE {
    while (true) {
      const taken = this.#inbox.take();
      if (taken === undefined) return NONE;
      if (taken.type === 'gap') {
        this.#tellGap(taken);
        continue;
      }
      const datum = this.#decode(taken);
      if (datum !== NONE) return datum;
    }
  }

  #record(): DatumRecord<Out> | Gap | undefined {
    while (true) {
      const taken = this.#inbox.take();
      if (taken === undefined) return undefined;
      if (taken.type === 'gap') {
        this.#tellGap(taken);
        return taken;
      }
      const datum = this.#decode(taken);
      if (datum !== NONE) return { type: 'datum', datum, ...this.#inbox.origin };
    }
  }

  #decode({ bytes, start, end }: BlockCursor): Out | typeof NONE {
    try {
      return this.#decodeAt(bytes, start, end);
    } catch (thrown) {
      this.#tellInvalid(toError(thrown));
      return NONE;
    }
  }

  #tellGap(gap: Gap): void {
    this.gapCount++;
    this.#metrics.gap();
    this.gaps.emit(gap);
  }

  #tellInvalid(error: Error): void {
    this.invalidCount++;
    this.#metrics.invalid();
    this.invalid.emit({ type: 'invalid', ...this.#inbox.origin, error });
  }
}
