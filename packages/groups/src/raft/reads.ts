// Strong reads without a log entry: ReadIndex (dissertation §6.4).

import type { ReadRequest, ReadResponse } from './messages.ts';
import type { ReadResult } from './raft.ts';
import { isEstablished, type Lead, type State, send, type WaitingRead } from './state.ts';

export function requestRead(s: State, context: number): ReadResult {
  if (s.lead) {
    const isTaken = enqueue(s, s.lead, { context, asker: undefined });
    return isTaken ? { ok: true } : { ok: false, reason: 'tooMany', leader: s.leader };
  }
  if (s.leader === undefined) return { ok: false, reason: 'noLeader', leader: undefined };
  send(s, { type: 'readRequest', from: s.id, to: s.leader, term: s.term, context, epoch: s.epoch });
  return { ok: true };
}

export function handleReadRequest(s: State, { from, context, epoch }: ReadRequest): void {
  if (s.lead && enqueue(s, s.lead, { context, asker: { id: from, epoch } })) return;
  send(s, { type: 'readResponse', from: s.id, to: from, term: s.term, context, epoch });
}

export function handleReadResponse(s: State, { context, epoch, index }: ReadResponse): void {
  if (epoch !== s.epoch) return;
  if (index === undefined) s.outbox.refusedReads.push(context);
  else s.outbox.reads.push({ context, index });
}

/** An entry of the own term is committed: now the commit index is known to be the newest (dissertation §6.4, step 1). */
export function admitPostponedReads(s: State, lead: Lead): void {
  for (const read of lead.postponed) lead.fresh.push({ ...read, index: s.commit });
  lead.postponed = [];
}

/** Reads that came since the last heartbeats are confirmed by the answers to the next ones, which leave now. */
export function assignRound(lead: Lead): void {
  if (lead.fresh.length === 0) return;
  lead.round++;
  lead.isHeartbeatDue = true;
  for (const read of lead.fresh) lead.waiting.push({ ...read, round: lead.round });
  lead.fresh = [];
}

/** A quorum answered a round of heartbeats: nobody else led when the reads before it came. */
export function confirmReads(s: State, lead: Lead, round: number): void {
  let count = 0;
  for (const read of lead.waiting) {
    if (read.round > round) break;
    answer(s, read);
    count++;
  }
  if (count > 0) lead.waiting.splice(0, count);
}

function answer(s: State, { context, asker, index }: WaitingRead): void {
  if (asker === undefined) {
    s.outbox.reads.push({ context, index });
    return;
  }
  const { id: to, epoch } = asker;
  send(s, { type: 'readResponse', from: s.id, to, term: s.term, context, epoch, index });
}

function enqueue(s: State, lead: Lead, read: Omit<WaitingRead, 'index' | 'round'>): boolean {
  const { postponed, fresh, waiting } = lead;
  if (postponed.length + fresh.length + waiting.length >= s.options.readsMax) return false;
  if (isEstablished(s)) fresh.push({ ...read, index: s.commit });
  else postponed.push(read);
  return true;
}
