import type { Leadership } from '../raft/raft.ts';
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

/** Of an election timeout: long enough for votes to be stored and to come, on any disk that is well. */
const AGAIN_SHARE = 0.25;
/** Elections that are tried again sooner, until somebody leads: with a slow disk, none would ever end otherwise. */
const TRIES_MAX = 2;

/**
 * A split vote need not wait for another election timeout: candidates know that nobody leads. Who stands again first, wins;
 * it asks by pre-votes, as always.
 */
export class SecondTries {
  readonly #member: Member;
  /** None before somebody has led: where many groups are founded at once, votes may take longer. */
  #left = 0;

  constructor(member: Member) {
    this.#member = member;
  }

  onLeadership({ role, term, leader }: Leadership): void {
    if (leader !== undefined) this.#left = TRIES_MAX;
    if (role !== 'candidate' || this.#left === 0) return;
    this.#left--;
    const { options, settings, runtime } = this.#member;
    const delayMs = settings.electionTimeoutMs * (1 + 2 * runtime.random()) * AGAIN_SHARE;
    options.scope.after(delayMs, () => {
      const { life } = this.#member;
      const now = life?.works?.replica.status;
      if (now?.role === 'candidate' && now.term === term) life?.hurry();
    });
  }
}
