import { type EventStream, readableOf, type WaitOptions } from '@mosaik/primitives';
import type { Why } from '@mosaik/streams';
import type { Cursor } from './cursor.ts';
import type {
  InvalidReplayedDatum,
  Replay,
  ReplayGap,
  ReplayRecord,
  ReplaySource,
  ReplayStats,
  ReplayWhen,
} from './replay.ts';
import type { ReplayNode } from './replay-node.ts';

/** What the user of a replay holds. */
export class ReplayHandle<Out> implements Replay<Out> {
  readonly #node: ReplayNode<Out>;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;
  #readable: ReadableStream<Out> | undefined;

  constructor(node: ReplayNode<Out>, release: () => Promise<void>) {
    this.#node = node;
    this.#release = release;
  }

  get stream(): Replay<Out>['stream'] {
    return this.#node.definition.id;
  }

  get name(): string {
    return this.#node.definition.name;
  }

  get cursor(): Cursor {
    return this.#node.cursor;
  }

  get gaps(): EventStream<ReplayGap> {
    return this.#node.reader.gaps;
  }

  get invalid(): EventStream<InvalidReplayedDatum> {
    return this.#node.reader.invalid;
  }

  get sources(): readonly ReplaySource[] {
    return this.#node.sources;
  }

  get stats(): ReplayStats {
    return this.#node.stats;
  }

  get readable(): ReadableStream<Out> {
    const iterate = (): AsyncIterator<Out, void> => this.#node.reader.iterate();
    this.#readable ??= readableOf(iterate, () => this.close());
    return this.#readable;
  }

  records(options?: WaitOptions): AsyncIterableIterator<ReplayRecord<Out>, void, void> {
    return this.#node.reader.records(options);
  }

  recordBatches(
    options?: WaitOptions & { readonly maxRecords?: number },
  ): AsyncIterableIterator<ReplayRecord<Out>[], void, void> {
    return this.#node.reader.recordBatches(options);
  }

  batches(options?: WaitOptions & { readonly maxDatums?: number }): AsyncIterableIterator<Out[], void, void> {
    return this.#node.reader.batches(options);
  }

  when(): ReplayWhen {
    return { caughtUp: () => this.#node.caughtUp };
  }

  why(): Why {
    return this.#node.why();
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Out, void, void> {
    return this.#node.reader.iterate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
