import { type PeerInfo, peerInfo } from '@mosaik/discovery';
import {
  ClosedError,
  createLog,
  createScope,
  InvalidArgumentError,
  type PeerId,
  type Scope,
  type StreamId,
  shortId,
  type WaitOptions,
} from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import type { Consumer, ConsumerOptions } from './consumer/consumer.ts';
import { ConsumerNode } from './consumer/consumer-node.ts';
import { ConsumerHandle } from './consumer/handle.ts';
import { consumerSettings } from './consumer/settings.ts';
import type { StreamDefinition } from './definition.ts';
import { createLoopback } from './loopback/loopback.ts';
import { streamMetrics } from './metrics.ts';
import { createGatekeeper } from './producer/gatekeeper.ts';
import { ProducerHandle } from './producer/handle.ts';
import type { Journal } from './producer/journal.ts';
import type { Producer, ProducerOptions } from './producer/producer.ts';
import { ProducerNode } from './producer/producer-node.ts';
import { producerSettings } from './producer/settings.ts';
import type { Streams, StreamsOptions } from './streams.ts';
import { streamProtocol } from './wire/protocol.ts';

/** Links a peer may hold: each of its consumers has one for each stream. */
const LIMITS = { maxLinks: 1_024, maxOpensPerSecond: 50 } as const;

/** A producer and its handles. */
interface Produced {
  readonly node: ProducerNode<never>;
  readonly options: ProducerOptions<never>;
  readonly advertised: Disposable;
  readonly handles: Set<ProducerHandle<never>>;
}

/** The registry of a node's producers and consumers, and the door that subscriptions come in by. */
export class StreamsNode implements Streams {
  readonly #options: StreamsOptions;
  readonly #scope: Scope;
  readonly #produced = new Map<StreamId, Produced>();
  readonly #journals = new Map<StreamId, Journal>();
  readonly #consumers = new Map<ConsumerNode<never>, Consumer<unknown>>();
  readonly #serve: (link: Link<Uint8Array>) => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(options: StreamsOptions) {
    const { transport, discovery } = options;
    const log = createLog('mosaik:streams');
    this.#options = options;
    this.#scope = createScope({
      runtime: transport.runtime,
      name: 'streams',
      onError: (error, where) => log.error('%s: %o', where, error),
    });
    const refused = transport.metrics.counter('mosaik.streams.refused', {
      description: 'Subscriptions refused, by code',
    });
    this.#serve = createGatekeeper({
      runtime: transport.runtime,
      discovery,
      find: (stream) => this.#produced.get(stream)?.node,
      lookUp: (peer) => this.#lookUp(peer),
      onRefused: (code) => refused.add(1, { code: String(code) }),
    });
    const accepting = transport.accept(streamProtocol, (link) => this.#serve(link), LIMITS);
    this.#scope.onClose(() => accepting[Symbol.dispose]());
  }

  get producers(): readonly Producer<never>[] {
    return Array.from(this.#produced.values()).flatMap(({ handles }) => [...handles].slice(0, 1));
  }

  get consumers(): readonly Consumer<unknown>[] {
    return [...this.#consumers.values()];
  }

  producer<In, Out>(definition: StreamDefinition<In, Out>, options: ProducerOptions<In> = {}): Producer<In> {
    this.#requireOpen();
    const produced = this.#produced.get(definition.id) ?? this.#produce(definition, options);
    requireSame(produced.options, options as ProducerOptions<never>);
    const node = produced.node as unknown as ProducerNode<In>;
    const handle: ProducerHandle<In> = new ProducerHandle(node, () =>
      this.#release(definition.id, produced, handle),
    );
    produced.handles.add(handle as unknown as ProducerHandle<never>);
    return handle;
  }

  consumer<In, Out>(definition: StreamDefinition<In, Out>, options: ConsumerOptions<In> = {}): Consumer<Out> {
    this.#requireOpen();
    const { transport, discovery } = this.#options;
    const node = new ConsumerNode<Out>({
      definition: definition as unknown as StreamDefinition<never, Out>,
      settings: consumerSettings(options),
      scope: this.#scope.child(`consumer ${shortId(definition.id)}`),
      discovery,
      metrics: streamMetrics(transport.metrics, definition.name),
      open: (peer, wait) => this.#open(peer, wait),
      ownProducer: () => (this.#produced.has(definition.id) ? this.#self() : undefined),
    });
    const key = node as unknown as ConsumerNode<never>;
    const handle = new ConsumerHandle<Out>(node, () => {
      this.#consumers.delete(key);
      return node.close();
    });
    this.#consumers.set(key, handle as Consumer<unknown>);
    return handle;
  }

  journal<In, Out>({ id, name }: StreamDefinition<In, Out>, journal: Journal): Disposable {
    this.#requireOpen();
    if (this.#journals.has(id))
      throw new InvalidArgumentError('journal', `the stream ${name} has one already`);
    this.#journals.set(id, journal);
    this.#produced.get(id)?.node.setJournal(journal);
    return {
      [Symbol.dispose]: () => {
        if (this.#journals.get(id) !== journal) return;
        this.#journals.delete(id);
        this.#produced.get(id)?.node.setJournal(undefined);
      },
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const handles = [...this.#produced.values()].flatMap((produced) => [...produced.handles]);
    await Promise.all(handles.map((handle) => handle.close()));
    await Promise.all(this.consumers.map((consumer) => consumer.close()));
    await this.#scope.close();
  }

  #produce<In, Out>(definition: StreamDefinition<In, Out>, options: ProducerOptions<In>): Produced {
    const { transport, discovery } = this.#options;
    const node = new ProducerNode<In>({
      definition,
      settings: producerSettings(options),
      scope: this.#scope.child(`producer ${shortId(definition.id)}`),
      discovery,
      lookUp: (peer) => this.#lookUp(peer),
      metrics: streamMetrics(transport.metrics, definition.name),
    });
    const { id, name } = definition;
    const journal = this.#journals.get(id);
    if (journal !== undefined) node.setJournal(journal);
    const produced: Produced = {
      node: node as unknown as ProducerNode<never>,
      options: options as ProducerOptions<never>,
      advertised: discovery.advertise({ kind: 'stream', id, name }),
      handles: new Set(),
    };
    this.#produced.set(id, produced);
    this.#evaluateConsumers(id);
    return produced;
  }

  async #release<In>(id: StreamId, produced: Produced, handle: ProducerHandle<In>): Promise<void> {
    produced.handles.delete(handle as unknown as ProducerHandle<never>);
    if (produced.handles.size > 0) return;
    this.#produced.delete(id);
    produced.advertised[Symbol.dispose]();
    await produced.node.close();
    this.#evaluateConsumers(id);
  }

  /** The catalog does not speak of this node itself. */
  #evaluateConsumers(id: StreamId): void {
    for (const node of this.#consumers.keys()) if (node.definition.id === id) node.evaluate();
  }

  async #open(peer: PeerId, options: WaitOptions): Promise<Link<Uint8Array>> {
    const { transport } = this.#options;
    if (peer !== transport.local.peerId) return transport.open(peer, streamProtocol, options);
    const { network } = transport.local;
    const { outbound, inbound } = createLoopback({
      peer,
      network,
      runtime: transport.runtime,
      protocol: streamProtocol,
    });
    if (!this.#scope.isClosing) this.#scope.spawn('loopback', () => this.#serve(inbound));
    return outbound;
  }

  #lookUp(peer: PeerId): PeerInfo | undefined {
    const { transport, discovery } = this.#options;
    return peer === transport.local.peerId ? this.#self() : discovery.catalog.get(peer);
  }

  #self(): PeerInfo {
    return peerInfo(this.#options.discovery.me, 0);
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('streams are closed');
  }
}

/** Whoever asks for a producer that is there already gets it as it is: other options would silently not hold. */
function requireSame(present: ProducerOptions<never>, asked: ProducerOptions<never>): void {
  for (const [name, value] of Object.entries(asked)) {
    if (value === undefined || present[name as keyof ProducerOptions<never>] === value) continue;
    throw new InvalidArgumentError(
      name,
      'the stream is produced here already, with another value of this option',
    );
  }
}
