import { advanceCommit } from './commit.ts';
import { tickElection } from './election.ts';
import { takeCommitted, takeSnapshot } from './follow.ts';
import { invariant } from './invariant.ts';
import { tickLead } from './lead.ts';
import type { TestOptions } from './options.ts';
import { type Told, takeOutput } from './output.ts';
import { propose, proposeConfiguration } from './propose.ts';
import type { Raft, RaftOptions, WriteToken } from './raft.ts';
import { requestRead } from './reads.ts';
import { restartElectionTimer } from './roles.ts';
import { createState, progressOf, type State, send } from './state.ts';
import { createStatus } from './status.ts';
import { step } from './step.ts';
import { transferLeadership } from './transfer.ts';
import type { LogIndex, MemberId, SnapshotMeta } from './types.ts';

/**
 * A member of a group, as of what its storage held. See {@link Raft} for how it is driven.
 *
 * @throws {RaftInvariantError} when the options contradict each other, or what was stored is not one history.
 */
export function createRaft(options: RaftOptions): Raft {
  return createRaftWith(options);
}

/** The same, with rules that tests replace. */
export function createRaftWith(options: RaftOptions & TestOptions): Raft {
  const s = createState(options);
  const told: Told = { leadership: undefined };
  restartElectionTimer(s);
  return {
    id: s.id,
    status: createStatus(s),
    step: (message) => step(s, message),
    tick: () => tick(s),
    propose: (commands) => propose(s, commands),
    proposeConfiguration: (configuration) => proposeConfiguration(s, configuration),
    requestRead: (context) => requestRead(s, context),
    transferLeadership: (to) => transferLeadership(s, to),
    persisted: (token) => persisted(s, token),
    appliedTo: (index) => appliedTo(s, index),
    snapshotAt: (index) => snapshotAt(s, index),
    compacted: (upTo) => s.configurations.forgetBefore(upTo),
    installSnapshot: (meta, term) => takeSnapshot(s, meta, term),
    catchUp: (range) => takeCommitted(s, range),
    reportUnreachable: (member) => reportUnreachable(s, member),
    takeOutput: (options) => takeOutput(s, told, options),
  };
}

function tick(s: State): void {
  s.stalledTicks = s.writes.isUnderWay ? s.stalledTicks + 1 : 0;
  if (s.lead) tickLead(s, s.lead);
  else tickElection(s);
}

/** What was held back for the disk leaves, the own vote and acknowledgement among it. */
function persisted(s: State, token: WriteToken): void {
  const { messages, snapshot } = s.writes.persisted(token);
  s.stalledTicks = 0;
  if (snapshot) {
    s.outbox.restore = snapshot;
    s.handedOut = snapshot.index;
  }
  for (const message of messages) {
    if (message.to === s.id) step(s, message);
    else send(s, message);
  }
  advanceCommit(s);
}

function appliedTo(s: State, index: LogIndex): void {
  invariant(index <= s.handedOut, `index ${index} is said to be applied, but was not handed out`);
  if (index <= s.applied) return;
  s.applied = index;
  s.applyingBytes = Math.max(0, s.applyingBytes - s.log.applied(index));
}

function snapshotAt(s: State, index: LogIndex): SnapshotMeta | undefined {
  const term = index <= s.applied ? s.log.termAt(index) : undefined;
  const configuration = s.configurations.at(index);
  return term === undefined || configuration === undefined ? undefined : { index, term, configuration };
}

function reportUnreachable(s: State, member: MemberId): void {
  const follower = s.lead && progressOf(s.lead, member);
  if (follower?.state !== 'replicate') return;
  follower.becomeProbe((follower.match + 1) as LogIndex);
  follower.isPaused = true;
}
