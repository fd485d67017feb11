// Handing over leadership (dissertation §3.10).

import type { TransferResult } from './raft.ts';
import { type Lead, progressOf, type State, send } from './state.ts';
import type { MemberId } from './types.ts';

export function transferLeadership(s: State, to: MemberId): TransferResult {
  const { lead, leader } = s;
  if (!lead) return { ok: false, reason: 'notLeader', leader };
  const { voters } = s.configurations.current.configuration;
  if (to === s.id || !voters.includes(to)) return { ok: false, reason: 'notVoter', leader };
  if (lead.transfer) {
    return lead.transfer.to === to ? { ok: true } : { ok: false, reason: 'transferring', leader };
  }
  lead.transfer = { to, ticks: 0, isAsked: false };
  continueTransfer(s, lead);
  return { ok: true };
}

/** Once the heir has all there is, it is told to stand; its log then wins the votes of all. */
export function continueTransfer(s: State, lead: Lead): void {
  const { transfer } = lead;
  if (!transfer || transfer.isAsked) return;
  if (progressOf(lead, transfer.to)?.match !== s.log.last.index) return;
  transfer.isAsked = true;
  send(s, { type: 'timeoutNow', from: s.id, to: transfer.to, term: s.term });
}

/** A transfer that took an election timeout has failed: the leader goes on leading. */
export function tickTransfer(s: State, lead: Lead): void {
  if (lead.transfer && ++lead.transfer.ticks >= s.options.electionTicks) lead.transfer = undefined;
}

/** A leader whose disk does not answer gives way to the voter whose does best. */
export function handOver(s: State, lead: Lead): void {
  if (lead.transfer) return;
  const { voters } = s.configurations.current.configuration;
  const isCandidate = (id: MemberId): boolean => id !== s.id && voters.includes(id);
  const heir = lead.followers
    .filter(({ id, silentTicks }) => isCandidate(id) && silentTicks < s.options.electionTicks)
    .sort((a, b) => b.match - a.match)[0];
  if (heir) transferLeadership(s, heir.id);
}
