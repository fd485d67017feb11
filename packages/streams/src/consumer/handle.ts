import { type EventStream, readableOf, type WaitOptions } from '@mosaik/primitives';
import type { When } from '../conditions/when.ts';
import type { ChannelView } from '../stats.ts';
import type { Why } from '../why.ts';
import type { Consumer, ConsumerStats, DatumRecord, Gap, InvalidDatum } from './consumer.ts';
import type { ConsumerNode } from './consumer-node.ts';
import { whyConsumer } from './why.ts';

/** What the user of a consumer holds. */
export class ConsumerHandle<Out> implements Consumer<Out> {
  readonly #node: ConsumerNode<Out>;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;
  #readable: ReadableStream<Out> | undefined;

  constructor(node: ConsumerNode<Out>, release: () => Promise<void>) {
    this.#node = node;
    this.#release = release;
  }

  get id(): Consumer<Out>['id'] {
    return this.#node.definition.id;
  }

  get name(): string {
    return this.#node.definition.name;
  }

  get gaps(): EventStream<Gap> {
    return this.#node.reader.gaps;
  }

  get invalid(): EventStream<InvalidDatum> {
    return this.#node.reader.invalid;
  }

  get producers(): readonly ChannelView[] {
    return this.#node.subscriptions.map((subscription) => subscription.view());
  }

  get stats(): ConsumerStats {
    const { reader, received } = this.#node;
    return { ...received, gaps: reader.gapCount, invalid: reader.invalidCount };
  }

  get readable(): ReadableStream<Out> {
    const iterate = (): AsyncIterator<Out, void> => this.#node.reader.iterate();
    this.#readable ??= readableOf(iterate, () => this.close());
    return this.#readable;
  }

  recv(options?: WaitOptions): Promise<Out> {
    return this.#node.reader.recv(options);
  }

  tryRecv(): Out | undefined {
    return this.#node.reader.tryRecv();
  }

  batches(options?: WaitOptions & { readonly maxDatums?: number }): AsyncIterableIterator<Out[], void, void> {
    return this.#node.reader.batches(options);
  }

  records(options?: WaitOptions): AsyncIterableIterator<DatumRecord<Out> | Gap, void, void> {
    return this.#node.reader.records(options);
  }

  when(): When {
    return this.#node.when;
  }

  why(): Why {
    return whyConsumer(this.#node);
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
