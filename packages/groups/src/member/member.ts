import type { PeerInfo } from '@mosaik/discovery';
import type { Metrics } from '@mosaik/primitives';
import {
  createLog,
  DecodeError,
  type GroupId,
  type PeerId,
  type Runtime,
  type Scope,
  shortId,
  toError,
} from '@mosaik/primitives';
import type { Bond, BondEnd, BondedGroup, GroupBonds } from '../bonds/bond.ts';
import { CommandSession } from '../client/session.ts';
import { GroupCode } from '../codes.ts';
import { Reads } from '../driver/reads.ts';
import { decideFounding, type FoundingDecision } from '../founding/plan.ts';
import { type Applier, type ApplyObserver, createApplier } from '../machine/applier.ts';
import { decodeRecords } from '../machine/commands.ts';
import type { StateMachine } from '../machine/machine.ts';
import type { ConsensusSettings } from '../options.ts';
import type { Leadership } from '../raft/raft.ts';
import type { LogIndex, MemberId } from '../raft/types.ts';
import { equalBytes } from '../storage/manifest.ts';
import type { Storage } from '../storage/storage.ts';
import { compareHistories, createHistory, type History } from '../wire/history.ts';
import { peerOf } from '../wire/member.ts';
import { decodeGroupMessage, encodeGroupMessage, type GroupMessage } from '../wire/messages.ts';
import { encodeStatus } from '../wire/status.ts';
import { Changes } from './changes.ts';
import { Life, type LifeHost } from './life.ts';
import { openLog } from './log-book.ts';
import { Peers } from './peers.ts';
import { type Reverted, readCommands } from './reverted.ts';

const log = createLog('groups:member');

/** A history of which nothing is known to be committed is given up for an established one after this. */
const UNESTABLISHED_PATIENCE_MS = 10_000;
/** Own state hashes that are kept, to be compared with those of others. */
const HASHES_KEPT = 16;

export interface MemberOptions {
  readonly id: GroupId;
  readonly proofKey: Uint8Array;
  readonly self: PeerId;
  readonly scope: Scope;
  readonly metrics: Metrics;
  readonly settings: ConsensusSettings;
  readonly machine: StateMachine<unknown, unknown, unknown, unknown>;
  readonly storage: Storage;
  readonly acceptIf: ((peer: PeerInfo) => boolean) | undefined;
  /** Begins to bond with the other members. */
  readonly bond: (group: BondedGroup) => GroupBonds;
  /** Whether the catalog names members that there is no bond with. */
  readonly isExpectingOthers: () => boolean;
}

export type MemberState = 'opening' | 'running' | 'leaving' | 'closed' | 'failed';

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
  state: MemberState = 'opening';
  failure: Error | undefined;
  /** What the member waits for while it has no history. */
  founding: FoundingDecision | undefined;
  /** How often leadership changed, as seen from here. */
  leaderChanges = 0;
  /** A state hash of another member differs from the own one, at this index. */
  divergence: { readonly index: LogIndex; readonly member: MemberId } | undefined;
  damagedLog: string | undefined;
  #life: Life | undefined;
  #bonds: GroupBonds | undefined;
  #startedAtMs = 0;
  #leader: MemberId | undefined;
  #isResendDue = false;
  #isReverting = false;
  readonly #hashes = new Map<LogIndex, Uint8Array>();
  readonly #malformed: { add(value: number): void };

  constructor(options: MemberOptions) {
    this.options = options;
    this.id = options.id;
    this.proofKey = options.proofKey;
    this.isSelective = options.acceptIf !== undefined;
    this.settings = options.settings;
    this.machine = options.machine;
    this.runtime = options.scope.runtime;
    this.#malformed = options.metrics.counter('mosaik.groups.messages.refused').with({});
    this.session = new CommandSession({
      runtime: this.runtime,
      offer: (record) => this.#offer(record),
      outcomeOf: (session, sequence) => this.#life?.works?.applier.outcomeOf(session, sequence),
      resendAfterMs: 2 * this.settings.electionTimeoutMs,
    });
    this.reads = new Reads({
      ask: (context) => this.#life?.works?.replica.requestRead(context) ?? NO_LEADER,
      now: () => this.runtime.now(),
      patienceMs: 2 * this.settings.electionTimeoutMs,
    });
    this.applyObserver = {
      opened: (nonce, session) => this.session.opened(nonce, session),
      wants: (session) => session === this.session.number,
      outcome: (session, sequence, outcome) => {
        if (session === this.session.number) this.session.outcome(sequence, outcome);
      },
      hashed: (index, hash) => this.#onHash(index, hash),
      fault: (index, error) => log.error('%s: entry %d: %s', shortId(this.id), index, error.message),
    };
  }

  get life(): Life | undefined {
    return this.#life;
  }

  get bonds(): GroupBonds | undefined {
    return this.#bonds;
  }

  /** Who leads, as far as this member knows. */
  get leader(): MemberId | undefined {
    return this.#leader;
  }

  get isLeader(): boolean {
    return this.#leader !== undefined && this.#leader === this.#life?.member;
  }

  /** Commands can be sent: somebody leads, and is bonded or this member itself. */
  get isOnline(): boolean {
    if (this.state !== 'running' || this.#leader === undefined) return false;
    return this.isLeader || this.peers.of(this.#leader) !== undefined;
  }

  async start(): Promise<void> {
    await this.#open();
    this.#bonds = this.options.bond(this);
    this.state = 'running';
    this.changes.notify();
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
    if (life === undefined || this.#isReverting) return;
    if (life.works === undefined) {
      this.#found(life);
      return;
    }
    life.works.replica.tick();
    if (this.isLeader) life.works.manager.tick();
    this.#considerReverting(life);
    if (this.#isResendDue) {
      this.#isResendDue = false;
      this.session.restart();
    }
    this.session.tick(this.runtime.now());
    this.reads.tick();
  }

  isLeaving(): boolean {
    return this.state === 'leaving';
  }

  // What bonds ask for and tell.

  status(): Uint8Array {
    const life = this.#life;
    if (life === undefined) return new Uint8Array(0);
    const { member, history, isEstablished, preference } = life;
    const founder = history !== undefined && !isEstablished ? this.#formingFounder : this.founding;
    return encodeStatus({
      member,
      history,
      isEstablished: history !== undefined && isEstablished,
      preference,
      isLeaving: this.isLeaving(),
      founder: founderOf(founder, member),
    });
  }

  #formingFounder: FoundingDecision | undefined;

  acceptIf(peer: PeerInfo): boolean {
    return this.options.acceptIf?.(peer) ?? true;
  }

  onBonded(bond: Bond): void {
    this.#told(bond);
  }

  onStatus(bond: Bond): void {
    this.#told(bond);
  }

  onEnded(bond: Bond, _: BondEnd): void {
    const gone = this.peers.ended(bond);
    if (gone !== undefined) this.#unreachable(gone.status.member);
    this.changes.notify();
  }

  onFault(error: Error): void {
    this.onFailed(error);
  }

  onRefused(peer: PeerId, code: number, reason: string): void {
    log('%s: no bond with %s: %s (%d)', shortId(this.id), shortId(peer), reason, code);
  }

  onMessage(bond: Bond, payload: Uint8Array): void {
    const from = this.peers.get(bond.peer)?.status.member;
    const to = this.#life?.member;
    if (from === undefined || to === undefined) return;
    try {
      const message = decodeGroupMessage(payload, { from, to });
      if (message !== undefined) this.#receive(from, message);
    } catch (thrown) {
      if (!(thrown instanceof DecodeError)) throw thrown;
      this.#malformed.add(1);
      bond.end(GroupCode.Malformed, thrown.message);
    }
  }

  // What the life asks for and tells.

  send(to: MemberId, message: GroupMessage): boolean {
    const peer = this.peers.of(to);
    const from = this.#life?.member;
    if (peer === undefined || from === undefined || this.#bonds === undefined) return false;
    const frame = encodeGroupMessage(this.#bonds.channel, { from, to }, message);
    return isBulky(message) ? peer.bond.sendBulk(frame) : peer.bond.send(frame);
  }

  beforeOutput(): void {
    this.reads.flush();
  }

  onLeadership({ leader }: Leadership): void {
    if (leader !== this.#leader) this.#leaderChanged(leader);
    this.changes.notify();
  }

  onConfiguration(): void {
    this.changes.notify();
  }

  onApplied(): void {
    if (this.changes.hasListeners) this.changes.notify();
  }

  onRestored(): void {
    this.session.restored();
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
    log.error('%s: the member has failed: %s', shortId(this.id), error.stack ?? error.message);
    this.failure = error;
    this.state = 'failed';
    this.#leader = undefined;
    this.#bonds?.leave('the member has failed');
    this.changes.notify();
  }

  /** What answers weak queries while there is no history. */
  emptyApplier(): Applier<unknown, unknown, unknown> {
    return createApplier({ machine: this.machine });
  }

  /** A strong read has begun: it is asked for at the end of this turn. */
  askReads(): void {
    this.#life?.works?.replica.poke();
  }

  // Leaving.

  /** Takes the member out of the group, as far as the others let it, and ends it. */
  async leave(): Promise<void> {
    if (this.state === 'running' && this.#life?.works !== undefined && this.peers.size > 0) {
      this.state = 'leaving';
      this.#bonds?.statusChanged();
      this.changes.notify();
      await this.#untilOut();
    }
    const hasFailed = this.state === 'failed';
    if (!hasFailed) this.state = 'closed';
    this.#bonds?.leave('leaving the group');
    await this.#life?.close();
    this.changes.notify();
  }

  async #untilOut(): Promise<void> {
    const isOut = this.changes.condition('out of the group', () => this.#isOut());
    const limit = new AbortController();
    const timer = this.runtime.setTimer(this.settings.leaveTimeoutMs, () => limit.abort());
    await isOut.wait({ signal: limit.signal }).catch(() => {});
    timer.cancel();
  }

  #isOut(): boolean {
    const life = this.#life;
    if (this.state !== 'leaving' || life?.works === undefined || this.peers.size === 0) return true;
    const { configuration, isCommitted } = life.works.replica.status.configuration;
    return isCommitted && !life.isLeader && !configuration.voters.includes(life.member);
  }

  // Inside.

  async #open(): Promise<void> {
    const { storage, id, self } = this.options;
    const opened = await openLog({ storage, group: id, peer: self, runtime: this.runtime });
    this.damagedLog ??= opened.damagedLog;
    this.#life = new Life(this, opened);
    this.#startedAtMs = this.runtime.now();
    await this.#life.recover();
  }

  #told(bond: Bond): void {
    try {
      const { before, now } = this.peers.told(bond);
      if (before !== undefined && before.status.member !== now.status.member)
        this.#unreachable(before.status.member);
      if (now.status.member === this.#leader && before === undefined) this.session.restart();
    } catch (thrown) {
      if (!(thrown instanceof DecodeError)) throw thrown;
      this.#malformed.add(1);
      bond.end(GroupCode.Malformed, thrown.message);
      return;
    }
    if (this.#life?.works === undefined && this.#life !== undefined && this.state === 'running')
      this.#found(this.#life);
    this.changes.notify();
  }

  #unreachable(member: MemberId): void {
    this.#life?.works?.replica.reportUnreachable(member);
  }

  #leaderChanged(leader: MemberId | undefined): void {
    this.#leader = leader;
    if (leader === undefined) return;
    this.leaderChanges++;
    log('%s: %s leads', shortId(this.id), leader);
    this.session.restart();
  }

  #isOurs(member: MemberId): boolean {
    const history = this.#life?.history?.id;
    return history !== undefined && this.peers.of(member)?.status.history?.id === history;
  }

  #receive(from: MemberId, message: GroupMessage): void {
    const works = this.#life?.works;
    if (works === undefined || !this.#isOurs(from)) return;
    switch (message.kind) {
      case 'raft':
        works.replica.step(message.message);
        break;
      case 'forward':
        this.#onForward(from, message.records);
        break;
      case 'forwardRefused':
        this.#isResendDue = true;
        break;
      case 'stateHash':
        this.#compare(from, message.index, message.hash);
        break;
      case 'range':
      case 'entries':
      case 'manifest':
      case 'chunk':
        works.puller.answered(message);
        break;
      default:
        this.#serve(from, message);
    }
  }

  #serve(from: MemberId, question: Parameters<NonNullable<Life['works']>['server']['answer']>[1]): void {
    const { scope } = this.options;
    const server = this.#life?.works?.server;
    if (server === undefined || scope.isClosing) return;
    scope.spawn('catch-up answer', async () => {
      // What cannot be read now is not answered: whoever asks looks elsewhere.
      const answer = await server.answer(from, question).catch((thrown: unknown) => {
        log.error('answering %s: %s', question.kind, toError(thrown).message);
        return undefined;
      });
      if (answer !== undefined) this.send(from, answer);
    });
  }

  // Commands.

  #offer(record: Uint8Array): boolean {
    const works = this.#life?.works;
    if (works === undefined || this.#leader === undefined) return false;
    if (!this.isLeader) return this.send(this.#leader, { kind: 'forward', records: record });
    const isTaken = works.proposals.add(record);
    works.replica.poke();
    return isTaken;
  }

  /** @throws {DecodeError} for what is no record: it must not come into the log. */
  #onForward(from: MemberId, records: Uint8Array): void {
    decodeRecords(records);
    const works = this.#life?.works;
    if (works !== undefined && this.isLeader && works.proposals.add(records)) works.replica.poke();
    else this.send(from, { kind: 'forwardRefused' });
  }

  // Histories.

  #found(life: Life): void {
    if (life.isBeginning || this.options.scope.isClosing) return;
    const decision = decideFounding({
      self: life.member,
      preference: life.preference,
      founders: this.settings.founders,
      peers: this.peers.all().map(({ status }) => status),
      waitedMs: this.runtime.now() - this.#startedAtMs,
      bootstrapDelayMs: this.settings.bootstrapDelayMs,
      isExpectingOthers: this.options.isExpectingOthers(),
    });
    const before = founderOf(this.founding, life.member);
    this.founding = decision;
    if (founderOf(decision, life.member) !== before) this.#bonds?.statusChanged();
    if (decision.kind === 'wait') return;
    this.#formingFounder = decision;
    const history = decision.kind === 'adopt' ? decision.history : createHistory(this.runtime);
    this.#begin(life, history, decision.kind === 'found' ? decision.voters : []);
  }

  #begin(life: Life, history: History, voters: readonly MemberId[]): void {
    this.options.scope.spawn('begin history', async () => {
      try {
        await life.begin(history, voters);
      } catch (thrown) {
        this.onFailed(toError(thrown));
        return;
      }
      this.#bonds?.statusChanged();
      this.changes.notify();
    });
  }

  /** Where two histories meet, the older one stays; see `compareHistories`. */
  #considerReverting(life: Life): void {
    const own = life.history;
    if (own === undefined || this.state !== 'running') return;
    let winner: History | undefined;
    for (const { status } of this.peers.all()) {
      const { history, isEstablished } = status;
      if (history === undefined || !isEstablished || history.id === own.id) continue;
      if (winner === undefined || compareHistories(history, winner) < 0) winner = history;
    }
    if (winner === undefined) return;
    const loses = life.isEstablished
      ? compareHistories(winner, own) < 0
      : this.runtime.now() - this.#startedAtMs > UNESTABLISHED_PATIENCE_MS || isEmpty(life);
    if (loses) this.#revert(life, own, winner);
  }

  #revert(life: Life, lost: History, kept: History): void {
    const { scope } = this.options;
    if (scope.isClosing) return;
    this.#isReverting = true;
    scope.spawn('revert', async () => {
      try {
        await this.#setAside(life, lost, kept);
      } catch (thrown) {
        this.onFailed(toError(thrown));
      } finally {
        this.#isReverting = false;
      }
      this.#bonds?.statusChanged();
      this.changes.notify();
    });
  }

  async #setAside(life: Life, lost: History, kept: History): Promise<void> {
    const { storage } = this.options;
    log.error('%s: history %s has met the older %s, and is set aside', shortId(this.id), lost.id, kept.id);
    this.#leader = undefined;
    const status = life.works?.replica.status;
    life.works?.replica.stop();
    const upTo = life.opened.log.recovered.snapshot?.index ?? 0;
    const snapshotIndex = Math.max(upTo, life.works?.snapshots.pruned ?? 0) as LogIndex;
    const range = {
      from: (snapshotIndex + 1) as LogIndex,
      to: status?.lastIndex ?? snapshotIndex,
      commit: status?.commit ?? snapshotIndex,
    };
    const commands = await readCommands(life.opened.log, this.machine, range);
    await life.close();
    const where = await storage.setAside('reverted');
    this.founding = undefined;
    this.#formingFounder = undefined;
    this.#hashes.clear();
    await this.#open();
    this.reversions.push({ lost, kept, commands, upTo: snapshotIndex, where });
    this.session.moveOn();
  }

  // State hashes.

  #onHash(index: LogIndex, hash: Uint8Array): void {
    this.#hashes.set(index, hash);
    const [oldest] = this.#hashes.keys();
    if (this.#hashes.size > HASHES_KEPT && oldest !== undefined) this.#hashes.delete(oldest);
    for (const { status } of this.peers.all())
      if (this.#isOurs(status.member)) this.send(status.member, { kind: 'stateHash', index, hash });
  }

  #compare(member: MemberId, index: LogIndex, hash: Uint8Array): void {
    const own = this.#hashes.get(index);
    if (own === undefined || equalBytes(own, hash)) return;
    this.divergence ??= { index, member };
    this.options.metrics.counter('mosaik.groups.divergences').add(1);
    log.error('%s: the state at %d differs from that of %s', shortId(this.id), index, peerOf(member));
    this.changes.notify();
  }
}

const NO_LEADER = { ok: false, reason: 'noLeader', leader: undefined } as const;

/** What goes behind other bulk of the pair; everything else goes ahead of it. Appends must keep their order. */
function isBulky(message: GroupMessage): boolean {
  switch (message.kind) {
    case 'raft':
      return message.message.type === 'append';
    case 'forward':
    case 'entries':
    case 'manifest':
    case 'chunk':
      return true;
    default:
      return false;
  }
}

function founderOf(decision: FoundingDecision | undefined, self: MemberId): MemberId | undefined {
  if (decision?.kind === 'wait') return decision.founder;
  return decision?.kind === 'found' ? self : undefined;
}

/** Nothing was ever written that somebody may count on. */
function isEmpty(life: Life): boolean {
  return (life.works?.replica.status.lastIndex ?? 0) === 0;
}
