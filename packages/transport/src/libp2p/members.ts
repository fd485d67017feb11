import type { Connection as Libp2pConnection, Stream } from '@libp2p/interface';
import {
  createEventStream,
  createWatch,
  type EventSource,
  type PeerId,
  type Scope,
  type WatchSource,
  withTimeout,
} from '@mosaik/primitives';
import { ProtocolUnsupportedError } from '../errors.ts';
import type { ChannelEnd } from '../link/channel.ts';
import { createLink } from '../link/create-link.ts';
import type { LinkEnd } from '../link/end.ts';
import type { Link } from '../link/link.ts';
import type { Connection, DisconnectReason, TransportEvent } from '../transport.ts';
import { streamChannel } from './channel.ts';
import { fromLibp2pPeerId } from './identity.ts';
import { type Beat, livenessProtocol, watchLiveness } from './liveness.ts';
import type { Node } from './node.ts';

/** RFC 6298 §2: the weight of a new sample in the smoothed round trip. */
const RTT_ALPHA = 1 / 8;

/** A connection whose other end has shown that it is of our network. */
interface Member extends Connection {
  readonly raw: Libp2pConnection;
  readonly scope: Scope;
  rttMs: number | undefined;
  reason: DisconnectReason | undefined;
}

interface MembersOptions {
  readonly node: Node;
  readonly scope: Scope;
  readonly self: PeerId;
  readonly protocolId: string;
  readonly silenceMs: number;
  readonly joinTimeoutMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * The connections to peers of our network. A connection counts from when its liveness link stands (opened by the side
 * that dialled) until that link or the connection ends; a peer of another network cannot open one, and is dropped.
 */
export class Members {
  readonly connections: WatchSource<ReadonlyMap<PeerId, Connection>> = createWatch<
    ReadonlyMap<PeerId, Connection>
  >(new Map());
  readonly events: EventSource<TransportEvent> = createEventStream<TransportEvent>();
  readonly #options: MembersOptions;
  readonly #members = new Map<string, Member>();
  readonly #joining = new Map<string, Promise<Member>>();
  readonly #silent = new WeakSet<Libp2pConnection>();

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { node, protocolId } = this.#options;
    node.addEventListener('connection:open', (event) => this.#onOpen(event.detail));
    node.addEventListener('connection:close', (event) => this.#onClose(event.detail));
    await node.handle(protocolId, (stream, connection) => this.#onInbound(stream, connection), {
      maxInboundStreams: 1,
      runOnLimitedConnection: true,
    });
  }

  /** Resolves when the connection belongs to a member; rejects when its other end is none. */
  async joined(raw: Libp2pConnection): Promise<PeerId> {
    const member = this.#members.get(raw.id) ?? (await this.#join(raw));
    return member.peer;
  }

  /** The connection to use for a peer. */
  connectionTo(peer: PeerId): Libp2pConnection | undefined {
    return this.#preferred(peer)?.raw;
  }

  rtt(peer: PeerId): number | undefined {
    return this.#preferred(peer)?.rttMs;
  }

  /** What a stream should report when its connection went away under it. */
  endOf(raw: Libp2pConnection): Extract<ChannelEnd, { reason: string }> {
    return this.#silent.has(raw)
      ? { kind: 'silent', reason: `nothing heard for ${this.#options.silenceMs} ms` }
      : { kind: 'lost', reason: 'the connection ended without a goodbye' };
  }

  /** Says goodbye on every connection to a peer and closes it. */
  async disconnect(peer: PeerId): Promise<void> {
    const own = [...this.#members.values()].filter((member) => member.peer === peer);
    await Promise.all(own.map((member) => this.#leave(member, 'closed')));
    await Promise.all(own.map((member) => member.raw.close()));
  }

  #onOpen(raw: Libp2pConnection): void {
    if (raw.direction === 'outbound') this.#joinInBackground(raw);
    else this.#expectJoin(raw);
  }

  /** Who connects must show within the time of a dial that it is of our network. */
  #expectJoin(raw: Libp2pConnection): void {
    this.#options.scope.after(this.#options.joinTimeoutMs, () => {
      if (!this.#members.has(raw.id) && raw.status === 'open')
        raw.abort(new Error('not a member of this network'));
    });
  }

  #joinInBackground(raw: Libp2pConnection): void {
    this.#join(raw).catch(() => {
      // Whoever dialled is told; here it only matters that the connection does not stay.
      if (raw.status === 'open') raw.abort(new Error('not a member of this network'));
    });
  }

  #join(raw: Libp2pConnection): Promise<Member> {
    const running = this.#joining.get(raw.id);
    if (running !== undefined) return running;
    const joining = this.#openLiveness(raw).finally(() => this.#joining.delete(raw.id));
    this.#joining.set(raw.id, joining);
    return joining;
  }

  async #openLiveness(raw: Libp2pConnection): Promise<Member> {
    const { protocolId, scope, joinTimeoutMs } = this.#options;
    const peer = this.peerOf(raw);
    const options = { what: 'joining', timeoutMs: joinTimeoutMs, signal: scope.signal };
    const stream = await withTimeout(scope.runtime, options, (signal) =>
      raw.newStream(protocolId, { signal, runOnLimitedConnection: true }),
    ).catch((cause: Error) => {
      if (cause.name !== 'UnsupportedProtocolError') throw cause;
      throw new ProtocolUnsupportedError(peer, protocolId, { cause });
    });
    return this.#add(raw, peer, stream);
  }

  #onInbound(stream: Stream, raw: Libp2pConnection): void {
    try {
      this.#add(raw, this.peerOf(raw), stream);
    } catch (error) {
      stream.abort(error as Error);
    }
  }

  /** Our id of whoever is at the other end. */
  peerOf(raw: Libp2pConnection): PeerId {
    const peer = fromLibp2pPeerId(raw.remotePeer);
    if (peer === undefined) throw new Error('a peer without an Ed25519 key');
    return peer;
  }

  #add(raw: Libp2pConnection, peer: PeerId, stream: Stream): Member {
    const { scope, protocolId, silenceMs } = this.#options;
    const member: Member = {
      peer,
      direction: raw.direction,
      address: raw.remoteAddr.toString(),
      openedAtMs: scope.runtime.now(),
      raw,
      scope: scope.child('member'),
      rttMs: undefined,
      reason: undefined,
    };
    const link: Link<Beat> = createLink({
      peer,
      protocol: livenessProtocol,
      protocolId,
      direction: raw.direction,
      runtime: scope.runtime,
      channel: streamChannel(stream, {
        connectionEnd: () => this.endOf(raw),
        onError: this.#options.onError,
      }),
    });
    this.#members.set(raw.id, member);
    watchLiveness(member.scope, link, silenceMs, {
      rtt: (rttMs) => {
        member.rttMs = member.rttMs === undefined ? rttMs : member.rttMs + RTT_ALPHA * (rttMs - member.rttMs);
      },
      silent: () => this.#declareSilent(member),
      ended: (end) => this.#onGoodbye(member, end),
    });
    this.#publish(peer);
    return member;
  }

  #declareSilent(member: Member): void {
    this.#silent.add(member.raw);
    member.reason = 'silent';
    member.raw.abort(new Error('the peer is silent'));
  }

  /** The other side's liveness link has ended while the connection still stands. */
  #onGoodbye(member: Member, end: LinkEnd): void {
    if (end.kind === 'closed') member.reason ??= 'closed';
    if (member.raw.status === 'open') member.raw.close().catch((error: Error) => member.raw.abort(error));
  }

  #onClose(raw: Libp2pConnection): void {
    const member = this.#members.get(raw.id);
    // A turn later: a goodbye that came in the same read is seen first.
    if (member) this.#options.scope.runtime.yieldTo(() => void this.#leave(member, 'lost'));
  }

  async #leave(member: Member, reason: DisconnectReason): Promise<void> {
    if (!this.#members.delete(member.raw.id)) return;
    member.reason ??= reason;
    await member.scope.close();
    this.#publish(member.peer, member.reason);
  }

  /** Of two connections that crossed, both sides use the one that the smaller id dialled. */
  #preferred(peer: PeerId): Member | undefined {
    const dialler = this.#options.self < peer ? 'outbound' : 'inbound';
    let preferred: Member | undefined;
    for (const member of this.#members.values()) {
      if (member.peer !== peer) continue;
      if (preferred === undefined || member.direction === dialler) preferred = member;
    }
    return preferred;
  }

  /** Brings the watch up to date with what is known of `peer`, and tells of the change. */
  #publish(peer: PeerId, reason: DisconnectReason = 'lost'): void {
    const member = this.#preferred(peer);
    const known = this.connections.value.get(peer);
    if (known === member) return;
    const next = new Map(this.connections.value);
    if (member) next.set(peer, member);
    else next.delete(peer);
    this.connections.set(next);
    if (member === undefined) this.events.emit({ type: 'disconnected', peer, reason });
    else if (known === undefined) {
      this.events.emit({ type: 'connected', peer, direction: member.direction, address: member.address });
    }
  }
}
