// What a member does with what a leader sends (Raft §5.3), and with committed entries from elsewhere.

import { commitUpTo } from './commit.ts';
import { invariant } from './invariant.ts';
import { sizeOf } from './log.ts';
import type { AppendRequest, CatchUpRequest, HeartbeatRequest } from './messages.ts';
import type { CommittedRange } from './raft.ts';
import { becomeFollower } from './roles.ts';
import { acknowledgeable, type State, sendDurably } from './state.ts';
import type { Entry, LogIndex, LogPosition, SnapshotMeta, Term } from './types.ts';

export function handleAppend(s: State, message: AppendRequest): void {
  // What is committed here is in the leader's log as well, so the comparison starts after it.
  const known = Math.max(0, s.commit - message.previous.index);
  if (known > message.entries.length) {
    s.isAckDue = true;
    return;
  }
  const previous = known > 0 ? positionAt(s, s.commit) : message.previous;
  if (s.log.termAt(previous.index) !== previous.term) {
    reject(s, message);
    return;
  }
  const fresh = known > 0 ? message.entries.slice(known) : message.entries;
  const taken = take(s, fresh);
  s.matched = Math.max(s.matched, previous.index + taken) as LogIndex;
  // Without room there is silence: an answer would have the leader send it all again at once.
  if (taken === fresh.length && message.entries.length > 0) s.isAckDue = true;
  learnCommit(s, message.commit);
}

export function handleHeartbeat(s: State, { from: to, commit, round }: HeartbeatRequest): void {
  learnCommit(s, commit);
  const match = acknowledgeable(s);
  sendDurably(s, { type: 'heartbeatResponse', from: s.id, to, term: s.term, round, match });
}

export function handleCatchUp(s: State, { from: leader, commit }: CatchUpRequest): void {
  if (commit <= s.commit) s.isAckDue = true;
  else s.outbox.catchUp = { from: (s.commit + 1) as LogIndex, to: commit, leader };
}

/**
 * Takes committed entries that other members handed out. They said so in a term not above `term`, so whoever leads that term
 * has them; a leader of a lower one, which might not, is not followed any more.
 */
export function takeCommitted(s: State, { entries, term }: CommittedRange): boolean {
  if (term > s.term) becomeFollower(s, term, undefined);
  if (s.lead) return false;
  const fresh = entries.filter((entry) => entry.index > s.commit);
  if (fresh.length === 0) return true;
  if (fresh[0]?.index !== s.commit + 1) return false;
  const taken = take(s, fresh);
  const last = (s.commit + taken) as LogIndex;
  s.matched = Math.max(s.matched, last) as LogIndex;
  commitUpTo(s, last);
  s.isAckDue = true;
  return true;
}

/** Puts a staged snapshot in the place of the log up to it; keeps what follows, if the log has its position. */
export function takeSnapshot(s: State, meta: SnapshotMeta, term: Term): boolean {
  if (term > s.term) becomeFollower(s, term, undefined);
  if (s.lead || meta.index <= s.commit) return false;
  const keepsRest = s.log.termAt(meta.index) === meta.term;
  invariant(keepsRest || s.matched < meta.index, `what matches the leader's log contradicts a snapshot`);
  s.writes.snapshotInstalled(meta, keepsRest ? s.log.last.index : s.commit);
  s.log.restart(meta);
  s.configurations.restart(meta, keepsRest);
  s.applyingBytes = 0;
  s.matched = Math.max(s.matched, meta.index) as LogIndex;
  s.commit = meta.index;
  s.isAckDue = true;
  s.outbox.isConfigurationNews = true;
  return true;
}

/** The leader's commit index holds for the part of the log that is known to be the leader's (Raft figure 2, step 5). */
function learnCommit(s: State, commit: LogIndex): void {
  commitUpTo(s, Math.min(commit, s.matched) as LogIndex);
}

/** Puts entries in their places, and returns how many there was room for. The first joins on to the log. */
function take(s: State, entries: readonly Entry[]): number {
  let taken = 0;
  for (const entry of entries) {
    const own = s.log.termAt(entry.index);
    const isNew = own === undefined || s.options.rules.isConflict(own, entry.term);
    if (isNew && !hasRoom(s, entry)) break;
    if (isNew && own !== undefined) truncateFrom(s, entry.index);
    if (isNew) {
      s.log.append(entry);
      if (s.configurations.appended(entry)) s.outbox.isConfigurationNews = true;
    }
    taken++;
  }
  return taken;
}

/**
 * A member whose machine is behind takes no more than it may hold; the leader tries again with its heartbeats. One whose
 * machine has nothing to do takes whatever comes: what it holds may need just that to be committed, and so to be let go.
 */
function hasRoom({ log, options, applied, commit }: State, entry: Entry): boolean {
  return applied >= commit || log.unappliedBytes + sizeOf(entry) <= options.unappliedBytesMax;
}

function truncateFrom(s: State, index: LogIndex): void {
  const { rules } = s.options;
  invariant(rules.mayTruncate(index, s.commit), `entry ${index} is committed and cannot go`);
  invariant(rules.mayTruncate(index, s.matched), `entry ${index} is the leader's own and cannot go`);
  s.log.truncateFrom(index);
  s.writes.truncatedFrom(index);
  if (s.configurations.truncatedFrom(index)) s.outbox.isConfigurationNews = true;
}

/**
 * Says where a match may be: the last place, not after the one asked about, whose term is not above the one asked about. What is
 * after it the leader cannot have at the same place (a conflict hint by term, as in §5.3, at the cost of one round a term).
 */
function reject(s: State, { from: to, previous }: AppendRequest): void {
  let index = Math.min(previous.index, s.log.last.index) as LogIndex;
  while (index > s.commit && (s.log.termAt(index) as Term) > previous.term) index--;
  const rejection = { index: previous.index, hint: positionAt(s, index) };
  const match = acknowledgeable(s);
  sendDurably(s, { type: 'appendResponse', from: s.id, to, term: s.term, match, rejection });
}

function positionAt(s: State, index: LogIndex): LogPosition {
  return { index, term: s.log.termAt(index) as Term };
}
