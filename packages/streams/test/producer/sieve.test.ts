import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sieve } from '../../src/producer/sieve.ts';
import { type Block, BlockCursor, BlockWriter, scanBlock } from '../../src/wire/block.ts';

/** Data that are wanted when they are even, in runs that are blocks. */
const runs = fc.array(fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 20 }), { maxLength: 20 });

function numbersIn(block: Block): [place: number, value: number][] {
  const cursor = new BlockCursor(block);
  const numbers: [number, number][] = [];
  while (!cursor.isDone) {
    const [value] = cursor.take();
    numbers.push([cursor.sequence, value as number]);
  }
  return numbers;
}

describe('a sieve', () => {
  it('leaves what is wanted, at its place, in blocks that follow on each other', () => {
    fc.assert(
      fc.property(runs, fc.nat({ max: 1_000 }), (data, first) => {
        const sieve = new Sieve((datum) => (datum as number) % 2 === 0, first);
        const writer = new BlockWriter();
        const seen: [number, number][] = [];
        let sequence = first;
        let told = first;
        const follow = (block: Block | undefined): void => {
          if (block === undefined) return;
          const scanned = scanBlock(block.bytes);
          expect(scanned).toMatchObject({ first: told, next: block.next, count: block.count });
          told = scanned.next;
          seen.push(...numbersIn(scanned));
        };
        for (const run of data) {
          for (const value of run) {
            sieve.look(sequence, value);
            writer.append(sequence++, Uint8Array.of(value));
          }
          follow(sieve.sift(writer.seal()));
        }
        follow(sieve.rest(sequence));
        expect(told).toBe(sequence);
        const all = data.flat().map((value, index): [number, number] => [first + index, value]);
        expect(seen).toEqual(all.filter(([, value]) => value % 2 === 0));
      }),
    );
  });

  it('says how far the producer is when nothing is wanted for long', () => {
    const sieve = new Sieve(() => false, 0);
    const writer = new BlockWriter();
    const told: number[] = [];
    for (let sequence = 0; sequence < 5_000; sequence++) {
      sieve.look(sequence, 1);
      writer.append(sequence, Uint8Array.of(1));
      const block = sieve.sift(writer.seal());
      if (block !== undefined) told.push(block.next);
    }
    expect(told).toEqual([1_024, 2_048, 3_072, 4_096]);
    expect(sieve.rest(5_000)).toMatchObject({ first: 4_096, next: 5_000, count: 0 });
    expect(sieve.rest(5_000)).toBeUndefined();
  });
});
