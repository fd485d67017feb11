import type { Message } from '../../src/raft/messages.ts';
import type { ConfigurationInForce, Output, Persist } from '../../src/raft/raft.ts';
import type { Configuration, Entry, LogPosition, MemberId } from '../../src/raft/types.ts';

/** All that came out of a member, a line each. */
export function describeOutput(id: MemberId, output: Output): string[] {
  const { leadership, configuration, persist, restore, committed, catchUp } = output;
  const lines: string[] = [];
  if (leadership)
    lines.push(`is ${leadership.role} in term ${leadership.term}, led by ${leadership.leader ?? '-'}`);
  if (configuration) lines.push(describePlaced(configuration));
  for (const message of output.messages) lines.push(`-> ${message.to}: ${describeMessage(message)}`);
  if (persist) lines.push(describePersist(persist));
  if (restore) lines.push(`restores the snapshot at ${position(restore)}`);
  if (committed.length > 0) lines.push(`applies ${committed.map(describeEntry).join(', ')}`);
  for (const { context, index } of output.reads) lines.push(`read ${context} is confirmed at ${index}`);
  for (const context of output.refusedReads) lines.push(`read ${context} is refused`);
  if (catchUp) lines.push(`needs ${catchUp.from} to ${catchUp.to}, says ${catchUp.leader}`);
  return lines.map((line) => `${id} ${line}`);
}

function describeMessage(message: Message): string {
  return `${message.type} in ${message.term}${contentOf(message)}`;
}

function describeConfiguration({ voters, learners }: Configuration): string {
  return `voters ${voters.join(' ') || '-'}, learners ${learners.join(' ') || '-'}`;
}

function contentOf(message: Message): string {
  switch (message.type) {
    case 'preVoteRequest':
      return `, last ${position(message.last)}`;
    case 'voteRequest':
      return `, last ${position(message.last)}${message.isTransfer ? ', a transfer' : ''}`;
    case 'preVoteResponse':
    case 'voteResponse':
      return message.granted ? ', yes' : ', no';
    case 'append':
      return `, after ${position(message.previous)}: ${message.entries.map(describeEntry).join(', ') || '-'}; commit ${message.commit}`;
    case 'appendResponse':
      return message.rejection
        ? `, no match at ${message.rejection.index}, perhaps at ${position(message.rejection.hint)}`
        : `, match ${message.match}`;
    case 'heartbeat':
      return `, round ${message.round}, commit ${message.commit}`;
    case 'heartbeatResponse':
      return `, round ${message.round}, match ${message.match}`;
    case 'catchUp':
      return `, commit ${message.commit}`;
    case 'readRequest':
      return `, read ${message.context}`;
    case 'readResponse':
      return `, read ${message.context}: ${message.index ?? 'refused'}`;
    case 'timeoutNow':
      return '';
  }
}

function describePersist({ token, hardState, snapshot, truncateFrom, entries }: Persist): string {
  const parts: string[] = [];
  if (hardState) parts.push(`term ${hardState.term}, vote ${hardState.vote ?? '-'}`);
  if (snapshot) parts.push(`snapshot ${position(snapshot)}`);
  if (truncateFrom !== undefined) parts.push(`nothing from ${truncateFrom} on`);
  if (entries.length > 0) parts.push(`entries ${entries.map(describeEntry).join(', ')}`);
  return `writes #${token}: ${parts.join('; ')}`;
}

function describePlaced({ index, configuration, isCommitted }: ConfigurationInForce): string {
  return `configuration at ${index}${isCommitted ? ', committed' : ''}: ${describeConfiguration(configuration)}`;
}

function describeEntry({ index, term, kind, data }: Entry): string {
  return `${index}/${term} ${kind === 'command' ? `"${String.fromCharCode(...data)}"` : kind}`;
}

function position({ index, term }: LogPosition): string {
  return `${index}/${term}`;
}
