// How many proposals three cores in one process commit and apply, without disk and network: node <this file>

import { createRaft } from '../../src/raft/create.ts';
import type { Output, Raft } from '../../src/raft/raft.ts';
import type { LogIndex, MemberId, SnapshotMeta, Term } from '../../src/raft/types.ts';

const ids = ['a', 'b', 'c'] as MemberId[];
const snapshot: SnapshotMeta = {
  index: 0 as LogIndex,
  term: 0 as Term,
  configuration: { voters: ids, learners: [] },
};
const members = new Map<MemberId, Raft>(
  ids.map((id, place) => [id, createRaft({ id, random: () => place / 10, stored: { snapshot } })]),
);
const leader = members.get(ids[0]!)!;
let applied = 0;

while (leader.status.role !== 'leader') {
  leader.tick();
  settle();
}
for (const batch of [1, 10, 100, 1000]) {
  measure(batch, 100_000);
  const perSecond = measure(batch, 1_000_000);
  console.log(
    `batches of ${batch}: ${Math.round(perSecond)} proposals of 100 bytes applied by all three per second`,
  );
}

function measure(batch: number, count: number): number {
  const commands = Array.from({ length: batch }, () => new Uint8Array(100));
  applied = 0;
  const beganMs = performance.now();
  for (let proposed = 0; proposed < count; proposed += batch) {
    leader.propose(commands);
    settle();
  }
  return (applied / ids.length / (performance.now() - beganMs)) * 1000;
}

function settle(): void {
  for (let isBusy = true; isBusy; ) {
    isBusy = false;
    for (const member of members.values()) isBusy = carryOut(member, member.takeOutput()) || isBusy;
  }
}

function carryOut(member: Raft, { messages, persist, committed }: Output): boolean {
  if (persist) member.persisted(persist.token);
  const last = committed.at(-1);
  if (last) member.appliedTo(last.index);
  applied += committed.length;
  for (const message of messages) members.get(message.to)?.step(message);
  return messages.length > 0 || persist !== undefined || last !== undefined;
}
