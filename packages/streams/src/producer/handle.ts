import type { WaitOptions } from '@mosaik/primitives';
import type { When } from '../conditions/when.ts';
import { ProducerClosedError } from '../errors.ts';
import type { ChannelView } from '../stats.ts';
import type { Why } from '../why.ts';
import type { Producer, ProducerPosition, ProducerStats } from './producer.ts';
import type { ProducerNode } from './producer-node.ts';
import { whyProducer } from './why.ts';

/** One of possibly several handles of a producer; `release` is called once, when it is closed. */
export class ProducerHandle<In> implements Producer<In> {
  readonly #node: ProducerNode<In>;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;
  #writable: WritableStream<In> | undefined;

  constructor(node: ProducerNode<In>, release: () => Promise<void>) {
    this.#node = node;
    this.#release = release;
  }

  get id(): Producer<In>['id'] {
    return this.#node.definition.id;
  }

  get name(): string {
    return this.#node.definition.name;
  }

  get position(): ProducerPosition {
    return { epoch: this.#node.epoch, next: this.#node.next };
  }

  send(datum: In, options?: WaitOptions): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(new ProducerClosedError(this.name, datum));
    return this.#node.intake.send(datum, options);
  }

  trySend(datum: In): void {
    if (this.#closing !== undefined) throw new ProducerClosedError(this.name, datum);
    this.#node.intake.trySend(datum);
  }

  flushed(options?: WaitOptions): Promise<void> {
    return this.#node.flushed(options);
  }

  get writable(): WritableStream<In> {
    this.#writable ??= new WritableStream<In>({
      write: (datum, controller) => this.send(datum, abortOf(controller)),
      close: () => this.close(),
      abort: () => this.close(),
    });
    return this.#writable;
  }

  get consumers(): readonly ChannelView[] {
    return Array.from(this.#node.channels, (channel) => channel.view());
  }

  get stats(): ProducerStats {
    return this.#node.stats;
  }

  when(): When {
    return this.#node.when;
  }

  why(): Why {
    return whyProducer(this.#node);
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What fires when the writer gives up. The types of the platform at hand may not know of it. */
function abortOf(controller: object): WaitOptions {
  return { signal: (controller as { readonly signal?: AbortSignal }).signal };
}
