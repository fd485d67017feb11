import { describe, expect, it } from 'vitest';
import type { LogIndex, MemberId, Term } from '../../src/raft/types.ts';
import type { GroupMessage } from '../../src/wire/messages.ts';
import {
  chunksOf,
  entriesFrom,
  INDEX,
  inPulling,
  LATE,
  LEADER,
  type Other,
  type Pulling,
  TERM,
} from './pulling.ts';

const LAST = 40_000 as LogIndex;
const OTHER = 'other' as MemberId;
const CHUNKS = 50;

/** One that has all entries. */
function whole(id: MemberId, rest: Partial<Other> = {}): Other {
  return { id, base: 0, commit: LAST, ...rest };
}

/** One whose log is pruned up to its snapshot. */
function pruned(id: MemberId, rest: Partial<Other> = {}): Other {
  return { id, base: INDEX, commit: INDEX, snapshot: chunksOf(CHUNKS), ...rest };
}

async function pullEntries({ puller, handed }: Pulling): Promise<void> {
  await puller.pull({ from: 1 as LogIndex, to: LAST, leader: LEADER });
  expect(handed).toEqual(entriesFrom(1, LAST).map(({ index }) => index));
}

async function pullSnapshot({ puller, installed }: Pulling): Promise<void> {
  await puller.pull({ from: 1 as LogIndex, to: INDEX, leader: LEADER });
  expect(installed).toHaveLength(1);
  const manifest = await installed[0]?.stage.commit();
  expect(manifest?.root).toEqual(chunksOf(CHUNKS).manifest.root);
}

describe('entries', () => {
  it('are pulled, too, from a member that is bonded while others are pulled from', () => {
    const others: Other[] = [];
    const bondLate = (nth: number): undefined => {
      if (nth === 3 && others.length === 1) others.push(whole(LATE));
    };
    others.push(
      whole(LEADER, {
        fails: (question, nth) => (question.kind === 'entriesAsk' ? bondLate(nth) : undefined),
      }),
    );
    return inPulling(others, async (pulling) => {
      await pullEntries(pulling);
      expect(pulling.count('entriesAsk', LATE)).toBeGreaterThan(5);
    });
  });

  it('that are lost on their way are asked for again', () =>
    inPulling(
      [
        whole(LEADER, {
          fails: ({ kind }, nth) => (kind === 'entriesAsk' && nth % 7 === 0 ? 'lost' : undefined),
        }),
      ],
      async (pulling) => {
        await pullEntries(pulling);
        expect(pulling.count('rangeAsk')).toBe(1);
      },
    ));

  it('that come later than they are waited for are taken', () =>
    inPulling([whole(LEADER, { delayMs: 4_500 })], async (pulling) => {
      await pullEntries(pulling);
      expect(pulling.count('rangeAsk')).toBe(1);
      expect(pulling.count('entriesAsk')).toBeLessThan(26);
    }));

  it.each([
    [15, 1],
    [40, 20],
  ])('are pulled also over a way that takes %d ms for each, longer than is waited for', (entryMs, pulls) => {
    const last = 4_000;
    let freeAtMs = 0;
    const delayMs = (question: GroupMessage, nowMs: number): number => {
      const count = question.kind === 'entriesAsk' ? Math.min(question.to, last) - question.from + 1 : 0;
      freeAtMs = Math.max(nowMs, freeAtMs) + entryMs * count + 5;
      return freeAtMs - nowMs;
    };
    return inPulling([whole(LEADER, { commit: last, delayMs })], async ({ world, puller, handed, count }) => {
      while (handed.length < last && world.now < 1_000_000) {
        await puller.pull({ from: (handed.length + 1) as LogIndex, to: last as LogIndex, leader: LEADER });
        await world.sleep(200);
      }
      expect(handed).toHaveLength(last);
      // Of what is asked for twice, all has to come before anything else does.
      expect(world.now).toBeLessThan(2.5 * entryMs * last);
      expect(count('rangeAsk')).toBeLessThanOrEqual(pulls);
    });
  });

  it('that one member alone has and does not give end the pull, though others have the rest', () =>
    inPulling(
      [
        whole(LEADER, { commit: 10_000 }),
        whole(OTHER, { fails: ({ kind }) => (kind === 'entriesAsk' ? 'lost' : undefined) }),
        whole(LATE, { commit: 10_000 }),
      ],
      async ({ puller, handed }) => {
        await puller.pull({ from: 1 as LogIndex, to: LAST, leader: LEADER });
        expect(handed).toEqual(entriesFrom(1, 10_000).map(({ index }) => index));
      },
    ));
});

describe('the leader', () => {
  const stuck: Other['fails'] = ({ kind }) => (kind === 'entriesAsk' ? 'lost' : undefined);

  it('is not asked for what others give', () =>
    inPulling([whole(LEADER), whole(OTHER)], async (pulling) => {
      await pullEntries(pulling);
      expect(pulling.count('entriesAsk', LEADER)).toBe(0);
    }));

  it('is asked when others have the entries, and do not give them', () =>
    inPulling(
      [whole(LEADER), whole(OTHER, { fails: stuck }), whole(LATE, { commit: 10_000 })],
      async (pulling) => {
        await pullEntries(pulling);
        // What is on its way from the other is not waited for first.
        expect(pulling.world.now).toBeLessThan(60_000);
      },
    ));

  it('is asked for the rest when another stops giving, also in a later term, and though it was late to answer', () =>
    inPulling(
      [
        whole(LEADER, { delayMs: 450, term: 9 as Term }),
        whole(OTHER, { fails: (question, nth) => (nth > 5 ? stuck(question, nth) : undefined) }),
      ],
      async (pulling) => {
        await pullEntries(pulling);
        expect(pulling.terms.at(0)).toBe(TERM);
        expect(pulling.terms.at(-1)).toBe(9);
      },
    ));
});

describe('a snapshot', () => {
  const lateOf = (late: Other): Other[] => {
    const others: Other[] = [];
    const fails: Other['fails'] = ({ kind }, nth) => {
      if (kind === 'chunkAsk' && nth === 5) others.push(late);
      return undefined;
    };
    others.push(pruned(LEADER, { fails }));
    return others;
  };

  it('is pulled, too, from a member that is bonded while chunks are missing', () =>
    inPulling(lateOf(pruned(LATE)), async (pulling) => {
      await pullSnapshot(pulling);
      expect(pulling.count('chunkAsk', LATE)).toBeGreaterThan(15);
      expect(pulling.count('chunkAsk')).toBe(CHUNKS);
      expect(pulling.count('manifestAsk', LATE)).toBe(1);
    }));

  it('is as of the term of who offered it first, though one of a later term helps', () =>
    inPulling(lateOf(pruned(LATE, { term: 9 as Term })), async (pulling) => {
      await pullSnapshot(pulling);
      expect(pulling.count('chunkAsk', LATE)).toBeGreaterThan(15);
      expect(pulling.installed[0]?.term).toBe(TERM);
    }));

  it('is not pulled from one that is bonded later and has another', () =>
    inPulling(lateOf(pruned(LATE, { snapshot: chunksOf(CHUNKS, 1) })), async (pulling) => {
      await pullSnapshot(pulling);
      expect(pulling.count('manifestAsk', LATE)).toBe(1);
      expect(pulling.count('chunkAsk', LATE)).toBe(0);
    }));

  it('keeps what has come of it when an answer is lost', () =>
    inPulling(
      [
        pruned(LEADER, {
          fails: ({ kind }, nth) => (kind === 'chunkAsk' && nth === 50 ? 'lost' : undefined),
        }),
      ],
      async (pulling) => {
        await pullSnapshot(pulling);
        expect(pulling.count('chunkAsk')).toBe(CHUNKS + 1);
        expect(pulling.count('manifestAsk')).toBe(1);
      },
    ));

  it('keeps what has come of it when the last chunk was asked of one that is gone', () =>
    inPulling(
      [
        pruned(LEADER),
        pruned(OTHER, {
          // Slow enough that all others are done and wait when it turns out not to answer.
          fails: ({ kind }, nth) => (kind === 'chunkAsk' && nth > 3 ? 'lost' : undefined),
        }),
      ],
      async (pulling) => {
        await pullSnapshot(pulling);
        expect(pulling.count('manifestAsk')).toBe(2);
        expect(pulling.count('chunkAsk')).toBe(CHUNKS + 2);
      },
    ));

  it('keeps what has come of it while the only bond is made anew', () => {
    let isAway = false;
    const fails: Other['fails'] = ({ kind }, nth) => {
      if (kind === 'chunkAsk' && nth === 20) isAway = true;
      return undefined;
    };
    return inPulling([pruned(LEADER, { isAway: () => isAway, fails })], async (pulling) => {
      void pulling.world.sleep(3_000).then(() => {
        isAway = false;
      });
      await pullSnapshot(pulling);
      expect(pulling.count('manifestAsk')).toBe(1);
    });
  });

  it('is not pulled any more from one whose chunk was wrong', () =>
    inPulling(
      [pruned(LEADER), pruned(OTHER, { fails: ({ kind }) => (kind === 'chunkAsk' ? 'wrong' : undefined) })],
      async (pulling) => {
        await pullSnapshot(pulling);
        // Two questions at once are under way when the first answer comes.
        expect(pulling.count('chunkAsk', OTHER)).toBe(2);
      },
    ));

  it('whose chunks take longer than they are waited for is pulled once', () =>
    inPulling([pruned(LEADER, { delayMs: 4_500 })], async (pulling) => {
      await pullSnapshot(pulling);
      expect(pulling.count('manifestAsk')).toBe(1);
      expect(pulling.count('chunkAsk')).toBeLessThan(CHUNKS + 6);
    }));

  it('is given up, and forgotten, when nobody answers any more', () =>
    inPulling(
      [pruned(LEADER, { fails: ({ kind }, nth) => (kind === 'chunkAsk' && nth > 10 ? 'lost' : undefined) })],
      async ({ world, puller, installed, log, count }) => {
        await puller.pull({ from: 1 as LogIndex, to: INDEX, leader: LEADER });
        expect(installed).toEqual([]);
        expect(count('chunkAsk')).toBeLessThan(20);
        expect(world.now).toBeLessThan(100_000);
        // A stage that was not discarded would be in the way of another.
        const meta = { index: INDEX, term: TERM, configuration: { voters: [], learners: [] } };
        await (await log.stageSnapshot(meta)).discard();
      },
    ));

  it('is given up at once when the puller is closed', () =>
    inPulling([pruned(LEADER, { delayMs: 300 })], async ({ world, puller, installed, count }) => {
      const pulling = puller.pull({ from: 1 as LogIndex, to: INDEX, leader: LEADER });
      await world.until(() => count('chunkAsk') > 6);
      puller.close();
      const closedAtMs = world.now;
      const before = count('chunkAsk');
      await pulling;
      expect(world.now).toBe(closedAtMs);
      expect(count('chunkAsk')).toBe(before);
      expect(installed).toEqual([]);
    }));
});

describe('a puller that is closed during a survey asks nothing more', () => {
  const closed = (others: Other[], to: LogIndex): Promise<void> =>
    inPulling(others, async ({ world, puller, asked }) => {
      const pulling = puller.pull({ from: 1 as LogIndex, to, leader: LEADER });
      await world.sleep(100);
      puller.close();
      const [count, atMs] = [asked.length, world.now];
      await pulling;
      expect([asked.length, world.now]).toEqual([count, atMs]);
    });

  it('of entries', () => closed([whole(OTHER), whole(LEADER, { delayMs: 300 })], LAST));

  it('of snapshots', () =>
    closed(
      [pruned(OTHER), pruned(LEADER, { fails: ({ kind }) => (kind === 'rangeAsk' ? 'lost' : undefined) })],
      INDEX,
    ));

  it('of members that have nothing to give', () =>
    closed([{ id: OTHER, base: 0, commit: 0 }, pruned(LEADER, { delayMs: 300 })], INDEX));
});

describe('a survey', () => {
  it('of members that all take longer than it waits goes on', () =>
    inPulling([pruned(LEADER, { delayMs: 900 })], pullSnapshot));

  it('does not end with the answer of one that is as late as this member', () =>
    inPulling([{ id: LATE, base: 0, commit: 0 }, pruned(LEADER, { delayMs: 600 })], pullSnapshot));

  it('asks for a snapshot also whoever did not say in time that it has one', () => {
    const quick = pruned(OTHER);
    const slowRange: Other = {
      ...quick,
      id: LATE,
      fails: ({ kind }) => (kind === 'rangeAsk' ? 'lost' : undefined),
    };
    return inPulling([quick, slowRange], async (pulling) => {
      await pullSnapshot(pulling);
      expect(pulling.count('chunkAsk', LATE)).toBeGreaterThan(15);
    });
  });

  it('does not shut out whoever answers it late', () =>
    inPulling([pruned(OTHER, { delayMs: 350 }), pruned(LEADER, { delayMs: 450 })], async (pulling) => {
      await pullSnapshot(pulling);
      expect(pulling.count('chunkAsk', LEADER)).toBeGreaterThan(15);
    }));
});
