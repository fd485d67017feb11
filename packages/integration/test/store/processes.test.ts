import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inFolder } from '../support/folder.ts';
import { type StoreProcess, startStore } from '../support/store.ts';
import { until } from '../support/wait.ts';

const ITEMS = 1_000_000;
const LIVE = 10_000;
/** So that the kills find it in the middle. */
const PER_SECOND = 150_000;

/** Ends a producer as `kill -9` does, while the joiner is in the middle, and starts the next. */
async function replace(producer: StoreProcess, joiner: StoreProcess, path: string): Promise<StoreProcess> {
  producer.signal('SIGKILL');
  await producer.exited;
  const { data } = await joiner.report();
  expect(data).toBeGreaterThan(0);
  expect(data).toBeLessThan(ITEMS);
  return await startStore('producer', { bootstrap: [joiner.address], retainAt: path });
}

describe('a late joiner', () => {
  it('sees a million retained items once and in order, though their producer is killed twice, and then live ones', {
    timeout: 180_000,
  }, async () => {
    await inFolder(async (folder) => {
      const path = join(folder, 'entries.sqlite');
      await using joiner = await startStore('joiner');
      let producer = await startStore('producer', { bootstrap: [joiner.address], retainAt: path });
      try {
        await producer.send(ITEMS);
        await joiner.join(PER_SECOND);
        const reaches = (count: number): Promise<void> =>
          until(`the joiner has ${count} items`, 60_000, async () => (await joiner.report()).data >= count);
        await reaches(ITEMS / 5);
        producer = await replace(producer, joiner, path);
        await reaches((3 * ITEMS) / 5);
        producer = await replace(producer, joiner, path);
        await reaches(ITEMS);
        await producer.send(LIVE);
        await reaches(ITEMS + LIVE);
        const total = ITEMS + LIVE;
        expect(await joiner.report()).toMatchObject({ data: total, next: total, gaps: 0, misplaced: [] });
        expect((await joiner.report()).isCaughtUp).toBe(true);
      } finally {
        await producer[Symbol.asyncDispose]();
      }
    });
  });

  it('misses nothing of what is sent at full speed while its producer is killed and joined', {
    timeout: 240_000,
  }, async () => {
    await inFolder(async (folder) => {
      const path = join(folder, 'entries.sqlite');
      await using joiner = await startStore('joiner');
      await joiner.join(Number.MAX_SAFE_INTEGER);
      for (let life = 0; life < 3; life++) {
        const producer = await startStore('producer', { bootstrap: [joiner.address], retainAt: path });
        const before = (await joiner.report()).data;
        // Not awaited: it is killed in the middle.
        producer.send(ITEMS).catch(() => {});
        await until('the joiner follows', 30_000, async () => (await joiner.report()).data > before + 20_000);
        producer.signal('SIGKILL');
        await producer.exited;
      }
      await using last = await startStore('producer', { bootstrap: [joiner.address], retainAt: path });
      const end = await last.send(LIVE);
      // There may be millions of items to catch up with.
      await until('the joiner has the last', 90_000, async () => (await joiner.report()).next === end);
      expect(await joiner.report()).toMatchObject({ data: end, gaps: 0, misplaced: [] });
    });
  });
});
