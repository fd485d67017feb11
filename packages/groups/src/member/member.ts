import type { PeerInfo } from '@mosaik/discovery';
import {
  createLog,
  DecodeError,
  type GroupId,
  type PeerId,
  type Runtime,
  shortId,
  toError,
} from '@mosaik/primitives';
import type { Bond, BondEnd, BondedGroup, GroupBonds } from '../bonds/bond.ts';
import type { CommandSession } from '../client/session.ts';
import { GroupCode } from '../codes.ts';
import type { Reads } from '../driver/reads.ts';
import type { ApplyObserver } from '../machine/applier.ts';
import type { StateMachine } from '../machine/machine.ts';
import { type ConsensusSettings, ticksOf } from '../options.ts';
import type { Leadership } from '../raft/raft.ts';
import type { LogIndex, MemberId } from '../raft/types.ts';
import type { GroupMessage } from '../wire/messages.ts';
import { accepts } from './accepts.ts';
import { createApplyObserver, createStateHashes, type Divergence } from './apply-observer.ts';
import { createReads, createSession } from './asking.ts';
import { Changes } from './changes.ts';
import { Damage } from './damage.ts';
import { Dated } from './dated.ts';
import { createHistories, type Histories } from './histories.ts';
import { Farewell, untilOut } from './leaving.ts';
import type { Life, LifeHost, Works } from './life.ts';
import { openLife } from './open-life.ts';
import type { MemberOptions, MemberState } from './options.ts';
import { Peers } from './peers.ts';
import { createQuiescence, type Quiescence } from './quiescence.ts';
import type { Reverted } from './reverted.ts';
import { createRouter, type Router } from './router.ts';
import { SecondTries, standSoon } from './stand-soon.ts';
import type { StateHashes } from './state-hashes.ts';
import { statusOf } from './status.ts';

const log = createLog('groups:member');

/** How often a member looks after who votes, what was sent and not answered, and other histories. */
const CARE_MS = 100;
/** What a leader has not heard of, such as a silent voter, it notices this many cares later at most. */
const CARES_PER_REVIEW = 5;

/**
 * A node's membership in a group: the worker behind the handle. It alone changes what is in it; what others do reaches it
 * through bonds, time through `tick`, and it tells by `changes` that something is different.
 */
export class Member implements BondedGroup, LifeHost {
  readonly id: GroupId;
  readonly proofKey: Uint8Array;
  readonly isSelective: boolean;
  readonly options: MemberOptions;
  readonly runtime: Runtime;
  readonly settings: ConsensusSettings;
  readonly machine: StateMachine<unknown, unknown, unknown, unknown>;
  readonly peers: Peers = new Peers();
  readonly changes: Changes = new Changes();
  readonly session: CommandSession;
  readonly reads: Reads;
  /** Histories that this member was of and that lost, the newest last. */
  readonly reversions: Reverted[] = [];
  readonly applyObserver: ApplyObserver<unknown>;
  readonly standing: Dated<MemberState>;
  /** Who leads, as far as this member knows. */
  readonly leading: Dated<MemberId | undefined>;
  failure: Error | undefined;
  /** How often leadership changed, as seen from here. */
  leaderChanges = 0;
  /** A state hash of another member differs from the own one, at this index. */
  divergence: Divergence | undefined;
  readonly damage: Damage = new Damage(this);
  #life: Life | undefined;
  #ticks = 0;
  #cares = 0;
  #isUnsettled = true;
  readonly #ticksPerCare: number;
  readonly #secondTries = new SecondTries(this);
  #bonds: GroupBonds | undefined;
  #farewell: Farewell | undefined;
  readonly histories: Histories;
  readonly quiescence: Quiescence;
  readonly #hashes: StateHashes;
  readonly #router: Router;
  readonly #malformed: { add(value: number): void };

  constructor(options: MemberOptions) {
    this.options = options;
    this.id = options.id;
    this.proofKey = options.proofKey;
    this.isSelective = options.acceptIf !== undefined;
    this.settings = options.settings;
    this.machine = options.machine;
    this.runtime = options.scope.runtime;
    this.standing = new Dated<MemberState>(this.runtime, 'opening');
    this.leading = new Dated<MemberId | undefined>(this.runtime, undefined);
    this.#ticksPerCare = ticksOf(options.settings, CARE_MS);
    this.#malformed = options.metrics.counter('mosaik.groups.messages.refused').with({});
    this.session = createSession(this, (records) => this.#router.offer(records));
    this.reads = createReads(this);
    this.quiescence = createQuiescence(this);
    this.#router = createRouter(this, {
      onMalformed: () => this.#malformed.add(1),
      onStateHash: (from, index, hash) => this.#hashes.others(from, index, hash),
    });
    this.histories = createHistories(this, {
      changed: () => {
        this.#bonds?.statusChanged();
        this.changed();
      },
      reopen: () => this.#open(),
    });
    this.#hashes = createStateHashes(this);
    this.applyObserver = createApplyObserver(this, { hashes: this.#hashes, farewell: () => this.#farewell });
  }

  get rules(): MemberOptions['rules'] {
    return this.options.rules;
  }

  get watchCore(): MemberOptions['watchCore'] {
    return this.options.watchCore;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  get bonds(): GroupBonds | undefined {
    return this.#bonds;
  }

  get leader(): MemberId | undefined {
    return this.leading.value;
  }

  get state(): MemberState {
    return this.standing.value;
  }

  get isLeader(): boolean {
    return this.leader !== undefined && this.leader === this.#life?.member;
  }

  /** Commands can be sent: somebody leads, and is bonded or this member itself. */
  get isOnline(): boolean {
    if (this.state !== 'running' || this.leader === undefined) return false;
    return this.isLeader || this.peers.of(this.leader) !== undefined;
  }

  /** Opens the log, and begins to bond. Where this throws, {@link Member.release} is to follow. */
  async start(): Promise<void> {
    await this.#open();
    if (this.failure !== undefined) throw this.failure;
    this.#bonds = this.options.bond(this);
    this.standing.value = 'running';
    this.changes.notify();
  }

  /** Lets go of what a member holds that could not be started. */
  async release(): Promise<void> {
    this.#bonds?.leave('the group was not joined');
    await this.#life?.close();
  }

  tick(): void {
    try {
      this.#tick();
    } catch (thrown) {
      this.onFailed(toError(thrown));
    }
  }

  #tick(): void {
    if (this.state !== 'running' && this.state !== 'leaving') return;
    const life = this.#life;
    if (life === undefined || this.histories.isReplacing) return;
    if (life.works === undefined) {
      this.histories.found(life);
      return;
    }
    this.#ticks++;
    const isCareDue = this.#ticks % this.#ticksPerCare === 0;
    // Before the tick, whose output would wake it again.
    if (isCareDue && this.quiescence.look()) return;
    life.works.replica.tick();
    if (isCareDue) this.#care(life, life.works);
  }

  onPauseOver(): void {
    this.quiescence.pauseOver();
  }

  /** What need not be looked at each tick; who votes, and other histories, only when something may have changed. */
  #care(life: Life, { manager }: Works): void {
    if (this.#router.takeRefusal()) this.session.restart();
    this.session.tick(this.runtime.now());
    this.reads.tick();
    this.#cares++;
    if (!this.#isUnsettled && this.#cares % CARES_PER_REVIEW !== 0) return;
    this.#isUnsettled = this.isLeader && manager.review();
    if (this.state === 'running') this.histories.consider(life);
  }

  /** Something has changed, for those who listen and for the next look at who votes. */
  changed(): void {
    this.quiescence.wake();
    this.#isUnsettled = true;
    this.changes.notify();
  }

  isLeaving(): boolean {
    return this.state === 'leaving';
  }

  status(): Uint8Array {
    return statusOf(this);
  }

  acceptIf(peer: PeerInfo): boolean {
    return accepts(this.options.acceptIf, peer, (error) =>
      log.error('%s: acceptIf failed, and the peer is not accepted: %s', shortId(this.id), error.message),
    );
  }

  onBonded(bond: Bond): void {
    this.#told(bond);
  }

  onStatus(bond: Bond): void {
    this.#told(bond);
  }

  onFault(error: Error): void {
    this.onFailed(error);
  }

  onEnded(bond: Bond, { kind }: BondEnd): void {
    const gone = this.peers.ended(bond, this.runtime.now());
    if (gone !== undefined) this.#unreachable(gone.status.member);
    const isGone = kind === 'lost' || kind === 'left';
    if (isGone && gone !== undefined && gone.status.member === this.leader)
      standSoon(this, gone.status.member);
    this.changed();
  }

  onRefused(peer: PeerId, code: number, reason: string): void {
    log('%s: no bond with %s: %s (%d)', shortId(this.id), shortId(peer), reason, code);
  }

  onSilent(bond: Bond): void {
    this.quiescence.silent(bond);
  }

  onMessage(bond: Bond, payload: Uint8Array): void {
    this.#router.deliver(bond, payload);
  }

  send(to: MemberId, message: GroupMessage): boolean {
    return this.#router.send(to, message);
  }

  beforeOutput(): void {
    this.quiescence.wake();
    this.reads.flush();
  }

  onLeadership(leadership: Leadership): void {
    const { leader } = leadership;
    this.#secondTries.onLeadership(leadership);
    if (leader !== this.leader) this.#leaderChanged(leader);
    this.changed();
  }

  onConfiguration(): void {
    this.changed();
  }

  onApplied(index: LogIndex): void {
    if (this.damage.isMadeUpBy(index)) {
      // Outcomes may have been passed over, as with any snapshot.
      this.session.restored();
      this.changed();
    }
    if (this.changes.hasListeners) this.changes.notify();
  }

  onRestored(): void {
    // A snapshot from before this member's session would tell that there is none.
    if (this.damage.loss === undefined) this.session.restored();
  }

  onReads(contexts: readonly number[]): void {
    this.reads.confirmed(contexts);
  }

  onRefusedReads(contexts: readonly number[]): void {
    this.reads.refused(contexts);
  }

  onEstablished(): void {
    this.#bonds?.statusChanged();
  }

  onFailed(error: Error): void {
    if (this.state === 'failed' || this.state === 'closed') return;
    this.#life?.works?.replica.stop();
    this.leading.value = undefined;
    if (this.damage.discard(error)) {
      this.changed();
      return;
    }
    log.error('%s: the member has failed: %s', shortId(this.id), error.stack ?? error.message);
    this.failure = error;
    this.standing.value = 'failed';
    this.#bonds?.leave('the member has failed');
    this.changed();
  }

  /** A strong read has begun: it is asked for at the end of this turn. */
  askReads(): void {
    this.#life?.works?.replica.poke();
  }

  /** Takes the member out of the group, as far as the others let it until `hurry` fires, and ends it. */
  async leave(hurry: AbortSignal): Promise<void> {
    const hasOthers = this.#life?.works !== undefined && this.peers.size > 0;
    if (this.state === 'running' && hasOthers && !hurry.aborted) {
      this.standing.value = 'leaving';
      this.#bonds?.statusChanged();
      this.changed();
      const offer = (record: Uint8Array): boolean => this.#router.offer(record);
      this.#farewell = new Farewell({ runtime: this.runtime, offer, onHeard: () => this.changed() });
      await untilOut(this, this.#farewell, hurry);
    }
    const hasFailed = this.state === 'failed';
    if (!hasFailed) this.standing.value = 'closed';
    this.#bonds?.leave('leaving the group');
    await this.histories.idle();
    await this.#life?.close();
    this.changed();
  }

  #open(): Promise<void> {
    return openLife(this, (life) => {
      this.#life = life;
      this.leading.value = undefined;
      this.#hashes.clear();
      this.histories.begin();
    });
  }

  #told(bond: Bond): void {
    try {
      const { before, now } = this.peers.told(bond);
      if (before !== undefined && before.status.member !== now.status.member)
        this.#replaced(before.status.member);
      if (now.status.member === this.leader && before === undefined) this.session.restart();
    } catch (thrown) {
      if (!(thrown instanceof DecodeError)) throw thrown;
      this.#malformed.add(1);
      bond.end(GroupCode.Malformed, thrown.message);
      return;
    }
    const life = this.#life;
    if (life !== undefined && life.works === undefined && this.state === 'running')
      this.histories.found(life);
    this.changed();
  }

  /** Its node is another member now: it comes back no more. */
  #replaced(member: MemberId): void {
    this.#unreachable(member);
    if (member === this.leader) standSoon(this, member);
  }

  #unreachable(member: MemberId): void {
    this.#life?.works?.replica.reportUnreachable(member);
  }

  #leaderChanged(leader: MemberId | undefined): void {
    this.leading.value = leader;
    if (leader === undefined) return;
    this.leaderChanges++;
    log('%s: %s leads', shortId(this.id), leader);
    this.session.restart();
  }

  /** Whether a bonded member is of the same history. */
  isOurs(member: MemberId): boolean {
    const history = this.#life?.history?.id;
    return history !== undefined && this.peers.of(member)?.status.history?.id === history;
  }
}
