// What a leader sends, and what it does with the answers (Raft §5.3).

import { advanceCommit, reachedByQuorum } from './commit.ts';
import { sizeOf } from './log.ts';
import type { AppendRejection, AppendResponse, HeartbeatResponse } from './messages.ts';
import type { Progress } from './progress.ts';
import { assignRound, confirmReads } from './reads.ts';
import { becomeFollower } from './roles.ts';
import { isDiskStalled, type Lead, progressOf, type State, send } from './state.ts';
import { continueTransfer, handOver, tickTransfer } from './transfer.ts';
import type { LogIndex, Term } from './types.ts';

/** Time passes for a leader. */
export function tickLead(s: State, lead: Lead): void {
  for (const follower of lead.followers) follower.silentTicks++;
  if (s.options.rules.checksQuorum && !isInTouch(s, lead)) {
    becomeFollower(s, s.term, undefined);
    return;
  }
  tickTransfer(s, lead);
  if (isDiskStalled(s)) handOver(s, lead);
  if (++lead.heartbeatTicks < s.options.heartbeatTicks) return;
  lead.heartbeatTicks = 0;
  lead.isHeartbeatDue = true;
}

export function handleAppendResponse(s: State, lead: Lead, message: AppendResponse): void {
  const follower = progressOf(lead, message.from);
  if (!follower) return;
  follower.silentTicks = 0;
  acknowledge(s, follower, message.match);
  if (message.rejection) rejected(s, follower, message.rejection);
  else if (follower.state === 'probe' && follower.match + 1 >= follower.next) follower.becomeReplicate();
  advanceCommit(s);
  if (s.lead === lead) continueTransfer(s, lead);
}

export function handleHeartbeatResponse(s: State, lead: Lead, message: HeartbeatResponse): void {
  const follower = progressOf(lead, message.from);
  if (!follower) return;
  follower.silentTicks = 0;
  follower.answeredRound = Math.max(follower.answeredRound, message.round);
  acknowledge(s, follower, message.match);
  if (follower.state === 'probe') {
    // Whatever probe was under way took longer than this, or is lost.
    follower.isPaused = false;
    if (follower.match >= s.log.last.index) follower.becomeReplicate();
  }
  advanceCommit(s);
  if (s.lead !== lead) return;
  settleReads(s, lead);
  continueTransfer(s, lead);
}

/** Fills the next output with what the followers lack; done once for all the inputs since the last one. */
export function replicate(s: State, lead: Lead, withholdsCommit: boolean): void {
  assignRound(lead);
  for (const follower of lead.followers) {
    if (lead.isHeartbeatDue) sendHeartbeat(s, lead, follower);
    sendEntries(s, follower, withholdsCommit);
  }
  lead.isHeartbeatDue = false;
  settleReads(s, lead);
}

function acknowledge(s: State, follower: Progress, match: LogIndex): void {
  follower.acknowledged(match);
  if (follower.state === 'catchingUp' && follower.match >= s.log.base.index) follower.becomeReplicate();
}

/** The logs do not match where the follower was asked: go back to where they may. */
function rejected(s: State, follower: Progress, { index, hint }: AppendRejection): void {
  const isStale =
    follower.state === 'catchingUp' ||
    index <= follower.match ||
    (follower.state === 'probe' && index !== follower.next - 1) ||
    (follower.state === 'replicate' && index >= follower.next);
  if (isStale) return;
  let match = Math.min(hint.index, index - 1) as LogIndex;
  while (match > s.log.base.index && (s.log.termAt(match) as Term) > hint.term) match--;
  follower.becomeProbe((Math.max(match, follower.match) + 1) as LogIndex);
}

function settleReads(s: State, lead: Lead): void {
  if (lead.waiting.length === 0) return;
  const answered = reachedByQuorum(s, lead, (member) =>
    member === s.id ? lead.round : (progressOf(lead, member)?.answeredRound ?? 0),
  );
  confirmReads(s, lead, s.options.rules.confirmedRound(answered, lead.round));
}

/** Whether a quorum has been heard from within an election timeout (check-quorum, dissertation §6.2). */
function isInTouch(s: State, lead: Lead): boolean {
  const reached = reachedByQuorum(s, lead, (member) => {
    const silentTicks = member === s.id ? 0 : (progressOf(lead, member)?.silentTicks ?? 0);
    return silentTicks < s.options.electionTicks ? 1 : 0;
  });
  return reached === 1;
}

/** With it goes what makes up for lost messages: is the log where it should be, what is to be caught up with. */
function sendHeartbeat(s: State, lead: Lead, follower: Progress): void {
  const { id: from, term, commit } = s;
  const { id: to } = follower;
  send(s, { type: 'heartbeat', from, to, term, commit, round: lead.round });
  if (follower.state === 'replicate') {
    follower.toldCommit = commit;
    if (follower.isWaiting) sendAppend(s, follower, follower.next, 0);
  }
  if (follower.state === 'catchingUp') send(s, { type: 'catchUp', from, to, term, commit });
}

function sendEntries(s: State, follower: Progress, withholdsCommit: boolean): void {
  if (follower.state !== 'catchingUp' && follower.next <= s.log.base.index) {
    const { id: from, term, commit } = s;
    follower.becomeCatchingUp();
    send(s, { type: 'catchUp', from, to: follower.id, term, commit });
  }
  if (follower.state === 'probe') sendProbe(s, follower);
  else if (follower.state === 'replicate') sendWindow(s, follower, withholdsCommit);
}

function sendProbe(s: State, follower: Progress): void {
  if (follower.isPaused || follower.next > s.log.last.index) return;
  sendAppend(s, follower, follower.next, s.options.appendBytesMax);
  follower.isPaused = true;
}

/** Sends ahead, as far as the window goes; or at least, unless that is withheld, what is committed by now. */
function sendWindow(s: State, follower: Progress, withholdsCommit: boolean): void {
  const isNews = follower.toldCommit < s.commit && !withholdsCommit;
  const first = follower.next;
  while (follower.next <= s.log.last.index && follower.hasRoom) {
    const { last, bytes } = sendAppend(s, follower, follower.next, s.options.appendBytesMax);
    follower.sent(last, bytes);
  }
  if (isNews && follower.next === first) sendAppend(s, follower, follower.next, 0);
}

/** One message with entries from `next` on, as many as `bytesMax` allows; 0 sends none. */
function sendAppend(
  s: State,
  follower: Progress,
  next: LogIndex,
  bytesMax: number,
): { last: LogIndex; bytes: number } {
  const index = (next - 1) as LogIndex;
  const previous = { index, term: s.log.termAt(index) as Term };
  const entries = bytesMax > 0 ? s.log.slice(next, s.log.last.index, bytesMax) : [];
  const { id: from, term, commit } = s;
  send(s, { type: 'append', from, to: follower.id, term, previous, entries, commit });
  follower.toldCommit = commit;
  const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
  return { last: (index + entries.length) as LogIndex, bytes };
}
