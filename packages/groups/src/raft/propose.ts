// What a leader takes into the log: commands, and configurations (dissertation ch. 4, one voter at a time).

import { advanceCommit } from './commit.ts';
import { encodeConfiguration, isWellFormed, membersOf, votersChanged } from './configuration.ts';
import type { ConfigurationResult, Proposed, ProposeResult } from './raft.ts';
import { appendOwn, newProgress } from './roles.ts';
import { isConfigurationCommitted, isEstablished, type Lead, progressOf, type State } from './state.ts';
import type { Configuration, LogIndex } from './types.ts';

export function propose(s: State, commands: readonly Uint8Array[]): ProposeResult {
  const { lead, leader } = s;
  if (!lead) return { ok: false, reason: 'notLeader', leader };
  if (lead.transfer) return { ok: false, reason: 'transferring', leader };
  if (s.log.unappliedBytes >= s.options.unappliedBytesMax) return { ok: false, reason: 'overloaded', leader };
  const index = (s.log.last.index + 1) as LogIndex;
  for (const data of commands) appendOwn(s, 'command', data);
  return { ok: true, term: s.term, index, count: commands.length };
}

export function proposeConfiguration(s: State, configuration: Configuration): ConfigurationResult {
  const { lead, leader } = s;
  if (!lead) return { ok: false, reason: 'notLeader', leader };
  const reason = whyNot(s, lead, configuration);
  if (reason !== undefined) return { ok: false, reason, leader };
  appendOwn(s, 'configuration', encodeConfiguration(configuration));
  for (const id of membersOf(configuration)) {
    if (id !== s.id && !progressOf(lead, id)) lead.followers.push(newProgress(s, id, s.log.last.index));
  }
  lead.followers.sort((a, b) => (a.id < b.id ? -1 : 1));
  const proposed: Proposed = { ok: true, term: s.term, index: s.log.last.index, count: 1 };
  // Fewer voters may be fewer than it took: what is before may be committed by that.
  advanceCommit(s);
  return proposed;
}

function whyNot(
  s: State,
  lead: Lead,
  configuration: Configuration,
): Exclude<(ConfigurationResult & { ok: false })['reason'], 'notLeader'> | undefined {
  if (lead.transfer) return 'transferring';
  if (!isWellFormed(configuration)) return 'malformed';
  if (configuration.voters.length === 0) return 'noVoters';
  if (!s.options.rules.mayReconfigure(isEstablished(s))) return 'notEstablished';
  if (!isConfigurationCommitted(s)) return 'pending';
  if (votersChanged(s.configurations.current.configuration, configuration) > 1) return 'notOneVoter';
  return undefined;
}
