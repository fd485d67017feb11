import type { Connection as Libp2pConnection, PeerInfo, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
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
  sleep,
  shortId,
  systemRuntime,
  toError,
  type WaitOptions,
  type Watch,
  type WatchSource,
} from '@mosaik/primitives';
import { AcceptGate } from '../adapter/accept-gate.ts';
import { Keeper } from '../adapter/keeper.ts';
import { CloseCode } from '../codes.ts';
import { PeerUnreachableError, ProtocolUnsupportedError, WrongPeerError } from '../errors.ts';
import { createLink } from '../link/create-link.ts';
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
import { streamChannel } from './channel.ts';
import { fromLibp2pPeerId, type Identity, identityOf, toLibp2pPeerId, verifySignature } from './identity.ts';
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
  readonly #keeper: Keeper;
  readonly #topics: Topics;
  readonly #accepted = new Set<string>();
  readonly #links = new Set<Link<unknown>>();

  constructor(options: Libp2pTransportOptions, limits: Limits, identity: Identity, node: Node) {
    const network = networkId(options.network);
    this.runtime = options.runtime ?? systemRuntime;
    this.metrics = options.metrics ?? createMetrics();
    this.#node = node;
    this.#onError = options.onError ?? ((error, where) => log.error('%s: %s', where, error.stack ?? error.message));
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
      if (this.#scope.isClosing) return;
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
        if (cause.name === 'UnsupportedProtocolError') throw new ProtocolUnsupportedError(peer, id, { cause });
        throw new PeerUnreachableError(shortId(peer), [raw.remoteAddr.toString()], { cause });
      });
    return this.#link(peer, protocol, stream, raw);
  }

  accept<M>(protocol: Protocol<M>, handler: LinkHandler<M>, limits?: AcceptLimits): Disposable {
    this.#requireOpen();
    const id = protocolId(this.local.network, protocol);
    if (this.#accepted.has(id)) throw new InvalidArgumentError('protocol', `${protocol.name} is accepted already`);
    this.#accepted.add(id);
    const gate = new AcceptGate(this.runtime, limits);
    const onStream = (stream: Stream, raw: Libp2pConnection): void => this.#onStream({ protocol, handler, gate }, stream, raw);
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

  async close(): Promise<void> {
    if (this.#scope.isClosing) return this.#scope.close();
    const goodbyes = [...this.#links].map((link) => link.close(CloseCode.ShuttingDown, 'the node is closing'));
    const peers = [...this.connections.value.keys()];
    const patience = new AbortController();
    await Promise.race([
      Promise.all(goodbyes).then(() => Promise.all(peers.map((peer) => this.disconnect(peer)))),
      sleep(this.runtime, GOODBYE_MS, { signal: patience.signal }),
    ]);
    patience.abort();
    await this.#scope.close();
    await this.#node.stop();
    this.#members.connections.close();
    this.#members.events.close();
    this.#addresses.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onStream<M>(
    accepted: { readonly protocol: Protocol<M>; readonly handler: LinkHandler<M>; readonly gate: AcceptGate },
    stream: Stream,
    raw: Libp2pConnection,
  ): void {
    const peer = this.#members.peerOf(raw);
    const link = this.#link(peer, accepted.protocol, stream, raw, 'inbound');
    const leave = accepted.gate.enter(peer);
    if (leave === undefined) {
      this.#refuse(link, accepted.protocol.name);
      return;
    }
    void link.ended.then(leave);
    void this.#handle(link, accepted.handler);
  }

  #refuse(link: Link<unknown>, protocolName: string): void {
    const code = CloseCode.TooMany;
    this.metrics.counter('mosaik.link.refused').add(1, { protocol: protocolName, code });
    this.#members.events.emit({ type: 'refused', peer: link.peer, protocol: protocolName, code });
    void link.close(code, 'too many links');
  }

  async #handle<M>(link: Link<M>, handler: LinkHandler<M>): Promise<void> {
    try {
      await handler(link);
    } catch (thrown) {
      this.#report(thrown, 'link handler');
      await link.close(CloseCode.InternalError, toError(thrown).message);
    }
  }

  #link<M>(
    peer: PeerId,
    protocol: Protocol<M>,
    stream: Stream,
    raw: Libp2pConnection,
    direction: 'inbound' | 'outbound' = 'outbound',
  ): Link<M> {
    const link = createLink({
      peer,
      protocol,
      protocolId: stream.protocol,
      direction,
      runtime: this.runtime,
      channel: streamChannel(stream, {
        connectionEnd: () => this.#members.endOf(raw),
        onError: (error) => this.#report(error, 'stream'),
      }),
    });
    this.#links.add(link);
    void link.ended.then((end) => {
      this.#links.delete(link);
      const code = 'code' in end ? end.code : 0;
      this.metrics.counter('mosaik.link.ended').add(1, { protocol: protocol.name, kind: end.kind, code });
    });
    return link;
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
    if (peer === undefined || peer === this.local.peerId || addresses.length === 0 || this.#scope.isClosing) return;
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

  #requireOpen(): void {
    if (this.#scope.isClosing) throw new ClosedError('the transport is closed');
  }
}

function parseAddress(address: Address): ReturnType<typeof multiaddr> {
  try {
    return multiaddr(address);
  } catch (cause) {
    throw new InvalidArgumentError('address', `a multiaddr like /ip4/10.0.0.1/tcp/4000, not "${address}"`, { cause });
  }
}

/** The address with the peer's name at its end, so that a dial reaches this peer or fails. */
function nameAddress(address: Address, peer: PeerId): Address {
  return address.includes('/p2p/') ? address : `${address}/p2p/${toLibp2pPeerId(peer).toString()}`;
}

function dialError(who: string, addresses: readonly Address[], cause: Error): Error {
  const isOther = messagesOf(cause).some((message) => message.includes('does not match expected remote identity key'));
  return isOther ? new WrongPeerError(who, { cause }) : new PeerUnreachableError(who, addresses, { cause });
}

function messagesOf(error: Error): string[] {
  const inner = error instanceof AggregateError ? error.errors.filter((one) => one instanceof Error) : [];
  return [error.message, ...inner.flatMap(messagesOf)];
}

function signalOption(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
