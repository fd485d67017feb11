import { DecodeError, type GroupId, type PeerId, toError } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { GroupCode } from '../codes.ts';
import { Allowance } from './allowance.ts';
import type { BondEnd, BondedGroup } from './bond.ts';
import type { CarrierHost } from './carrier-host.ts';
import { type BondMessage, decodeBondMessage, encodeBondMessage } from './codec.ts';
import { Handshake } from './handshake.ts';
import type { BondRole } from './proof.ts';
import { Pulse } from './pulse.ts';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';

/** Joins of groups that this node is no member of, that a peer may try within {@link FORGIVE_MS}. */
const REFUSALS_MAX = 64;
const FORGIVE_MS = 60_000;

const BEAT = encodeBondMessage({ kind: 'beat' });

/**
 * One link to a peer, for all groups that both are members of. Both sides greet each other with nonces; then each group
 * is joined by itself, by a proof from either side.
 *
 *     opened ─ hello both ways ─▶ greeted ─ lane attached ─▶ up ─▶ ended
 *
 * Invariant: a group's session is bonded only while this side has sent its own proof, has verified the other's, and the
 * lane is attached.
 */
export class Carrier {
  readonly peer: PeerId;
  readonly role: BondRole;
  readonly openedAtMs: number;
  readonly link: Link<Uint8Array>;
  readonly sessions: Sessions;
  readonly #host: CarrierHost;
  readonly #handshake: Handshake;
  /** What the other side was told last of this node's entry. */
  #toldEntry: Uint8Array | undefined;
  #lane: Link<Uint8Array> | undefined;
  #isEnded = false;
  #hasBonded = false;
  readonly #pulse: Pulse;
  #idleSinceMs: number;
  readonly #refusals: Allowance;

  constructor(host: CarrierHost, link: Link<Uint8Array>) {
    const { runtime } = host.scope;
    this.#host = host;
    this.link = link;
    this.peer = link.peer;
    this.role = link.direction === 'outbound' ? 'dialler' : 'acceptor';
    const { self, instance } = host;
    this.#handshake = new Handshake({ runtime, self, instance, peer: this.peer, role: this.role });
    this.openedAtMs = runtime.now();
    this.#pulse = new Pulse({
      runtime,
      settings: host.settings,
      lookEveryMs: host.tickMs,
      sentMessages: () => link.stats.sentMessages,
      beat: () => void this.#sendControl(BEAT),
    });
    this.#idleSinceMs = this.openedAtMs;
    this.#refusals = new Allowance({ max: REFUSALS_MAX, withinMs: FORGIVE_MS, nowMs: this.openedAtMs });
    this.sessions = new Sessions({
      carrier: this,
      runtime,
      onBonded: () => {
        this.#hasBonded = true;
      },
      send: (frame) => this.#sendControl(frame),
      sendBulk: (frame) => this.#sendOn(this.#lane, frame),
    });
  }

  get isGreeted(): boolean {
    return this.#handshake.isGreeted;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get lane(): Link<Uint8Array> | undefined {
    return this.#lane;
  }

  /** The token that the other side asked for on its lane; known once it has greeted. */
  get laneToken(): Uint8Array | undefined {
    return this.#handshake.laneToken;
  }

  /** Whether the peer at the other end is the same life of the same node. */
  isSameInstance(other: Carrier): boolean {
    return this.#handshake.isSameInstance(other.#handshake);
  }

  start(): void {
    this.#tell(this.#handshake.hello);
    this.#host.scope.spawn('bond', () => this.#read(this.link, (bytes) => this.#onFrame(bytes)));
  }

  /** Whether a lane that shows this token belongs to this carrier. */
  ownsLane(token: Uint8Array): boolean {
    return this.role === 'acceptor' && this.#lane === undefined && this.#handshake.isOwnToken(token);
  }

  attachLane(lane: Link<Uint8Array>): void {
    if (this.#isEnded || this.#lane !== undefined) {
      void lane.close();
      return;
    }
    this.#lane = lane;
    this.#host.scope.spawn('lane', () => this.#read(lane, (bytes) => this.#onLaneFrame(bytes)));
    for (const session of this.sessions.all) session.establish();
  }

  /** Offers the proof of a group, unless it was offered. */
  join(group: BondedGroup): void {
    if (!this.isGreeted || this.#isEnded) return;
    const session = this.sessions.of(group);
    if (session.isOffered) return;
    session.isOffered = true;
    const proof = this.#handshake.proofFor(group);
    const channel = this.#host.channelOf(group);
    this.#tell({ kind: 'join', channel, group: group.id, proof, status: group.status() });
    this.tellEntry();
    session.establish();
  }

  /** This node leaves the group. */
  leave(group: GroupId, reason: string): void {
    if (this.sessions.get(group) === undefined) return;
    this.#tell({ kind: 'leave', group });
    this.sessions.end(group, { kind: 'closed', code: 0, reason });
  }

  /** This node does not want a bond with the peer in this group any more. */
  refuse(group: GroupId, code: number, reason: string): void {
    this.#host.count(code);
    this.#tell({ kind: 'refuse', group, code, reason });
    this.sessions.end(group, { kind: 'refused', code, reason });
    this.#host.onRefused(this, group, code, reason);
  }

  tellStatus(group: BondedGroup): void {
    const session = this.sessions.get(group.id);
    if (session?.isOffered !== true) return;
    this.#tell({ kind: 'status', channel: this.#host.channelOf(group), status: group.status() });
  }

  /** Tells what this node says of itself in discovery, unless the other side was told; only to whom a proof was shown. */
  tellEntry(): void {
    const { entry } = this.#host;
    if (entry === this.#toldEntry || this.#isEnded || !this.sessions.areOffered) return;
    this.#toldEntry = entry;
    this.#tell({ kind: 'entry', signed: entry });
  }

  /** Sees to what time brings: beats, silence, handshakes that stall. */
  tick(nowMs: number): void {
    const { handshakeTimeoutMs, beatTimeoutMs } = this.#host.settings;
    if (this.#isEnded) return;
    if (this.#pulse.takeSilence(nowMs)) this.#tellOfSilence();
    if (this.#pulse.silentMs > beatTimeoutMs && this.isGreeted) {
      this.fail(GroupCode.Timeout, 'the peer fell silent');
    } else if (this.#lane === undefined && nowMs - this.openedAtMs > handshakeTimeoutMs) {
      this.fail(GroupCode.Timeout, 'the handshake stalled');
    } else if (nowMs - this.#idleSince(nowMs) > handshakeTimeoutMs) {
      this.#endIdle();
    } else {
      this.#pulse.tick(nowMs);
    }
  }

  /** How long nothing has come of the peer, in ms. */
  get silentMs(): number {
    return this.#pulse.silentMs;
  }

  /** This process stood still: what came meanwhile has not been read, and nobody is silent for it. */
  forgiveSilence(): void {
    this.#pulse.heard();
  }

  /** Ends the carrier because of what the other side did, or did not do. */
  fail(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#host.count(code);
    this.close(code, reason);
  }

  /** Ends the carrier and all its bonds. */
  close(code: number, reason: string): void {
    if (this.#isEnded) return;
    void this.link.close(code, reason);
    void this.#lane?.close(code, reason);
    this.#finish({ kind: code === 0 ? 'closed' : 'refused', code, reason });
  }

  #idleSince(nowMs: number): number {
    if (this.sessions.areBonded) this.#idleSinceMs = nowMs;
    return this.#idleSinceMs;
  }

  /** No group is bonded for long: a peer that never proved anything has stalled, with any other it is just over. */
  #endIdle(): void {
    if (this.#hasBonded) this.close(0, 'no group in common');
    else this.fail(GroupCode.Timeout, 'no group was joined');
  }

  #tellOfSilence(): void {
    for (const { bond, group } of this.sessions.all) if (bond !== undefined) group.onSilent(bond);
  }

  async #read(link: Link<Uint8Array>, onFrame: (bytes: Uint8Array) => void): Promise<void> {
    try {
      for await (const batch of link.batches()) {
        this.#pulse.heard();
        for (const bytes of batch) {
          if (this.#isEnded) return;
          onFrame(bytes);
        }
      }
    } catch (thrown) {
      if (this.#isEnded) return;
      if (thrown instanceof DecodeError) {
        this.fail(GroupCode.Malformed, thrown.message);
        return;
      }
      if (link.end === undefined) throw toError(thrown);
    }
    this.#onLinkEnded(link);
  }

  #onLinkEnded(link: Link<Uint8Array>): void {
    if (this.#isEnded) return;
    const other = link === this.link ? this.#lane : this.link;
    void other?.close();
    const { end } = link;
    if (end?.kind === 'closed') this.#finish({ kind: 'refused', code: end.code, reason: end.reason });
    else this.#finish({ kind: 'lost', code: 0, reason: end?.reason ?? 'the link has ended' });
  }

  #finish(end: BondEnd): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.sessions.endAll(end);
    this.#host.onEnded(this);
  }

  #onLaneFrame(bytes: Uint8Array): void {
    const message = decodeBondMessage(bytes);
    if (message.kind !== 'message') throw new DecodeError('schema', `a ${message.kind} on a lane`);
    this.sessions.onChannel(message.channel)?.receive(message.payload);
  }

  #onFrame(bytes: Uint8Array): void {
    const message = decodeBondMessage(bytes);
    if (message.kind === 'hello') this.#onHello(message);
    else if (!this.isGreeted) throw new DecodeError('schema', `a ${message.kind} before the hello`);
    else this.#onMessage(message);
  }

  #onMessage(message: Exclude<BondMessage, { kind: 'hello' }>): void {
    switch (message.kind) {
      case 'message':
        this.sessions.onChannel(message.channel)?.receive(message.payload);
        break;
      case 'beat':
        break;
      case 'join':
        this.#onJoin(message);
        break;
      case 'status':
        this.sessions.onChannel(message.channel)?.told(message.status);
        break;
      case 'entry':
        this.#onEntry(message.signed);
        break;
      case 'leave':
        this.sessions.end(message.group, { kind: 'left', code: 0, reason: 'the member has left' });
        break;
      case 'refuse':
        this.#onRefuse(message);
        break;
    }
  }

  #onHello(hello: BondMessage & { kind: 'hello' }): void {
    this.#handshake.greeted(hello);
    this.#host.onGreeted(this);
  }

  /** What a peer says that has proven nothing, or not any more, is not looked at. */
  #onEntry(signed: Uint8Array): void {
    if (this.sessions.areProven) this.#host.onEntry(this, signed);
  }

  #onJoin({ channel, group: id, proof, status }: BondMessage & { kind: 'join' }): void {
    const group = this.#host.group(id);
    if (group === undefined) {
      this.#refuseUnknown(id);
      return;
    }
    if (!this.#handshake.isProven(group, proof)) {
      this.fail(GroupCode.WrongProof, 'the proof of the group key is wrong');
      return;
    }
    const session = this.sessions.proven(group, channel);
    session.told(status);
    this.review(session);
  }

  /** Goes on with a group that the other side has proven to be in, as far as what is known of the peer allows. */
  review(session: Session): void {
    if (session.theirChannel === undefined) return;
    const isAllowed = this.#host.allows(session.group, this.peer);
    if (isAllowed === false) this.refuse(session.group.id, GroupCode.NotAllowed, 'not accepted here');
    else if (isAllowed === true) {
      this.join(session.group);
      session.establish();
    }
  }

  #refuseUnknown(group: GroupId): void {
    if (this.#refusals.take(this.#host.scope.runtime.now()))
      this.refuse(group, GroupCode.GroupNotFound, 'no member of this group');
    else this.fail(GroupCode.TooMany, 'too many groups that are not here');
  }

  #onRefuse({ group, code, reason }: BondMessage & { kind: 'refuse' }): void {
    this.sessions.end(group, { kind: 'refused', code, reason });
    this.#host.onRefused(this, group, code, reason);
  }

  #tell(message: BondMessage): void {
    if (!this.#sendControl(encodeBondMessage(message)) && !this.#isEnded)
      this.fail(GroupCode.TooMany, 'the peer does not read');
  }

  #sendControl(frame: Uint8Array): boolean {
    return this.#sendOn(this.link, frame);
  }

  #sendOn(link: Link<Uint8Array> | undefined, frame: Uint8Array): boolean {
    if (link === undefined || link.end !== undefined || this.#isEnded) return false;
    return link.trySendEncoded(frame);
  }
}
