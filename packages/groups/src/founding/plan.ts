import type { Preference } from '../raft/raft.ts';
import type { MemberId } from '../raft/types.ts';
import { compareHistories, type History } from '../wire/history.ts';
import type { MemberStatus } from '../wire/status.ts';

/** What a member without a history knows. */
export interface FoundingView {
  readonly self: MemberId;
  readonly preference: Preference;
  readonly founders: number;
  /** What the bonded members tell of themselves. */
  readonly peers: readonly MemberStatus[];
  /** For how long this member has been waiting, in ms. */
  readonly waitedMs: number;
  readonly bootstrapDelayMs: number;
  /** The catalog names members that there is no bond with yet. */
  readonly isExpectingOthers: boolean;
}

export type FoundingDecision =
  | { readonly kind: 'adopt'; readonly history: History }
  | { readonly kind: 'found'; readonly voters: readonly MemberId[] }
  /** `founder` is told to the others: whom this member would have found the group. */
  | { readonly kind: 'wait'; readonly founder: MemberId | undefined; readonly for: WaitReason };

export type WaitReason = 'bootstrapDelay' | 'otherFounder' | 'moreFounders' | 'nobodyMayFound';

/** Members that are in the catalog and not bonded are waited for so many times the delay. */
const PATIENCE = 4;

/**
 * What a member without a history does: it takes over that of others, or makes one. Of those that have none, the one with the
 * smallest id founds, when it has waited for `bootstrapDelayMs`; if more than one founder is asked for, when a majority of
 * so many, itself included, are bonded and say that they would have it. These are then the first voters.
 */
export function decideFounding(view: FoundingView): FoundingDecision {
  const { self, founders, peers, waitedMs } = view;
  const founder = chooseFounder(view);
  const history = chooseHistory(peers, founder);
  if (history !== undefined) return { kind: 'adopt', history };
  if (founder === undefined) return { kind: 'wait', founder, for: 'nobodyMayFound' };
  if (founder !== self) return { kind: 'wait', founder, for: 'otherFounder' };
  const delayMs = view.bootstrapDelayMs * (view.isExpectingOthers ? PATIENCE : 1);
  if (waitedMs < delayMs) return { kind: 'wait', founder, for: 'bootstrapDelay' };
  if (founders <= 1) return { kind: 'found', voters: [self] };
  const supporters = peers
    .filter((peer) => isCandidate(peer) && peer.founder === self)
    .map(({ member }) => member);
  const majority = Math.floor(founders / 2) + 1;
  if (supporters.length + 1 < majority) return { kind: 'wait', founder, for: 'moreFounders' };
  return { kind: 'found', voters: [self, ...supporters].sort() };
}

/** The oldest history that is established; or that of the one whom this member would have found the group. */
function chooseHistory(peers: readonly MemberStatus[], founder: MemberId | undefined): History | undefined {
  const established = peers
    .filter(({ isEstablished }) => isEstablished)
    .map(({ history }) => history)
    .filter((history) => history !== undefined)
    .sort(compareHistories);
  return established[0] ?? peers.find(({ member }) => member === founder)?.history;
}

function chooseFounder({ self, preference, peers }: FoundingView): MemberId | undefined {
  const forming = peers.find(({ history, isEstablished, founder, member }) => {
    return history !== undefined && !isEstablished && founder === member;
  });
  if (forming !== undefined) return forming.member;
  const candidates = peers.filter(isCandidate).map(({ member }) => member);
  if (preference !== 'observer') candidates.push(self);
  return candidates.sort()[0];
}

function isCandidate({ history, preference, isLeaving }: MemberStatus): boolean {
  return history === undefined && preference !== 'observer' && !isLeaving;
}
