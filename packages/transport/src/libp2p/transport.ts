import type { PeerInfo } from '@libp2p/interface';
import {
  ClosedError,
  createLog,
  createMetrics,
  createScope,
  createWatch,
  type ErrorHandler,
  type EventStream,
  type Metrics,
  type NetworkId,
  networkId,
  type PeerId,
  type Runtime,
  type Scope,
  systemRuntime,
  toError,
  type WaitOptions,
  type Watch,
  type WatchSource,
} from '@mosaik/primitives';
import { AcceptGate } from '../adapter/accept-gate.ts';
import { Keeper } from '../adapter/keeper.ts';
import type { Link } from '../link/link.ts';
import { type Protocol, protocolId } from '../protocol.ts';
import type {
  AcceptLimits,
  Address,
  Connection,
  LinkHandler,
  LocalPeer,
  Topic,
  Transport,
  TransportEvent,
} from '../transport.ts';
import { parseAddress } from './address.ts';
import { atMost } from './connection.ts';
import { Dialler } from './dialler.ts';
import { type Identity, identityOf, verifySignature } from './identity.ts';
import { Joins } from './joins.ts';
import { Links } from './links.ts';
import { livenessProtocol } from './liveness.ts';
import { Members } from './members.ts';
import { createNode, type Node } from './node.ts';
import { type Libp2pTransportOptions, type Limits, limitsOf } from './options.ts';
import { stopNode } from './stop.ts';
import { Topics } from './topics.ts';
import { Turns } from './turns.ts';

/** How long links have to say goodbye when their connection is closed. */
const GOODBYE_MS = 500;

const log = createLog('transport');

/**
 * Starts a transport over libp2p: TCP, Noise, Yamux, identify and gossipsub.
 *
 * @throws {InvalidArgumentError} when an option is out of range or an address is none.
 */
export async function createLibp2pTransport(options: Libp2pTransportOptions): Promise<Transport> {
  const limits = limitsOf(options);
  for (const address of [...(options.listen ?? []), ...(options.announce ?? [])]) parseAddress(address);
  const identity = await identityOf(options.secretKey);
  let transport: Libp2pTransport | undefined;
  const node = await createNode({
    options,
    limits,
    network: networkId(options.network),
    identity,
    onFound: (peer) => transport?.onFound(peer),
  });
  transport = new Libp2pTransport({ options, limits, identity, node });
  await transport.start();
  return transport;
}

interface Parts {
  readonly options: Libp2pTransportOptions;
  readonly limits: Limits;
  readonly identity: Identity;
  readonly node: Node;
}

class Libp2pTransport implements Transport {
  readonly local: LocalPeer;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly #node: Node;
  readonly #limits: Limits;
  readonly #onError: ErrorHandler;
  readonly #scope: Scope;
  readonly #addresses: WatchSource<readonly Address[]>;
  readonly #members: Members;
  readonly #joins: Joins;
  readonly #dialler: Dialler;
  readonly #links: Links;
  readonly #keeper: Keeper;
  readonly #topics: Topics;
  #closing: Promise<void> | undefined;

  constructor({ options, limits, identity, node }: Parts) {
    const network = networkId(options.network);
    const self = identity.peerId;
    this.runtime = options.runtime ?? systemRuntime;
    this.metrics = options.metrics ?? createMetrics();
    this.#node = node;
    this.#limits = limits;
    this.#onError =
      options.onError ?? ((error, where) => log.error('%s: %s', where, error.stack ?? error.message));
    const scope = createScope({ runtime: this.runtime, name: 'transport', onError: this.#onError });
    this.#scope = scope;
    this.#addresses = createWatch<readonly Address[]>([], { equals: sameItems });
    this.local = localPeer(identity, network, this.#addresses);
    const { dialTimeoutMs, silenceMs, streamWindowBytes } = limits;
    const liveness = protocolId(network, livenessProtocol);
    const onError = this.#reporter('stream');
    const turns = new Turns(this.runtime);
    const members = new Members({
      scope,
      self,
      protocolId: liveness,
      silenceMs,
      streamWindowBytes,
      turns,
      onError,
    });
    this.#members = members;
    const { metrics } = this;
    this.#joins = new Joins({
      node,
      members,
      scope,
      protocolId: liveness,
      timeoutMs: dialTimeoutMs,
      metrics,
    });
    this.#dialler = new Dialler({ node, members, joins: this.#joins, scope, self, dialTimeoutMs });
    this.#links = new Links({
      node,
      members,
      network,
      openTimeoutMs: dialTimeoutMs,
      runtime: this.runtime,
      metrics: this.metrics,
      onError: (thrown, where) => this.#report(thrown, where),
    });
    this.#keeper = this.#createKeeper(self);
    this.#topics = new Topics({
      gossip: node.services.gossip,
      network,
      runtime: this.runtime,
      metrics: this.metrics,
      onError: this.#reporter('topic'),
    });
  }

  #createKeeper(self: PeerId): Keeper {
    const { events, connections } = this.#members;
    return new Keeper({
      scope: this.#scope,
      runtime: this.runtime,
      self,
      connections,
      dialTimeoutMs: this.#limits.dialTimeoutMs,
      dial: async (peer, signal) => void (await this.#dialler.dial(peer, signal)),
      onFailed: (peer, attempt, error) =>
        events.emit({ type: 'dialFailed', peer, attempt, reason: error.message }),
    });
  }

  get connections(): Watch<ReadonlyMap<PeerId, Connection>> {
    return this.#members.connections;
  }

  get events(): EventStream<TransportEvent> {
    return this.#members.events;
  }

  async start(): Promise<void> {
    await this.#joins.start();
    const readAddresses = (): void => {
      // libp2p goes on telling of itself while it stops.
      if (this.#isClosing) return;
      this.#addresses.set(this.#node.getMultiaddrs().map((address) => address.toString()));
    };
    this.#node.addEventListener('self:peer:update', readAddresses);
    this.#node.addEventListener('transport:listening', readAddresses);
    try {
      await this.#node.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    readAddresses();
  }

  onFound(peer: PeerInfo): void {
    if (!this.#isClosing) this.#dialler.onFound(peer);
  }

  async connect(address: Address, options: WaitOptions = {}): Promise<PeerId> {
    this.#requireOpen();
    return this.#dialler.connect(address, options);
  }

  async disconnect(peer: PeerId): Promise<void> {
    await atMost(this.runtime, GOODBYE_MS, this.#links.close(peer, 'the connection is closing'));
    await this.#members.disconnect(peer);
  }

  setAddresses(peer: PeerId, addresses: readonly Address[]): void {
    this.#dialler.addresses.tell(peer, addresses);
  }

  keep(peer: PeerId): Disposable {
    this.#requireOpen();
    return this.#keeper.keep(peer);
  }

  async open<M>(peer: PeerId, protocol: Protocol<M>, options: WaitOptions = {}): Promise<Link<M>> {
    this.#requireOpen();
    const raw = this.#members.connectionTo(peer) ?? (await this.#dialler.dial(peer, options.signal));
    return this.#links.open(raw, protocol, options.signal);
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
    return this.#topics.get(name);
  }

  verify(peer: PeerId, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return verifySignature(peer, data, signature);
  }

  rtt(peer: PeerId): number | undefined {
    return this.#members.rtt(peer);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await atMost(this.runtime, GOODBYE_MS, this.#links.close(undefined, 'the node is closing'));
    await this.#members.close();
    await this.#scope.close();
    await stopNode(this.#node);
    this.#addresses.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #reporter(where: string): (thrown: unknown) => void {
    return (thrown) => this.#report(thrown, where);
  }

  #report(thrown: unknown, where: string): void {
    this.metrics.counter('mosaik.transport.errors').add(1, { where });
    this.#onError(toError(thrown), `transport/${where}`);
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  #requireOpen(): void {
    if (this.#isClosing) throw new ClosedError('the transport is closed');
  }
}

function localPeer(
  { peerId, sign }: Identity,
  network: NetworkId,
  addresses: Watch<readonly Address[]>,
): LocalPeer {
  return { peerId, network, addresses, sign: async (data) => sign(data) };
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
