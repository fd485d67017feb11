import {
  ClosedError,
  createEventStream,
  createMetrics,
  createScope,
  createWatch,
  type EventSource,
  type Metrics,
  type NetworkId,
  networkId,
  type PeerId,
  type Runtime,
  type Scope,
  shortId,
  sleep,
  toError,
  type WaitOptions,
  type WatchSource,
} from '@mosaik/primitives';
import {
  type AcceptLimits,
  type Address,
  type Connection,
  type DisconnectReason,
  type Link,
  type LinkHandler,
  type LocalPeer,
  PeerUnreachableError,
  type Protocol,
  type Topic,
  type Transport,
  type TransportEvent,
} from '@mosaik/transport';
import { AcceptGate, Keeper } from '@mosaik/transport/link';
import { EventKind } from '../clock/event-kind.ts';
import { formatAddress, parseAddress } from '../network/address.ts';
import type { ConnectionSide } from '../network/connection.ts';
import { dial } from '../network/dial.ts';
import type { GossipFrame, OpenRequest } from '../network/endpoint.ts';
import type { Listener, Machine } from '../network/machine.ts';
import type { Network } from '../network/network.ts';
import type { Process } from '../world/process.ts';
import { Gossip, type GossipStats } from './gossip.ts';
import type { SimIdentities } from './identity.ts';
import { SimLinks } from './links.ts';
import { DEFAULT_DIAL_TIMEOUT_MS, DEFAULT_SILENCE_MS, type SimTransportOptions } from './options.ts';

/** How long the links have to say goodbye when the transport closes. */
const GOODBYE_MS = 500;

/** What a transport is made of, besides what its user says. */
export interface SimTransportContext {
  readonly process: Process;
  readonly machine: Machine;
  readonly port: number;
  readonly network: Network;
  readonly identities: SimIdentities;
  readonly gossip: GossipStats;
  readonly onClosed: () => void;
}

/** Options in which what has no fixed default is there. */
interface CompleteOptions extends Omit<SimTransportOptions, 'network' | 'secretKey' | 'onError'> {
  readonly network: NonNullable<SimTransportOptions['network']>;
  readonly secretKey: NonNullable<SimTransportOptions['secretKey']>;
  readonly onError: NonNullable<SimTransportOptions['onError']>;
}

/** What code of a dead process waits for: it never goes on. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** The transport of one simulated process. Once that is dead nothing called here has any effect. */
export class SimTransport implements Transport, Listener {
  readonly local: LocalPeer;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly connections: WatchSource<ReadonlyMap<PeerId, Connection>> = createWatch<
    ReadonlyMap<PeerId, Connection>
  >(new Map());
  readonly events: EventSource<TransportEvent> = createEventStream<TransportEvent>();
  readonly process: Process;
  readonly machine: Machine;
  readonly networkId: NetworkId;
  readonly address: Address;
  readonly silenceTimeoutMs: number;
  readonly #context: SimTransportContext;
  readonly #onError: (error: Error, where: string) => void;
  readonly #dialTimeoutMs: number;
  readonly #scope: Scope;
  readonly #addresses: WatchSource<readonly Address[]>;
  readonly #addressBook = new Map<PeerId, readonly Address[]>();
  readonly #sides = new Map<PeerId, ConnectionSide>();
  readonly #links: SimLinks;
  readonly #keeper: Keeper;
  readonly #gossip: Gossip;
  #closing: Promise<void> | undefined;

  constructor(context: SimTransportContext, options: CompleteOptions) {
    const { process, identities } = context;
    this.#context = context;
    this.process = process;
    this.machine = context.machine;
    this.runtime = process.runtime;
    this.metrics = options.metrics ?? createMetrics();
    this.networkId = networkId(options.network);
    this.silenceTimeoutMs = options.silenceMs ?? DEFAULT_SILENCE_MS;
    this.#dialTimeoutMs = options.dialTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS;
    this.#onError = options.onError;
    const peerId = identities.peerIdOf(options.secretKey);
    this.address = formatAddress({ host: context.machine.name, port: context.port, peer: peerId });
    this.#addresses = createWatch<readonly Address[]>([this.address]);
    this.local = {
      peerId,
      network: this.networkId,
      addresses: this.#addresses,
      sign: async (data) => identities.sign(peerId, data),
    };
    this.#scope = createScope({ runtime: this.runtime, name: 'transport', onError: options.onError });
    this.#links = new SimLinks({
      process,
      network: this.networkId,
      openTimeoutMs: this.#dialTimeoutMs,
      metrics: this.metrics,
      emit: (event) => this.events.emit(event),
      onError: (thrown, where) => this.#report(thrown, where),
    });
    this.#keeper = this.#createKeeper();
    this.#gossip = new Gossip({
      self: this,
      runtime: this.runtime,
      scope: this.#scope,
      stats: context.gossip,
      onError: (error) => this.#report(error, 'topic'),
    });
  }

  get peerId(): PeerId {
    return this.local.peerId;
  }

  get isOpen(): boolean {
    return this.#closing === undefined;
  }

  /** What is open and under way here, for whoever asks why a test does not end. */
  get activity(): readonly string[] {
    return [...this.#links.activity, ...this.#scope.running];
  }

  sideTo(peer: PeerId): ConnectionSide | undefined {
    return this.#sides.get(peer);
  }

  async connect(address: Address, options: WaitOptions = {}): Promise<PeerId> {
    this.#requireOpen();
    if (!this.process.isAlive) return never();
    const target = parseAddress(address);
    if (target.peer !== undefined && this.#sides.has(target.peer)) return target.peer;
    const side = await dial(this.#context.network, this, {
      address: target,
      text: address,
      timeoutMs: this.#dialTimeoutMs,
      signal: options.signal,
    });
    return side.peer;
  }

  async disconnect(peer: PeerId): Promise<void> {
    if (!this.process.isAlive) return never();
    if (!this.#sides.has(peer)) return;
    await this.#sayGoodbye(peer, 'the connection is closing');
    this.#hangUp(peer);
  }

  setAddresses(peer: PeerId, addresses: readonly Address[]): void {
    if (addresses.length === 0) this.#addressBook.delete(peer);
    else this.#addressBook.set(peer, addresses);
  }

  keep(peer: PeerId): Disposable {
    this.#requireOpen();
    return this.#keeper.keep(peer);
  }

  async open<M>(peer: PeerId, protocol: Protocol<M>, options: WaitOptions = {}): Promise<Link<M>> {
    this.#requireOpen();
    if (!this.process.isAlive) return never();
    const side = this.#sides.get(peer) ?? (await this.#dialPeer(peer, options.signal));
    return this.#links.open(side, protocol, options.signal);
  }

  links(): readonly Link<unknown>[] {
    return this.#links.all;
  }

  accept<M>(protocol: Protocol<M>, handler: LinkHandler<M>, limits?: AcceptLimits): Disposable {
    this.#requireOpen();
    return this.#links.accept({ protocol, handler, gate: new AcceptGate(this.runtime, limits) });
  }

  topic(name: string): Topic {
    this.#requireOpen();
    return this.#gossip.topic(name);
  }

  async verify(peer: PeerId, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return this.#context.identities.verify(peer, data, signature);
  }

  /** What a beat would measure on average; known one round trip after the connection was made. */
  rtt(peer: PeerId): number | undefined {
    const side = this.#sides.get(peer);
    if (side === undefined) return undefined;
    const paths = [side.route.path, side.other.route.path];
    const meanMs = paths.reduce((sum, path) => sum + path.latencyMs + path.jitterMs / 2, 0);
    return this.runtime.now() - side.openedAtMs >= meanMs ? meanMs : undefined;
  }

  /** Of a dead process, this resolves at once: there is nothing left to close. */
  async close(): Promise<void> {
    if (!this.process.isAlive) return;
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#context.onClosed();
    await this.#sayGoodbye(undefined, 'the node is closing');
    for (const peer of [...this.#sides.keys()]) this.#hangUp(peer);
    await this.#scope.close();
    this.connections.close();
    this.events.close();
    this.#addresses.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  connected(side: ConnectionSide): void {
    const { peer, direction, openedAtMs } = side;
    const { address } = side.other.endpoint;
    this.#sides.set(peer, side);
    this.process.scheduler.trace.event(this.process.scheduler.nowMs, this.process, EventKind.connected);
    this.#publish((live) => live.set(peer, { peer, direction, address, openedAtMs }));
    this.events.emit({ type: 'connected', peer, direction, address });
    this.#gossip.connected(side);
  }

  disconnected(side: ConnectionSide, reason: DisconnectReason): void {
    this.#context.network.forget(side.connection);
    if (this.#sides.get(side.peer) !== side) return;
    this.#sides.delete(side.peer);
    this.#links.lost(side);
    this.#gossip.disconnected(side);
    this.#publish((live) => live.delete(side.peer));
    this.events.emit({ type: 'disconnected', peer: side.peer, reason });
  }

  asked(side: ConnectionSide, request: OpenRequest): void {
    this.#links.asked(side, request);
  }

  heard(side: ConnectionSide, frame: GossipFrame): void {
    this.#gossip.heard(side, frame);
  }

  #createKeeper(): Keeper {
    return new Keeper({
      scope: this.#scope,
      runtime: this.runtime,
      self: this.peerId,
      connections: this.connections,
      dialTimeoutMs: this.#dialTimeoutMs,
      dial: async (peer, signal) => void (await this.#dialPeer(peer, signal)),
      onFailed: (peer, attempt, error) =>
        this.events.emit({ type: 'dialFailed', peer, attempt, reason: error.message }),
    });
  }

  /** Tries the known addresses one after the other; what the last one failed with is what is told. */
  async #dialPeer(peer: PeerId, signal: AbortSignal | undefined): Promise<ConnectionSide> {
    const addresses = this.#addressBook.get(peer) ?? [];
    let cause: unknown;
    for (const text of addresses) {
      const address = { ...parseAddress(text), peer };
      try {
        return await dial(this.#context.network, this, {
          address,
          text,
          timeoutMs: this.#dialTimeoutMs,
          signal,
        });
      } catch (error) {
        if (!(error instanceof PeerUnreachableError)) throw error;
        cause = error.cause;
      }
    }
    throw new PeerUnreachableError(shortId(peer), addresses, { cause });
  }

  /** Closes links, but does not wait for a peer that does not answer. */
  async #sayGoodbye(peer: PeerId | undefined, reason: string): Promise<void> {
    const patience = new AbortController();
    const limit = sleep(this.runtime, GOODBYE_MS, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([this.#links.close(peer, reason), limit]);
    patience.abort();
  }

  #hangUp(peer: PeerId): void {
    const side = this.#sides.get(peer);
    side?.sendEnd('closed');
    side?.finish('closed');
  }

  #publish(change: (live: Map<PeerId, Connection>) => void): void {
    const live = new Map(this.connections.value);
    change(live);
    this.connections.set(live);
  }

  #report(thrown: unknown, where: string): void {
    this.metrics.counter('mosaik.transport.errors').add(1, { where });
    this.#onError(toError(thrown), `transport/${where}`);
  }

  #requireOpen(): void {
    if (!this.isOpen) throw new ClosedError('the transport is closed');
  }
}
