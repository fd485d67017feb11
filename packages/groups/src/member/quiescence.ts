import { invariant, jitter, type Runtime } from '@mosaik/primitives';
import type { Bond } from '../bonds/bond.ts';
import { GroupCode } from '../codes.ts';
import type { ConsensusSettings } from '../options.ts';
import type { LogIndex, MemberId, Term } from '../raft/types.ts';
import { peerOf } from '../wire/member.ts';
import type { GroupMessage } from '../wire/messages.ts';
import type { Works } from './life.ts';
import type { Member } from './member.ts';
import type { Peers } from './peers.ts';

/** Looks in a row that find nothing to do, after which a leader has its group rest: about a second. */
const QUIET_LOOKS = 10;
/** As many are enough when it only looked after the others: each has answered a heartbeat by then. */
const LOOKS_AFTER_PAUSE = 3;
/** A follower that has heard nothing of its leader for so many rests looks for it. */
const RESTS_MISSED = 3;

/** What liveness hangs on. Tests replace it one by one, to prove that they would notice. */
export interface QuiescenceRules {
  /** A leader that rests looks after the others so often, in ms, jittered by a third: a net below what follows from events. */
  readonly restMs: number;
  /** A bond that falls silent wakes who rests because of it. */
  readonly wakesOnSilence: boolean;
  /** Who wakes says so to those that it rests with. */
  readonly saysAwake: boolean;
}

const RULES: QuiescenceRules = {
  restMs: 15_000,
  wakesOnSilence: true,
  saysAwake: true,
};

interface QuiescenceOptions {
  readonly runtime: Runtime;
  readonly settings: ConsensusSettings;
  /** Whether an election timeout is long enough for bonds to notice before it that a peer is silent. */
  readonly isPossible: boolean;
  /** Bonds are silent after this long. */
  readonly silentAfterMs: number;
  readonly rules: QuiescenceRules;
  readonly peers: Peers;
  /** Undefined unless this member is running, and has a history. */
  readonly works: () => Works | undefined;
  readonly isOurs: (member: MemberId) => boolean;
  /** Commands, reads or catching up are under way here, which time has to pass for. */
  readonly isBusy: () => boolean;
  readonly send: (to: MemberId, message: GroupMessage) => boolean;
  readonly pause: (durationMs: number) => void;
  readonly resume: () => void;
}

/** What lets the group of a member rest. */
export function createQuiescence(member: Member): Quiescence {
  const { options, settings } = member;
  const { silentAfterMs, ticking, rules } = options;
  return new Quiescence({
    runtime: member.runtime,
    settings,
    isPossible: silentAfterMs <= settings.electionTimeoutMs,
    silentAfterMs,
    rules: { ...RULES, ...rules?.quiescence },
    peers: member.peers,
    works: () => {
      const isRunning = member.state === 'running' && !member.histories.isReplacing;
      return isRunning ? member.life?.works : undefined;
    },
    isOurs: (id) => member.isOurs(id),
    isBusy: () => {
      const isCatchingUp = member.life?.works?.puller.isActive === true;
      return isCatchingUp || member.session.length > 0 || member.reads.length > 0;
    },
    send: (to, message) => member.send(to, message),
    pause: (durationMs) => ticking()?.pause(durationMs),
    resume: () => ticking()?.resume(),
  });
}

type State = 'awake' | 'leading' | 'following';

/**
 * Lets an idle group rest: no time passes in its cores, and they send nothing, while the bonds of its members live.
 *
 * Only the passing of time is taken away, on which no safety hangs. That time passes again whenever it is needed follows from
 * these: a leader rests only while every member of its configuration is bonded, has everything, and was told; whatever comes to a
 * member that rests wakes it; one that wakes says so to those that rest with it; and a bond that ends, or falls silent, wakes
 * both sides. See docs/internals/raft.md, "Quiescence".
 */
export class Quiescence {
  readonly #options: QuiescenceOptions;
  #state: State = 'awake';
  /** With whom this member rests: the followers that it told to, or the leader that told it to. */
  #others: readonly MemberId[] = [];
  #quietLooks = 0;
  /** As of the last look, to see whether anything has happened since. */
  #seenIndex = 0;
  #seenTerm = 0;

  constructor(options: QuiescenceOptions) {
    this.#options = options;
  }

  get isResting(): boolean {
    return this.#state !== 'awake';
  }

  /** To be called from time to time, while no output is due; true if the group rests from now on. */
  look(): boolean {
    const works = this.#options.works();
    if (this.isResting || works === undefined || !this.#isQuiet(works)) {
      this.#quietLooks = 0;
      return this.isResting;
    }
    this.#quietLooks++;
    if (this.#quietLooks < QUIET_LOOKS) return false;
    this.#quietLooks = 0;
    return this.#isEverybodyThere(works) && this.#begin(works);
  }

  /** The leader has told this member to rest with it. What came before in the same frame is dealt with first. */
  asked(from: MemberId, term: Term, index: LogIndex): void {
    queueMicrotask(() => {
      if (this.#mayFollow(from, term, index)) this.#rest('following', [from]);
      else this.#say(from, { kind: 'awake' });
    });
  }

  /** Something is to be done, or has changed. */
  wake(): void {
    if (!this.isResting) return;
    const others = this.#others;
    this.#state = 'awake';
    this.#others = [];
    this.#quietLooks = 0;
    this.#options.resume();
    if (!this.#options.rules.saysAwake) return;
    for (const other of others) this.#say(other, { kind: 'awake' });
  }

  /** Nothing has come of a peer for a while. A leader that is gone is missed as soon as if it had been sending heartbeats. */
  silent({ peer, silentMs }: Bond): void {
    const { settings, works, rules } = this.#options;
    if (!rules.wakesOnSilence) return;
    const isFollowing = this.#state === 'following';
    if (isFollowing && !this.#others.some((id) => peerOf(id) === peer)) return;
    this.wake();
    const replica = works()?.replica;
    const missedMs = Math.min(silentMs, settings.electionTimeoutMs) - settings.heartbeatMs;
    for (let ms = settings.tickMs; isFollowing && ms <= missedMs; ms += settings.tickMs)
      if (replica?.status.role === 'follower') replica.tick();
  }

  /** It has rested for long: a leader hears everybody once, a follower wants to hear of its leader. */
  pauseOver(): void {
    const wasLeading = this.#state === 'leading';
    this.wake();
    if (wasLeading) this.#quietLooks = QUIET_LOOKS - LOOKS_AFTER_PAUSE;
  }

  #begin({ replica }: Works): boolean {
    const { term, lastIndex: index, followers } = replica.status;
    this.#rest(
      'leading',
      followers.map(({ id }) => id),
    );
    for (const id of this.#others) {
      if (!this.isResting) return false;
      if (!this.#options.send(id, { kind: 'quiesce', term, index })) this.wake();
    }
    return this.isResting;
  }

  #rest(state: Exclude<State, 'awake'>, others: readonly MemberId[]): void {
    const { runtime, rules, pause } = this.#options;
    invariant(
      !others.some((id) => this.#options.peers.of(id) === undefined),
      'resting with who is not bonded',
    );
    this.#state = state;
    this.#others = others;
    pause(jitter(runtime, rules.restMs, 1 / 3) * (state === 'leading' ? 1 : RESTS_MISSED));
  }

  /** Nothing is under way in a group that this member leads, and nothing has happened since the last look. */
  #isQuiet({ replica, proposals }: Works): boolean {
    const { isPossible, isBusy } = this.#options;
    const { role, term, lastIndex, commit, durable, followers } = replica.status;
    const isSame = this.#seenIndex === lastIndex && this.#seenTerm === term;
    this.#seenIndex = lastIndex;
    this.#seenTerm = term;
    if (!isPossible || !isSame || role !== 'leader' || isBusy()) return false;
    if (commit !== lastIndex || durable !== lastIndex || replica.applied !== lastIndex) return false;
    return proposals.bytes === 0 && followers.every(({ match }) => match === lastIndex);
  }

  /** Everybody in the configuration is bonded, heard and has everything, nobody else is, and nobody is to become anything else. */
  #isEverybodyThere({ replica, manager }: Works): boolean {
    const { peers, isOurs, settings } = this.#options;
    const { followers } = replica.status;
    if (peers.size !== followers.length) return false;
    const heardWithinTicks = 1 + settings.heartbeatMs / settings.tickMs;
    const isThere = followers.every(
      ({ id, state, silentTicks }) =>
        state === 'replicate' && silentTicks <= heardWithinTicks && isOurs(id) && this.#isHeard(id),
    );
    return isThere && manager.isSettled;
  }

  #mayFollow(from: MemberId, term: Term, index: LogIndex): boolean {
    const { isPossible, isBusy, works } = this.#options;
    const replica = works()?.replica;
    if (!isPossible || this.#state === 'leading' || replica === undefined || isBusy()) return false;
    const { status, applied } = replica;
    if (status.role !== 'follower' || status.leader !== from || status.term !== term) return false;
    const { lastIndex, commit, durable } = status;
    return [lastIndex, commit, durable, applied].every((own) => own === index) && this.#isHeard(from);
  }

  /** Its silence, should it begin, is still to be told of. */
  #isHeard(id: MemberId): boolean {
    const { peers, silentAfterMs } = this.#options;
    const bond = peers.of(id)?.bond;
    return bond?.isAlive === true && bond.silentMs < silentAfterMs;
  }

  /** What a peer must hear: one that has no room for it is not bonded any more. */
  #say(to: MemberId, message: GroupMessage): void {
    const { send, peers } = this.#options;
    if (!send(to, message)) peers.of(to)?.bond.end(GroupCode.TooMany, 'the peer does not read');
  }
}
