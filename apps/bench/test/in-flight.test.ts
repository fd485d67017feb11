import { expect, it } from 'vitest';
import { pipelined } from '../src/in-flight.ts';

it('pipelined work is done once each, with no more than so many under way', async () => {
  const done: number[] = [];
  let underWay = 0;
  let most = 0;
  await pipelined(100, 7, async (index) => {
    most = Math.max(most, ++underWay);
    await Promise.resolve();
    done.push(index);
    underWay--;
  });
  expect(most).toBe(7);
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
});
