import { describe, expect, it } from 'vitest';
import { createWorld } from '../src/index.ts';
import { Seed } from '../src/random/seed.ts';
import { Sfc32 } from '../src/random/sfc32.ts';

const draw = (random: { uint32(): number }, count: number): number[] =>
  Array.from({ length: count }, () => random.uint32());

/** sfc32 written a second time, in 64-bit arithmetic, from the description of its author. */
function* reference(seed: readonly bigint[]): Generator<number> {
  const mask = 0xffff_ffffn;
  let [a, b, c] = seed as [bigint, bigint, bigint];
  let counter = 1n;
  for (let round = 0; ; round++) {
    const out = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = (((c << 21n) & mask) | (c >> 11n)) + out;
    c &= mask;
    if (round >= 12) yield Number(out);
  }
}

describe('randomness', () => {
  it('is sfc32', () => {
    const expected = reference([1n, 2n, 0xffff_fffen]);
    const random = new Sfc32([1, 2, -2]);
    for (const value of draw(random, 1_000)) expect(value).toBe(expected.next().value);
  });

  it('is uniform, as far as a simple test can see', () => {
    const random = new Seed('uniform').stream('x');
    const buckets = new Array<number>(256).fill(0);
    for (const byte of random.bytes(256 * 1_000)) buckets[byte]!++;
    // Chi-squared with 255 degrees of freedom: 99.99 % lie between 176 and 352.
    const chiSquared = buckets.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    expect(chiSquared).toBeGreaterThan(176);
    expect(chiSquared).toBeLessThan(352);
    const numbers = Array.from({ length: 10_000 }, () => random.next());
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(numbers.reduce((sum, value) => sum + value, 0) / numbers.length).toBeCloseTo(0.5, 1);
  });

  it('gives any number of bytes', () => {
    const random = new Seed(1).stream('bytes');
    for (const count of [0, 1, 3, 4, 5, 100]) expect(random.bytes(count)).toHaveLength(count);
  });

  it('splits into streams that depend on the seed and the label only', () => {
    const one = draw(new Seed(1).stream('a'), 10);
    const seed = new Seed(1);
    draw(seed.stream('b'), 1_000);
    expect(draw(seed.stream('a'), 10)).toEqual(one);
    expect(draw(new Seed('1').stream('a'), 10)).toEqual(one);
    expect(draw(new Seed(2).stream('a'), 10)).not.toEqual(one);
    expect(draw(new Seed(1).stream('b'), 10)).not.toEqual(one);
  });

  it('of a host does not shift when hosts are added before or after it', () => {
    const drawOf = (...names: string[]): number[] => {
      const world = createWorld({ seed: 7 });
      const hosts = names.map((name) => world.host(name));
      const host = hosts[names.indexOf('b')]!;
      return Array.from({ length: 5 }, () => host.runtime.random());
    };
    expect(drawOf('a', 'b', 'c')).toEqual(drawOf('b'));
    expect(drawOf('b', 'x')).toEqual(drawOf('b'));
  });

  it('of a host starts anew with each life, differently', () => {
    const world = createWorld({ seed: 7 });
    const host = world.host('a');
    const first = host.runtime.randomBytes(8);
    host.crash();
    host.restart();
    expect(host.runtime.randomBytes(8)).not.toEqual(first);
  });
});
