import type { MemberId } from '../raft/types.ts';
import type { Member } from './member.ts';

/** Of an election timeout: long enough for a lost connection to be made again, and to draw different times. */
const SHARE = 0.15;

/** The leader's process is gone, or the connection to it: an election need not wait for its timeout. */
export function standSoon(member: Member, leader: MemberId): void {
  const { options, settings, runtime } = member;
  const delayMs = settings.electionTimeoutMs * (1 + 2 * runtime.random()) * SHARE;
  options.scope.after(delayMs, () => {
    if (member.leader === leader && member.peers.of(leader) === undefined) member.life?.hurry();
  });
}
