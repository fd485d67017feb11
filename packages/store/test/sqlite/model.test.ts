import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type KeptBlock, type LogStorage, type LogStore, memory } from '../../src/index.ts';
import { createPlace } from './place.ts';
import { blockAt, MIRRORED } from './programs/ledger.ts';

const RUNS = process.env['MOSAIK_SIM'] === 'long' ? 100 : 8;

type Step =
  | { readonly kind: 'append'; readonly skip: number; readonly counts: readonly number[] }
  | { readonly kind: 'trim'; readonly share: number }
  | { readonly kind: 'read' | 'offsetAt' | 'offsetWithin'; readonly share: number }
  | { readonly kind: 'reopen' };

const share = fc.double({ min: 0, max: 1.1, noNaN: true });
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        skip: fc.oneof(fc.constant(0), fc.nat(50)),
        counts: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('trim' as const), share }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('read' as const, 'offsetAt' as const, 'offsetWithin' as const),
        share,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  ),
  { minLength: 5, maxLength: 40 },
);

/** What can be compared of blocks. */
function seen(blocks: readonly KeptBlock[]): unknown[] {
  return blocks.map(({ first, next, count, timeMs, bytes }) => [
    first,
    next,
    count,
    timeMs,
    Buffer.from(bytes),
  ]);
}

async function take(log: LogStorage, step: Step): Promise<unknown> {
  const { first, next, bytes, newestMs } = log.extent;
  switch (step.kind) {
    case 'append': {
      let end = next + step.skip;
      // Each begins where the one before ends; all are under way at once.
      const blocks = step.counts.map((count) => {
        const block = blockAt(end, end + count);
        end = block.next;
        return block;
      });
      return await Promise.all(blocks.map((block) => log.append(block)));
    }
    case 'trim':
      return await log.trim(Math.round(first + step.share * (next - first)));
    case 'read':
      return seen(await log.read(Math.round(step.share * next), 20_000));
    case 'offsetAt':
      return await log.offsetAt(Math.round(step.share * newestMs));
    case 'offsetWithin':
      return await log.offsetWithin(Math.round(step.share * bytes));
    case 'reopen':
      return undefined;
  }
}

it('does what a log in memory does', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      await using place = createPlace();
      const model = await memory().openMirror(MIRRORED);
      let store: LogStore = place.open();
      let log = await store.openMirror(MIRRORED);
      for (const step of all) {
        if (step.kind === 'reopen') {
          await store.close();
          store = place.open();
          log = await store.openMirror(MIRRORED);
        }
        expect(await take(log, step)).toEqual(await take(model, step));
        expect(log.extent).toEqual(model.extent);
      }
    }),
    { numRuns: RUNS },
  );
});

it('has the same ends when it is opened again, whatever was under way at once', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      await using place = createPlace();
      const store = place.open();
      const log = await store.openMirror(MIRRORED);
      const works: Promise<unknown>[] = [];
      let end = 0;
      for (const step of all) {
        if (step.kind === 'append') {
          const first = end + step.skip;
          end = first + (step.counts[0] ?? 1);
          works.push(Promise.resolve(log.append(blockAt(first, end))));
        } else works.push(take(log, step));
        // Some are waited for, so that there is something to trim.
        if (step.kind === 'reopen' || step.kind === 'offsetAt') await works.at(-2);
      }
      await Promise.all(works);
      const { extent } = log;
      expect(extent.next).toBe(end);
      await store.close();
      expect((await place.open().openMirror(MIRRORED)).extent).toEqual(extent);
    }),
    { numRuns: 2 * RUNS },
  );
});
