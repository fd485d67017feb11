import { BlockCursor, BlockWriter } from '@mosaik/streams';
import { expect, it } from 'vitest';
import type { KeptBlock } from '../../src/index.ts';
import { createPlace } from './place.ts';
import { newLog, PRODUCER, STREAM } from './programs/ledger.ts';

const ITEMS = 1_000_000;
const SIZE = 75;

function* blocksOf(count: number): Generator<KeptBlock, void, void> {
  const writer = new BlockWriter();
  const datum = new Uint8Array(SIZE);
  const view = new DataView(datum.buffer);
  for (let offset = 0; offset < count; offset++) {
    view.setFloat64(0, offset);
    writer.append(offset, datum);
    if (writer.isFull || offset === count - 1) yield { ...writer.seal(), timeMs: offset };
  }
}

it('a million data are kept, found and read back in order, by another store too', {
  timeout: 120_000,
}, async () => {
  await using place = createPlace();
  const store = place.open();
  const log = await store.openOwn(STREAM, PRODUCER, newLog);
  await Promise.all(Array.from(blocksOf(ITEMS), (block) => log.append(block)));
  expect(log.extent).toMatchObject({ first: 0, next: ITEMS });
  await store.close();

  const again = await place.open().openOwn(STREAM, PRODUCER, newLog);
  let expected = 0;
  while (expected < ITEMS) {
    for (const block of await again.read(expected, 1_000_000)) {
      const cursor = new BlockCursor(block);
      while (!cursor.isDone) {
        const datum = cursor.take();
        if (new DataView(datum.buffer, datum.byteOffset).getFloat64(0) !== expected) break;
        expected++;
      }
      expect(block.next).toBe(expected);
    }
  }
  const found = await again.offsetAt(700_000);
  expect((await again.read(found, 1))[0]).toMatchObject({ first: found });
  expect(found).toBeGreaterThan(699_000);
  expect(found).toBeLessThan(702_000);
});
