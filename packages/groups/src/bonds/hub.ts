import type { Catalog, Discovery, PeerInfo } from '@mosaik/discovery';
import {
  ClosedError,
  type GroupId,
  invariant,
  jitter,
  type Metrics,
  type PeerId,
  type Scope,
  shortId,
  type Timer,
} from '@mosaik/primitives';
import type { Link, Transport } from '@mosaik/transport';
import { GroupCode } from '../codes.ts';
import type { Bond, BondedGroup, GroupBonds } from './bond.ts';
import { Carrier } from './carrier.ts';
import type { CarrierHost } from './carrier-host.ts';
import { Carriers } from './carriers.ts';
import { INSTANCE_BYTES } from './codec.ts';
import { Dials } from './dials.ts';
import { Entries } from './entries.ts';
import { Lanes } from './lanes.ts';
import { type BondOptions, type BondSettings, bondSettings } from './options.ts';
import { Pins } from './pins.ts';
import { bondProtocol } from './protocol.ts';
import { watched } from './watched.ts';

/** Ticks in a beat interval: how late a beat, or the notice of silence, may be. */
const TICKS_PER_BEAT = 2;
/** Joins that were refused are tried again so often; everything else is looked at when it changes. */
const TICKS_PER_REVIEW = 8;
/** Changes of the catalog within this time are looked at together. */
const REVIEW_AFTER_MS = 10;
/** Links that one peer may have open or under way: one in force, one that replaces it, and some that are refused. */
const LINKS_PER_PEER_MAX = 8;

interface HubOptions {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly options?: BondOptions | undefined;
}

interface Member {
  readonly group: BondedGroup;
  readonly channel: number;
  readonly bonds: Map<PeerId, Bond>;
  /** When a join that was refused may be tried again. */
  readonly refusedUntilMs: Map<PeerId, number>;
}

/** The bonds of a node: one carrier to each peer that is in a group with it, found through the catalog. */
export class BondHub implements CarrierHost {
  readonly scope: Scope;
  readonly settings: BondSettings;
  readonly tickMs: number;
  readonly self: PeerId;
  readonly instance: Uint8Array;
  readonly #transport: Transport;
  readonly #discovery: Discovery;
  readonly #dials: Dials;
  readonly #entries: Entries;
  readonly #lanes: Lanes;
  readonly #members = new Map<GroupId, Member>();
  readonly #carriers: Carriers;
  readonly #pins: Pins;
  readonly #refused: ReturnType<Metrics['counter']>;
  #lastChannel = 0;
  #ticks = 0;
  /** Somebody that there should be a carrier to is missing. */
  #isIncomplete = false;
  #isReviewDue = false;
  #tickedAtMs: number;
  /** Runs while there is something to look after: a node may have groups at hand and be in none. */
  #ticking: Timer | undefined;

  constructor({ scope, transport, discovery, options }: HubOptions) {
    this.scope = scope;
    this.settings = bondSettings(options);
    this.tickMs = this.settings.beatIntervalMs / TICKS_PER_BEAT;
    this.self = transport.local.peerId;
    this.instance = transport.runtime.randomBytes(INSTANCE_BYTES);
    this.#transport = transport;
    this.#discovery = discovery;
    this.#refused = transport.metrics.counter('mosaik.groups.bonds.refused');
    this.#tickedAtMs = transport.runtime.now();
    const { settings } = this;
    this.#carriers = new Carriers({ self: this.self, peersMax: settings.maxPeers });
    this.#pins = new Pins(discovery);
    this.#entries = new Entries(scope, discovery);
    this.#dials = new Dials({ scope, transport, settings, onLink: (link) => this.#onDialled(link) });
    this.#lanes = new Lanes({
      scope,
      transport,
      timeoutMs: settings.handshakeTimeoutMs,
      linksPerPeerMax: LINKS_PER_PEER_MAX,
      find: (peer, token) => this.#carriers.ofLane(peer, token),
      count: (code) => this.count(code),
    });
  }

  start(): void {
    const accepted = this.#transport.accept(bondProtocol, (link) => this.#onAccepted(link), {
      maxLinks: LINKS_PER_PEER_MAX,
    });
    this.#lanes.start();
    const unwatch = this.#discovery.watch().subscribe(() => {
      if (!this.#isIdle) this.#reviewSoon();
    });
    this.scope.onClose(() => {
      accepted[Symbol.dispose]();
      unwatch();
      this.#pins.clear();
    });
  }

  get #isIdle(): boolean {
    return this.#members.size === 0 && this.#carriers.areNone;
  }

  /**
   * Bonds with the other members of a group from now on.
   *
   * @throws {ClosedError} when this node is in the group already.
   */
  join(group: BondedGroup): GroupBonds {
    if (this.#members.has(group.id)) throw new ClosedError(`group ${shortId(group.id)} was joined already`);
    const channel = ++this.#lastChannel;
    const bonds = new Map<PeerId, Bond>();
    const seen = watched(group, bonds, (peer) => this.#dials.succeeded(peer));
    const member: Member = { group: seen, channel, bonds, refusedUntilMs: new Map() };
    this.#members.set(group.id, member);
    this.#keepTicking();
    this.#reviewSoon();
    return {
      group: group.id,
      channel,
      bonds,
      statusChanged: () => {
        for (const carrier of this.#carriers.inForce) carrier.tellStatus(member.group);
      },
      leave: (reason) => this.#leave(member, reason),
    };
  }

  /** Ends all carriers, each with a goodbye. */
  close(reason: string): void {
    for (const carrier of this.#carriers.all) carrier.close(0, reason);
  }

  // What carriers ask for.

  group(id: GroupId): BondedGroup | undefined {
    return this.#members.get(id)?.group;
  }

  channelOf(group: BondedGroup): number {
    const member = this.#members.get(group.id);
    invariant(member !== undefined, 'a bond speaks of a group that this node is not in');
    return member.channel;
  }

  allows(group: BondedGroup, peer: PeerId): boolean | undefined {
    if (!group.isSelective) return true;
    const info = this.#discovery.catalog.get(peer);
    return info === undefined ? undefined : group.acceptIf(info);
  }

  onGreeted(carrier: Carrier): void {
    if (!this.#carriers.greeted(carrier)) return;
    if (carrier.role === 'dialler') this.#lanes.open(carrier);
    this.#reviewPeer(carrier);
  }

  onRefused(carrier: Carrier, group: GroupId, code: number, reason: string): void {
    const member = this.#members.get(group);
    if (member === undefined) return;
    // Who is refused on its own account is tried again by nobody: only so many are remembered.
    if (member.refusedUntilMs.size >= this.settings.maxPeers) member.refusedUntilMs.clear();
    const retryMs = jitter(this.scope.runtime, this.settings.retryMaxMs / 2, 0.5);
    member.refusedUntilMs.set(carrier.peer, this.scope.runtime.now() + retryMs);
    member.group.onRefused(carrier.peer, code, reason);
  }

  onEnded(carrier: Carrier): void {
    this.#carriers.ended(carrier);
    this.#reviewSoon();
  }

  get entry(): Uint8Array {
    return this.#entries.own;
  }

  onEntry(carrier: Carrier, signed: Uint8Array): void {
    this.#entries.take(carrier, signed);
  }

  count(code: number): void {
    this.#refused.add(1, { code });
  }

  // Links.

  #onDialled(link: Link<Uint8Array>): void {
    if (this.scope.isClosing) link.abort('closing');
    else this.#begin(new Carrier(this, link));
  }

  #onAccepted(link: Link<Uint8Array>): void {
    if (this.scope.isClosing) {
      link.abort('closing');
    } else if (this.#carriers.handshakesOfOthers >= this.settings.maxHandshakes) {
      this.count(GroupCode.TooMany);
      void link.close(GroupCode.TooMany, 'too many handshakes');
    } else {
      this.#begin(new Carrier(this, link));
    }
  }

  #begin(carrier: Carrier): void {
    this.#keepTicking();
    this.#carriers.begin(carrier);
  }

  // Who to be bonded with.

  #leave(member: Member, reason: string): void {
    const { id } = member.group;
    if (this.#members.get(id) !== member) return;
    for (const carrier of this.#carriers.inForce) carrier.leave(id, reason);
    this.#members.delete(id);
    this.#reviewSoon();
  }

  #reviewSoon(): void {
    if (this.#isReviewDue || this.scope.isClosing) return;
    this.#isReviewDue = true;
    this.scope.after(REVIEW_AFTER_MS, () => {
      this.#isReviewDue = false;
      this.#review();
    });
  }

  /** Looks at everybody: dials whom there is no carrier to, joins what is not joined, ends what is not allowed. */
  #review(): void {
    const nowMs = this.scope.runtime.now();
    const wanted = this.#wantedPeers(this.#discovery.catalog);
    const missing = [...wanted].filter((peer) => !this.#carriers.has(peer));
    for (const peer of missing) this.#dials.want(peer, nowMs);
    this.#isIncomplete = missing.length > 0;
    this.#dials.forget((peer) => wanted.has(peer));
    for (const carrier of this.#carriers.inForce) this.#reviewPeer(carrier);
    this.#pins.update(wanted, (peer) => this.#carriers.has(peer));
  }

  #wantedPeers(catalog: Catalog): Set<PeerId> {
    const wanted = new Set<PeerId>();
    if (this.#members.size === 0) return wanted;
    for (const peer of catalog) if (this.#groupsWith(peer).next().done === false) wanted.add(peer.peer);
    return wanted;
  }

  /** The groups that a peer says it is in, and may be in. */
  *#groupsWith(peer: PeerInfo): Generator<Member> {
    for (const id of peer.groups) {
      const member = this.#members.get(id);
      if (member !== undefined && (!member.group.isSelective || member.group.acceptIf(peer))) yield member;
    }
  }

  #reviewPeer(carrier: Carrier): void {
    const nowMs = this.scope.runtime.now();
    for (const session of carrier.sessions.all) {
      if (session.bond === undefined) carrier.review(session);
      else if (this.allows(session.group, carrier.peer) === false)
        carrier.refuse(session.group.id, GroupCode.NotAllowed, 'not accepted here any more');
    }
    const info = this.#discovery.catalog.get(carrier.peer);
    if (info === undefined) return;
    for (const { group, refusedUntilMs } of this.#groupsWith(info)) {
      if (nowMs < (refusedUntilMs.get(carrier.peer) ?? 0)) continue;
      refusedUntilMs.delete(carrier.peer);
      carrier.join(group);
    }
  }

  #keepTicking(): void {
    if (this.#ticking !== undefined) return;
    this.#tickedAtMs = this.scope.runtime.now();
    this.#ticking = this.scope.every(
      () => jitter(this.scope.runtime, this.tickMs),
      () => this.#tick(),
    );
  }

  #tick(): void {
    const nowMs = this.scope.runtime.now();
    const lateMs = nowMs - this.#tickedAtMs - this.tickMs;
    this.#tickedAtMs = nowMs;
    const carriers = this.#carriers.all;
    if (lateMs > this.settings.beatIntervalMs) for (const carrier of carriers) carrier.forgiveSilence();
    for (const carrier of carriers) carrier.tick(nowMs);
    this.#entries.tellIfChanged(this.#carriers.inForce);
    this.#ticks++;
    if (this.#isIncomplete || this.#ticks % TICKS_PER_REVIEW === 0) this.#review();
    if (!this.#isIdle) return;
    this.#ticking?.cancel();
    this.#ticking = undefined;
  }
}
