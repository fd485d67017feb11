// A message comes: first what its term means (Raft §5.1), then what it says.

import {
  handlePreVoteRequest,
  handlePreVoteResponse,
  handleTimeoutNow,
  handleVoteRequest,
  handleVoteResponse,
  isLeaderAlive,
} from './election.ts';
import { handleAppend, handleCatchUp, handleHeartbeat } from './follow.ts';
import { invariant } from './invariant.ts';
import { handleAppendResponse, handleHeartbeatResponse } from './lead.ts';
import type { AppendRequest, CatchUpRequest, HeartbeatRequest, Message } from './messages.ts';
import { handleReadRequest, handleReadResponse } from './reads.ts';
import { becomeFollower } from './roles.ts';
import { type State, sendDurably } from './state.ts';

type FromLeader = AppendRequest | HeartbeatRequest | CatchUpRequest;

export function step(s: State, message: Message): void {
  invariant(message.to === s.id, `a message to ${message.to} came to ${s.id}`);
  if (message.term > s.term && !enterTermOf(s, message)) return;
  if (message.term < s.term && !isOfAnyTerm(message)) {
    answerFromLaterTerm(s, message);
    return;
  }
  if (isFromLeader(message)) follow(s, message);
  else handle(s, message);
}

/** A later term ends the own one; but for questions about it, and for votes that a living leader makes void. */
function enterTermOf(s: State, message: Message): boolean {
  if (message.type === 'preVoteRequest') return true;
  if (message.type === 'preVoteResponse' && message.granted) return true;
  if (message.type === 'voteRequest' && !message.isTransfer && isLeaderAlive(s)) return false;
  becomeFollower(s, message.term, isFromLeader(message) ? message.from : undefined);
  return true;
}

/** A read index is asked for and given whatever the asker knows of terms. */
function isOfAnyTerm(message: Message): boolean {
  return message.type === 'readRequest' || message.type === 'preVoteRequest';
}

/** A leader or candidate that time has passed by learns of it; else it might go on without any follower (§9.6 and 6.2). */
function answerFromLaterTerm(s: State, message: Message): void {
  const header = { from: s.id, to: message.from, term: s.term };
  if (isFromLeader(message)) sendDurably(s, { ...header, type: 'appendResponse', match: s.matched });
  if (message.type === 'voteRequest') sendDurably(s, { ...header, type: 'voteResponse', granted: false });
}

function follow(s: State, message: FromLeader): void {
  if (s.role !== 'follower' || s.leader !== message.from) becomeFollower(s, s.term, message.from);
  else s.electionTicks = 0;
  if (message.type === 'append') handleAppend(s, message);
  else if (message.type === 'heartbeat') handleHeartbeat(s, message);
  else handleCatchUp(s, message);
}

function handle(s: State, message: Exclude<Message, FromLeader>): void {
  switch (message.type) {
    case 'preVoteRequest':
      handlePreVoteRequest(s, message);
      break;
    case 'preVoteResponse':
      handlePreVoteResponse(s, message);
      break;
    case 'voteRequest':
      handleVoteRequest(s, message);
      break;
    case 'voteResponse':
      handleVoteResponse(s, message);
      break;
    case 'appendResponse':
      if (s.lead) handleAppendResponse(s, s.lead, message);
      break;
    case 'heartbeatResponse':
      if (s.lead) handleHeartbeatResponse(s, s.lead, message);
      break;
    case 'timeoutNow':
      handleTimeoutNow(s, message);
      break;
    case 'readRequest':
      handleReadRequest(s, message);
      break;
    case 'readResponse':
      handleReadResponse(s, message);
      break;
  }
}

function isFromLeader(message: Message): message is FromLeader {
  return message.type === 'append' || message.type === 'heartbeat' || message.type === 'catchUp';
}
