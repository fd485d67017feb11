import type { Connection as Libp2pConnection, Stream } from '@libp2p/interface';
import {
  ClosedError,
  createEventStream,
  createWatch,
  type EventSource,
  type PeerId,
  type Scope,
  type WatchSource,
} from '@mosaik/primitives';
import { CloseCode } from '../codes.ts';
import type { ChannelEnd } from '../link/channel.ts';
import { createLink } from '../link/create-link.ts';
import type { LinkEnd } from '../link/end.ts';
import type { Link } from '../link/link.ts';
import type { Priority } from '../protocol.ts';
import type { Connection, DisconnectReason, TransportEvent } from '../transport.ts';
import { type StreamContext, streamChannel } from './channel.ts';
import { atMost, closeConnection, dropConnection, peerOf } from './connection.ts';
import { type Beat, livenessProtocol, watchLiveness } from './liveness.ts';
import { createTraffic } from './traffic.ts';
import type { Turns } from './turns.ts';
import { Windows } from './windows.ts';

/** RFC 6298 §2: the weight of a new sample in the smoothed round trip. */
const RTT_ALPHA = 1 / 8;

/** How long a goodbye may take: the other side answers within a round trip, or is not there. */
const GOODBYE_MS = 500;

/** A connection whose other end has shown that it is of our network. */
interface Member {
  readonly connection: Connection;
  readonly raw: Libp2pConnection;
  readonly link: Link<Beat>;
  readonly scope: Scope;
  /** Smoothed. */
  rttMs: number | undefined;
  shortestRttMs: number | undefined;
  reason: DisconnectReason | undefined;
}

/** What the streams of a connection share. */
type Shared = Pick<StreamContext, 'windows' | 'traffic'>;

interface MembersOptions {
  readonly scope: Scope;
  readonly self: PeerId;
  readonly protocolId: string;
  readonly silenceMs: number;
  readonly streamWindowBytes: number;
  readonly turns: Turns;
  readonly onError: (error: unknown) => void;
}

/**
 * The connections to peers of our network. A connection counts from when its liveness link stands until that link or
 * the connection ends.
 */
export class Members {
  readonly connections: WatchSource<ReadonlyMap<PeerId, Connection>> = createWatch<
    ReadonlyMap<PeerId, Connection>
  >(new Map());
  readonly events: EventSource<TransportEvent> = createEventStream<TransportEvent>();
  readonly #options: MembersOptions;
  readonly #members = new Map<string, Member>();
  readonly #silent = new WeakSet<Libp2pConnection>();
  readonly #shared = new WeakMap<Libp2pConnection, Shared>();
  #isClosing = false;
  #isClosed = false;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  has(raw: Libp2pConnection): boolean {
    return this.#members.has(raw.id);
  }

  /** The connection to use for a peer. */
  connectionTo(peer: PeerId): Libp2pConnection | undefined {
    return this.#preferred(peer)?.raw;
  }

  rtt(peer: PeerId): number | undefined {
    return this.#preferred(peer)?.rttMs;
  }

  /** What a stream of a connection, negotiated in either direction, has to know of it. */
  contextOf(raw: Libp2pConnection, priority: Priority): StreamContext {
    const { onError, turns } = this.#options;
    return { priority, turns, onError, connectionEnd: () => this.#endOf(raw), ...this.#sharedOf(raw) };
  }

  #sharedOf(raw: Libp2pConnection): Shared {
    const known = this.#shared.get(raw);
    if (known !== undefined) return known;
    const { scope, streamWindowBytes } = this.#options;
    const rttMs = (): number | undefined => this.#members.get(raw.id)?.shortestRttMs;
    const windows = new Windows({ runtime: scope.runtime, streamWindowBytes, rttMs });
    const shared: Shared = { windows, traffic: createTraffic() };
    this.#shared.set(raw, shared);
    return shared;
  }

  #endOf(raw: Libp2pConnection): Extract<ChannelEnd, { reason: string }> {
    return this.#silent.has(raw)
      ? { kind: 'silent', reason: `nothing heard for ${this.#options.silenceMs} ms` }
      : { kind: 'lost', reason: 'the connection ended without a goodbye' };
  }

  /** Takes in a connection with the stream of its liveness link, negotiated in either direction. */
  add(raw: Libp2pConnection, stream: Stream): PeerId {
    if (this.#isClosing) throw new ClosedError('the transport is closing');
    const { scope, silenceMs } = this.#options;
    const peer = peerOf(raw);
    const member: Member = {
      scope: scope.child('member'),
      connection: {
        peer,
        direction: raw.direction,
        address: raw.remoteAddr.toString(),
        openedAtMs: scope.runtime.now(),
      },
      raw,
      link: this.#livenessLink(raw, peer, stream),
      rttMs: undefined,
      shortestRttMs: undefined,
      reason: undefined,
    };
    this.#members.set(raw.id, member);
    const { traffic } = this.#sharedOf(raw);
    watchLiveness(
      { scope: member.scope, link: member.link, silenceMs, traffic },
      {
        rtt: (rttMs) => {
          member.shortestRttMs = Math.min(rttMs, member.shortestRttMs ?? rttMs);
          member.rttMs =
            member.rttMs === undefined ? rttMs : member.rttMs + RTT_ALPHA * (rttMs - member.rttMs);
        },
        silent: () => this.#declareSilent(member),
        ended: (end) => this.#onGoodbye(member, end),
      },
    );
    this.#publish(peer);
    return peer;
  }

  #livenessLink(raw: Libp2pConnection, peer: PeerId, stream: Stream): Link<Beat> {
    const { priority } = livenessProtocol;
    return createLink({
      peer,
      protocol: livenessProtocol,
      protocolId: this.#options.protocolId,
      direction: raw.direction,
      runtime: this.#options.scope.runtime,
      // Its own frames are not counted: they are what the others may stand for.
      channel: streamChannel(stream, { ...this.contextOf(raw, priority), traffic: createTraffic() }),
    });
  }

  /** libp2p tells that a connection is gone. */
  onClose(raw: Libp2pConnection): void {
    const member = this.#members.get(raw.id);
    // A turn later: a goodbye that came in the same read is seen first.
    if (member) this.#options.scope.runtime.yieldTo(() => this.#leave(member, 'lost'));
  }

  /** Says goodbye on every connection to a peer and closes it. */
  async disconnect(peer: PeerId): Promise<void> {
    const own = [...this.#members.values()].filter((member) => member.connection.peer === peer);
    await Promise.all(own.map((member) => this.#part(member)));
  }

  /** Parts with everybody; no connection counts any more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#members.values()].map((member) => this.#part(member)));
    this.#isClosed = true;
    this.connections.close();
    this.events.close();
  }

  async #part(member: Member): Promise<void> {
    member.reason ??= 'closed';
    await atMost(this.#options.scope.runtime, GOODBYE_MS, member.link.close(CloseCode.Done, 'goodbye'));
    await closeConnection(member.raw);
    this.#leave(member, 'closed');
  }

  #declareSilent(member: Member): void {
    this.#silent.add(member.raw);
    member.reason ??= 'silent';
    dropConnection(member.raw, 'the peer is silent');
  }

  /** The liveness link has ended while the connection still stands. */
  #onGoodbye(member: Member, end: LinkEnd): void {
    // Our own goodbye has to get through first: who says it closes the connection after it.
    if (end.kind === 'closed' && end.by === 'local') return;
    member.reason ??= reasonOf(end);
    if (!member.scope.isClosing) member.scope.spawn('close', () => closeConnection(member.raw));
  }

  #leave(member: Member, reason: DisconnectReason): void {
    if (this.#isClosed || !this.#members.delete(member.raw.id)) return;
    member.reason ??= reasonOf(member.link.end) ?? reason;
    this.#publish(member.connection.peer, member.reason);
    const { scope } = this.#options;
    if (!scope.isClosing) scope.spawn('leave', () => member.scope.close());
  }

  /** Of two connections that crossed, both sides use the one that the smaller id dialled. */
  #preferred(peer: PeerId): Member | undefined {
    const dialler = this.#options.self < peer ? 'outbound' : 'inbound';
    let preferred: Member | undefined;
    for (const member of this.#members.values()) {
      if (member.connection.peer !== peer) continue;
      if (preferred === undefined || member.connection.direction === dialler) preferred = member;
    }
    return preferred;
  }

  /** Brings the watch up to date with what is known of `peer`, and tells of the change. */
  #publish(peer: PeerId, reason: DisconnectReason = 'lost'): void {
    const connection = this.#preferred(peer)?.connection;
    const known = this.connections.value.get(peer);
    if (known === connection) return;
    const next = new Map(this.connections.value);
    if (connection) next.set(peer, connection);
    else next.delete(peer);
    this.connections.set(next);
    if (connection === undefined) this.events.emit({ type: 'disconnected', peer, reason });
    else if (known === undefined) {
      const { direction, address } = connection;
      this.events.emit({ type: 'connected', peer, direction, address });
    }
  }
}

/** Why a connection is over, as far as the end of its liveness link tells: a violation of it makes us close. */
function reasonOf(end: LinkEnd | undefined): DisconnectReason | undefined {
  if (end?.kind === 'closed' || end?.kind === 'violation') return 'closed';
  return end?.kind === 'silent' ? 'silent' : undefined;
}
