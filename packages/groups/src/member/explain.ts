import { type PeerId, shortId } from '@mosaik/primitives';
import type { GroupReason } from '../group.ts';
import type { MemberId } from '../raft/types.ts';
import { peerOf } from '../wire/member.ts';
import type { Member } from './member.ts';

/** What keeps a group from working, as seen by one member: the first condition that is not met. */
export function explain(member: Member): GroupReason {
  const cause =
    explainState(member) ?? explainDamage(member) ?? explainFounding(member) ?? explainLeader(member);
  return cause === undefined ? WORKS : told(member, cause);
}

const WORKS: GroupReason = { code: 'ok', text: 'the group works', remedy: '', sinceMs: undefined };

/** A reason whose time is that of the monotonic clock. */
interface Cause extends GroupReason {
  readonly sinceMs: number;
}

/** With the time as people know it. */
function told({ runtime }: Member, { code, text, remedy, sinceMs }: Cause): GroupReason {
  const forMs = runtime.now() - sinceMs;
  return {
    code,
    text: `${text} (for ${durationText(forMs)})`,
    remedy,
    sinceMs: Math.round(runtime.wallNow() - forMs),
  };
}

function explainState(member: Member): Cause | undefined {
  const { state, failure, divergence } = member;
  const { sinceMs } = member.standing;
  if (state === 'closed' || state === 'leaving')
    return { code: 'closed', text: 'this member has left the group', remedy: 'join again', sinceMs };
  if (failure !== undefined) {
    const text = `this member has failed: ${failure.message}`;
    return { code: 'failed', text, remedy: 'mend what it names, and join again', sinceMs };
  }
  if (divergence !== undefined) {
    const text = `the state at entry ${divergence.index} differs from that of ${shortId(peerOf(divergence.member))}`;
    return {
      code: 'diverged',
      text,
      remedy: 'apply must be deterministic: join with guardDeterminism to find where it is not',
      sinceMs: divergence.noticedAtMs,
    };
  }
  return undefined;
}

/** From when a log was found damaged until all is applied again that had been. */
function explainDamage({ damage, histories }: Member): Cause | undefined {
  if (damage.loss === undefined) return undefined;
  const { detail, foundAtMs } = damage.loss;
  const now = histories.isReplacing
    ? 'the log is being put aside'
    : `catching up, the log is at ${damage.where}`;
  return {
    code: 'damaged',
    text: `${detail}; ${now}`,
    remedy: 'wait, and look after the disk',
    sinceMs: foundAtMs,
  };
}

function explainFounding(member: Member): Cause | undefined {
  if (member.life?.works !== undefined) return undefined;
  const { peers, settings, histories } = member;
  const founding = histories.decision;
  const code = 'founding';
  const sinceMs = histories.startedAtMs;
  if (founding?.kind !== 'wait') return { code, text: 'the log is being opened', remedy: 'wait', sinceMs };
  const bonded = `${peers.size} other ${peers.size === 1 ? 'member' : 'members'} bonded`;
  switch (founding.for) {
    case 'bootstrapDelay':
      return { code, text: `looking for members, ${bonded}`, remedy: 'wait', sinceMs };
    case 'otherFounder':
      return { code, text: `another member is to found the group, ${bonded}`, remedy: 'wait', sinceMs };
    case 'moreFounders': {
      const observers = peers.all().filter(({ status }) => status.preference === 'observer').length;
      const uncounted = observers === 0 ? '' : `, of which ${observers} only observe and do not count`;
      const text = `founding takes a majority of ${settings.founders} members, ${bonded}${uncounted}`;
      const others = observers === 0 ? 'members' : 'members that may vote';
      return { code, text, remedy: `start more ${others}, or look why they are not bonded`, sinceMs };
    }
    case 'nobodyMayFound': {
      const text = `only observers are there, ${bonded}`;
      return { code, text, remedy: 'start a member that may lead', sinceMs };
    }
  }
}

function explainLeader(member: Member): Cause | undefined {
  const { leader } = member;
  if (leader === undefined) return explainQuorum(member) ?? explainElection(member);
  if (member.isOnline) return explainLag(member);
  const peer = peerOf(leader);
  return {
    code: 'leaderUnreachable',
    text: `${shortId(peer)} leads, and there is no bond with it`,
    remedy: 'look at the network between the two',
    sinceMs: Math.max(goneAtMs(member, peer), member.leading.sinceMs),
  };
}

function explainQuorum(member: Member): Cause | undefined {
  const { peers, life } = member;
  const voters = life?.works?.replica.status.configuration.configuration.voters ?? [];
  const missing = voters.filter((id) => id !== life?.member && peers.of(id) === undefined);
  const spare = Math.ceil(voters.length / 2) - 1;
  if (missing.length <= spare) return undefined;
  const names = missing.map((id) => shortId(peerOf(id))).join(', ');
  return {
    code: 'noQuorum',
    text: `${missing.length} of ${voters.length} voters unreachable: ${names}`,
    remedy: 'bring back enough of them for a majority',
    sinceMs: lostAtMs(member, missing, spare),
  };
}

/** When so many were gone for the first time that the group could not do without another one. */
function lostAtMs(member: Member, missing: readonly MemberId[], spare: number): number {
  const gone = missing.map((id) => goneAtMs(member, peerOf(id))).sort((a, b) => a - b);
  return gone[spare] ?? member.standing.sinceMs;
}

/** When a peer was lost; one that was never bonded has been missing since this member began. */
function goneAtMs({ peers, histories }: Member, peer: PeerId): number {
  return peers.goneAtMs(peer) ?? histories.startedAtMs;
}

function explainElection({ leading }: Member): Cause {
  const { sinceMs } = leading;
  return { code: 'electing', text: 'no leader is known', remedy: 'wait for the election', sinceMs };
}

/** A member may be behind without harm; how much tells whether it will get there. */
function explainLag(member: Member): Cause | undefined {
  const sinceMs = member.life?.works?.puller.activeSinceMs;
  if (sinceMs === undefined) return undefined;
  const { applied, commit } = member.life?.works?.replica ?? {};
  const text = `catching up: applied ${applied}, committed at least ${commit}`;
  return { code: 'catchingUp', text, remedy: 'wait', sinceMs };
}

function durationText(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
