import { createWorld } from '@mosaik/testing';
import { expect, it } from 'vitest';
import { Puller } from '../../src/catch-up/puller.ts';
import type { Replica } from '../../src/driver/replica.ts';
import type { CommittedRange } from '../../src/raft/raft.ts';
import type { Entry, LogIndex, MemberId, Term } from '../../src/raft/types.ts';
import type { LogStorage } from '../../src/storage/storage.ts';
import type { GroupMessage } from '../../src/wire/messages.ts';

const LAST = 40_000 as LogIndex;
const TERM = 3 as Term;
const LEADER = 'leader' as MemberId;
const LATE = 'late' as MemberId;

function entriesFrom(from: number, to: number): Entry[] {
  const data = new Uint8Array(0);
  return Array.from({ length: to - from + 1 }, (_, place) => ({
    index: (from + place) as LogIndex,
    term: TERM,
    kind: 'command' as const,
    data,
  }));
}

it('a member that is bonded while others are pulled from is pulled from as well', async () => {
  const world = createWorld({ seed: 1 });
  await world.run(async () => {
    const members: MemberId[] = [LEADER];
    const given = new Map<MemberId, number>();
    const handed: number[] = [];
    const answerTo = (id: MemberId, question: GroupMessage): void => {
      if (question.kind === 'rangeAsk') {
        const held = { base: 0 as LogIndex, commit: LAST, term: TERM, snapshot: 0 as LogIndex };
        puller.answered({ kind: 'range', id: question.id, held });
      } else if (question.kind === 'entriesAsk') {
        given.set(id, (given.get(id) ?? 0) + 1);
        if (given.get(LEADER) === 3 && !members.includes(LATE)) members.push(LATE);
        const entries = entriesFrom(question.from, question.to);
        puller.answered({ kind: 'entries', id: question.id, from: question.from, entries });
      }
    };
    const replica = {
      isBusyWithSnapshot: false,
      catchUp: ({ entries }: CommittedRange) => {
        handed.push(...entries.map(({ index }) => index));
        return true;
      },
    };
    const puller = new Puller({
      runtime: world.runtime,
      log: {} as LogStorage,
      replica: replica as unknown as Replica,
      members: () => members,
      send: (id, question) => {
        void world.sleep(5).then(() => answerTo(id, question));
        return true;
      },
      lockSnapshots: () => undefined,
    });
    await puller.pull({ from: 1 as LogIndex, to: LAST, leader: LEADER });
    expect(handed).toEqual(entriesFrom(1, LAST).map(({ index }) => index));
    expect(given.get(LATE)).toBeGreaterThan(5);
  });
});
