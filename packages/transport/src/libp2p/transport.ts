import type { Connection as Libp2pConnection, PeerInfo, Stream } from '@libp2p/interface';
import {
  abortable,
  ClosedError,
  createLog,
  createMetrics,
  createScope,
  createWatch,
  type ErrorHandler,
  type EventStream,
  InvalidArgumentError,
  type Metrics,
  networkId,
  type PeerId,
  type Runtime,
  type Scope,
  shortId,
  sleep,
  systemRuntime,
  toError,
  type WaitOptions,
  type Watch,
  type WatchSource,
} from '@mosaik/primitives';
import { AcceptGate } from '../adapter/accept-gate.ts';
import { Keeper } from '../adapter/keeper.ts';
import { CloseCode } from '../codes.ts';
import { PeerUnreachableError, ProtocolUnsupportedError } from '../errors.ts';
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
import { dialError, nameAddress, parseAddress } from './address.ts';
import { fromLibp2pPeerId, type Identity, identityOf, verifySignature } from './identity.ts';
import { Links } from './links.ts';
import { livenessProtocol } from './liveness.ts';
import { Members } from './members.ts';
import { MAX_STREAMS_PER_PROTOCOL, type Node, startNode } from './node.ts';
import { type Libp2pTransportOptions, type Limits, limitsOf } from './options.ts';
import { Topics } from './topics.ts';

/** How long the links have to say goodbye when the transport closes. */
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
  const node = await startNode(options, limits, networkId(options.network), identity);
  const transport = new Libp2pTransport(options, limits, identity, node);
  await transport.start();
  return transport;
}

class Libp2pTransport implements Transport {
  readonly local: LocalPeer;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly #node: Node;
  readonly #onError: ErrorHandler;
  readonly #scope: Scope;
  readonly #addresses: WatchSource<readonly Address[]>;
  readonly #addressBook = new Map<PeerId, readonly Address[]>();
  readonly #members: Members;
  readonly #links: Links;
  readonly #keeper: Keeper;
  readonly #topics: Topics;
  readonly #accepted = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(options: Libp2pTransportOptions, limits: Limits, identity: Identity, node: Node) {
    const network = networkId(options.network);
    this.runtime = options.runtime ?? systemRuntime;
    this.metrics = options.metrics ?? createMetrics();
    this.#node = node;
    this.#onError =
      options.onError ?? ((error, where) => log.error('%s: %s', where, error.stack ?? error.message));
    this.#scope = createScope({ runtime: this.runtime, name: 'transport', onError: this.#onError });
    this.#addresses = createWatch<readonly Address[]>([], { equals: sameItems });
    this.local = {
      peerId: identity.peerId,
      network,
      addresses: this.#addresses,
      sign: async (data) => identity.privateKey.sign(data),
    };
    this.#members = new Members({
      node,
      scope: this.#scope,
      self: identity.peerId,
      protocolId: protocolId(network, livenessProtocol),
      silenceMs: limits.silenceMs,
      joinTimeoutMs: limits.dialTimeoutMs,
      onError: (error) => this.#report(error, 'stream'),
    });
    this.#links = new Links({
      members: this.#members,
      runtime: this.runtime,
      metrics: this.metrics,
      onError: (thrown, where) => this.#report(thrown, where),
    });
    this.#keeper = new Keeper({
      scope: this.#scope,
      runtime: this.runtime,
      self: identity.peerId,
      connections: this.#members.connections,
      dialTimeoutMs: limits.dialTimeoutMs,
      dial: async (peer, signal) => void (await this.#dialPeer(peer, signal)),
      onFailed: (peer, attempt, error) =>
        this.#members.events.emit({ type: 'dialFailed', peer, attempt, reason: error.message }),
    });
    this.#topics = new Topics({
      gossip: node.services.gossip,
      network,
      runtime: this.runtime,
      metrics: this.metrics,
      onError: (error) => this.#report(error, 'topic'),
    });
  }

  get connections(): Watch<ReadonlyMap<PeerId, Connection>> {
    return this.#members.connections;
  }

  get events(): EventStream<TransportEvent> {
    return this.#members.events;
  }

  async start(): Promise<void> {
    await this.#members.start();
    const readAddresses = (): void => {
      // libp2p goes on telling of itself while it stops.
      if (this.#isClosing) return;
      this.#addresses.set(this.#node.getMultiaddrs().map((address) => address.toString()));
    };
    this.#node.addEventListener('self:peer:update', readAddresses);
    this.#node.addEventListener('transport:listening', readAddresses);
    this.#node.addEventListener('peer:discovery', (event) => this.#onDiscovered(event.detail));
    readAddresses();
  }

  async connect(address: Address, options: WaitOptions = {}): Promise<PeerId> {
    this.#requireOpen();
    const target = parseAddress(address);
    const raw = await this.#node.dial(target, signalOption(options.signal)).catch((cause: Error) => {
      throw dialError(address, [address], cause);
    });
    return abortable(this.#members.joined(raw), 'connecting', options);
  }

  disconnect(peer: PeerId): Promise<void> {
    return this.#members.disconnect(peer);
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
    const raw = this.#members.connectionTo(peer) ?? (await this.#dialPeer(peer, options.signal));
    const id = protocolId(this.local.network, protocol);
    const stream = await raw
      .newStream(id, {
        runOnLimitedConnection: true,
        maxOutboundStreams: MAX_STREAMS_PER_PROTOCOL,
        ...signalOption(options.signal),
      })
      .catch((cause: Error) => {
        if (cause.name === 'UnsupportedProtocolError')
          throw new ProtocolUnsupportedError(peer, id, { cause });
        throw new PeerUnreachableError(shortId(peer), [raw.remoteAddr.toString()], { cause });
      });
    return this.#links.wrap(peer, protocol, stream, raw);
  }

  accept<M>(protocol: Protocol<M>, handler: LinkHandler<M>, limits?: AcceptLimits): Disposable {
    this.#requireOpen();
    const id = protocolId(this.local.network, protocol);
    if (this.#accepted.has(id))
      throw new InvalidArgumentError('protocol', `${protocol.name} is accepted already`);
    this.#accepted.add(id);
    const accepted = { protocol, handler, gate: new AcceptGate(this.runtime, limits) };
    const onStream = (stream: Stream, raw: Libp2pConnection): void =>
      this.#links.serve(accepted, stream, raw);
    const streamOptions = {
      maxInboundStreams: MAX_STREAMS_PER_PROTOCOL,
      maxOutboundStreams: MAX_STREAMS_PER_PROTOCOL,
      runOnLimitedConnection: true,
    };
    this.#node.handle(id, onStream, streamOptions).catch((error) => this.#report(error, 'accept'));
    return {
      [Symbol.dispose]: () => {
        if (!this.#accepted.delete(id)) return;
        this.#node.unhandle(id).catch((error) => this.#report(error, 'accept'));
      },
    };
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
    const patience = new AbortController();
    const giveUp = sleep(this.runtime, GOODBYE_MS, { signal: patience.signal }).catch(() => {});
    await Promise.race([this.#sayGoodbye(), giveUp]);
    patience.abort();
    await this.#scope.close();
    await this.#node.stop();
    this.#members.connections.close();
    this.#members.events.close();
    this.#addresses.close();
  }

  async #sayGoodbye(): Promise<void> {
    await this.#links.closeAll(CloseCode.ShuttingDown, 'the node is closing');
    await Promise.all([...this.connections.value.keys()].map((peer) => this.disconnect(peer)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #dialPeer(peer: PeerId, signal: AbortSignal | undefined): Promise<Libp2pConnection> {
    const addresses = this.#addressBook.get(peer) ?? [];
    if (addresses.length === 0) throw new PeerUnreachableError(shortId(peer), []);
    const named = addresses.map((address) => nameAddress(address, peer));
    const raw = await this.#node.dial(named.map(parseAddress), signalOption(signal)).catch((cause: Error) => {
      throw dialError(shortId(peer), named, cause);
    });
    await abortable(this.#members.joined(raw), 'connecting', { signal });
    return raw;
  }

  /** A peer seen by mDNS is dialled, unless we are connected already; if that fails, it is seen again. */
  #onDiscovered(found: PeerInfo): void {
    const peer = fromLibp2pPeerId(found.id);
    const addresses = found.multiaddrs.map(String);
    if (peer === undefined || peer === this.local.peerId || addresses.length === 0 || this.#isClosing) return;
    if (!this.#addressBook.has(peer)) this.setAddresses(peer, addresses);
    this.#members.events.emit({ type: 'discovered', peer, addresses });
    if (this.connections.value.has(peer)) return;
    this.#scope.spawn('mdns dial', async (signal) => {
      await this.#dialPeer(peer, signal).catch((error: Error) => log('mdns: %s', error.message));
    });
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

function signalOption(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
