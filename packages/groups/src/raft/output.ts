// What comes out, in one piece.

import { replicate } from './lead.ts';
import { sizeOf } from './log.ts';
import type { ConfigurationInForce, Leadership, Output, OutputOptions } from './raft.ts';
import { acknowledgeable, isConfigurationCommitted, type State, send } from './state.ts';
import type { Entry, LogIndex } from './types.ts';

/** What of it was told last, to tell only news. */
export interface Told {
  leadership: Leadership | undefined;
}

export function takeOutput(s: State, told: Told, { withholdsCommit = false }: OutputOptions = {}): Output {
  if (s.lead) replicate(s, s.lead, withholdsCommit);
  acknowledgeToLeader(s);
  const { outbox } = s;
  const output: Output = {
    messages: outbox.messages,
    persist: s.writes.take(s.log, { term: s.term, vote: s.options.rules.storedVote(s.vote) }),
    restore: outbox.restore,
    committed: takeCommitted(s),
    reads: outbox.reads,
    refusedReads: outbox.refusedReads,
    leadership: leadershipNews(s, told),
    configuration: outbox.isConfigurationNews ? configurationOf(s) : undefined,
    catchUp: outbox.catchUp,
    isCommitWithheld: withholdsCommit && isCommitUntold(s),
  };
  clear(s);
  return output;
}

export function configurationOf(s: State): ConfigurationInForce {
  return { ...s.configurations.current, isCommitted: isConfigurationCommitted(s) };
}

/** One acknowledgement for all that came: cumulative, and of what is durable only. */
function acknowledgeToLeader(s: State): void {
  const { leader: to, id: from, term } = s;
  if (s.role !== 'follower' || to === undefined || !s.writes.isHardStateDurable) return;
  const match = acknowledgeable(s);
  if (match <= s.acknowledged && !(s.isAckDue && match >= s.matched)) return;
  s.isAckDue = false;
  s.acknowledged = match;
  send(s, { type: 'appendResponse', from, to, term, match });
}

/** What is committed and durable, as far as the machine may fall behind; nothing while a snapshot is on its way in. */
function takeCommitted(s: State): Entry[] {
  const to = Math.min(s.commit, s.writes.durable) as LogIndex;
  const room = s.options.applyingBytesMax - s.applyingBytes;
  const isRestoring = s.handedOut < s.log.base.index;
  if (to <= s.handedOut || isRestoring || room <= 0) return [];
  const entries = s.log.slice((s.handedOut + 1) as LogIndex, to, room);
  for (const entry of entries) s.applyingBytes += sizeOf(entry);
  s.handedOut = (s.handedOut + entries.length) as LogIndex;
  return entries;
}

function isCommitUntold({ lead, commit }: State): boolean {
  return (
    lead?.followers.some(({ state, toldCommit }) => state === 'replicate' && toldCommit < commit) ?? false
  );
}

function leadershipNews(s: State, told: Told): Leadership | undefined {
  const { term, role, leader } = s;
  const last = told.leadership;
  if (last?.term === term && last.role === role && last.leader === leader) return undefined;
  told.leadership = { term, role, leader };
  return told.leadership;
}

function clear({ outbox }: State): void {
  outbox.messages = [];
  outbox.reads = [];
  outbox.refusedReads = [];
  outbox.restore = undefined;
  outbox.catchUp = undefined;
  outbox.isConfigurationNews = false;
}
