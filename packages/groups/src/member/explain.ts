import { shortId } from '@mosaik/primitives';
import type { GroupReason } from '../group.ts';
import { peerOf } from '../wire/member.ts';
import type { Member } from './member.ts';

/** What keeps a group from working, as seen by one member: the first condition that is not met. */
export function explain(member: Member): GroupReason {
  return explainState(member) ?? explainFounding(member) ?? explainLeader(member) ?? WORKS;
}

const WORKS: GroupReason = { code: 'ok', text: 'the group works', remedy: '' };

function explainState(member: Member): GroupReason | undefined {
  const { state, failure, divergence } = member;
  if (state === 'closed' || state === 'leaving')
    return { code: 'closed', text: 'this member has left the group', remedy: 'join again' };
  if (failure !== undefined) {
    const text = `this member has failed: ${failure.message}`;
    return { code: 'failed', text, remedy: 'mend what it names, and join again' };
  }
  if (divergence !== undefined) {
    const text = `the state at entry ${divergence.index} differs from that of ${shortId(peerOf(divergence.member))}`;
    return {
      code: 'diverged',
      text,
      remedy: 'apply must be deterministic: join with guardDeterminism to find where it is not',
    };
  }
  return undefined;
}

function explainFounding(member: Member): GroupReason | undefined {
  if (member.life?.works !== undefined) return undefined;
  const { peers, settings } = member;
  const founding = member.histories.decision;
  if (founding?.kind !== 'wait') return { code: 'founding', text: 'the log is being opened', remedy: 'wait' };
  const bonded = `${peers.size} other ${peers.size === 1 ? 'member' : 'members'} bonded`;
  switch (founding.for) {
    case 'bootstrapDelay':
      return { code: 'founding', text: `looking for members, ${bonded}`, remedy: 'wait' };
    case 'otherFounder':
      return { code: 'founding', text: `another member is to found the group, ${bonded}`, remedy: 'wait' };
    case 'moreFounders': {
      const text = `founding takes a majority of ${settings.founders} members, ${bonded}`;
      return { code: 'founding', text, remedy: 'start more members, or look why they are not bonded' };
    }
    case 'nobodyMayFound':
      return {
        code: 'founding',
        text: `only observers are there, ${bonded}`,
        remedy: 'start a member that may lead',
      };
  }
}

function explainLeader(member: Member): GroupReason | undefined {
  const { leader, peers, life } = member;
  if (leader !== undefined) {
    if (member.isOnline) return explainLag(member);
    const text = `${shortId(peerOf(leader))} leads, and there is no bond with it`;
    return { code: 'leaderUnreachable', text, remedy: 'look at the network between the two' };
  }
  const voters = life?.works?.replica.status.configuration.configuration.voters ?? [];
  const missing = voters.filter((id) => id !== life?.member && peers.of(id) === undefined);
  if (voters.length - missing.length <= Math.floor(voters.length / 2)) {
    const names = missing.map((id) => shortId(peerOf(id))).join(', ');
    const text = `${missing.length} of ${voters.length} voters unreachable: ${names}`;
    return { code: 'noQuorum', text, remedy: 'bring back enough of them for a majority' };
  }
  return { code: 'electing', text: 'no leader is known', remedy: 'wait for the election' };
}

/** A member may be behind without harm; how much tells whether it will get there. */
function explainLag(member: Member): GroupReason | undefined {
  if (member.life?.works?.puller.isActive !== true) return undefined;
  const { applied, commit } = member.life.works.replica;
  const text = `catching up: applied ${applied}, committed at least ${commit}`;
  return { code: 'catchingUp', text, remedy: 'wait' };
}
