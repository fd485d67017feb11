import type { Link } from '@mosaik/transport';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createWorld, type Fault, type World } from '../src/index.ts';
import { linkBetween, type Numbered, Numbers } from './support/protocols.ts';

/** Sends numbers in bursts, as fast as the link takes them or slower. */
async function sendAll(world: World, link: Link<Numbered>, count: number, pauseMs: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await link.send({ n });
    if (n % 10 === 9 && pauseMs > 0) await world.sleep(pauseMs);
  }
  await link.close();
}

async function readAll(world: World, link: Link<Numbered>, pauseMs: number): Promise<number[]> {
  const received: number[] = [];
  for await (const { n } of link) {
    received.push(n);
    if (n % 25 === 24 && pauseMs > 0) await world.sleep(pauseMs);
  }
  return received;
}

const trouble = fc.oneof(
  fc.record({ kind: fc.constant('partition' as const), forMs: fc.integer({ min: 1, max: 4_900 }) }),
  fc.record({ kind: fc.constant('one way' as const), forMs: fc.integer({ min: 1, max: 4_900 }) }),
  fc.record({ kind: fc.constant('other way' as const), forMs: fc.integer({ min: 1, max: 4_900 }) }),
  fc.record({ kind: fc.constant('slow' as const), forMs: fc.integer({ min: 1, max: 3_000 }) }),
  fc.record({ kind: fc.constant('delay' as const), forMs: fc.integer({ min: 1, max: 3_000 }) }),
  fc.record({ kind: fc.constant('stall' as const), forMs: fc.integer({ min: 1, max: 4_900 }) }),
);

type Trouble = typeof trouble extends fc.Arbitrary<infer T> ? T : never;

function start(world: World, { kind, forMs }: Trouble): Fault | undefined {
  const [a, b] = world.hosts;
  switch (kind) {
    case 'partition':
      return world.faults.partition([a!], [b!]);
    case 'one way':
      return world.faults.oneWay(a!, b!);
    case 'other way':
      return world.faults.oneWay(b!, a!);
    case 'slow':
      return world.faults.slow(a!, b!, { latencyMs: 200, jitterMs: 300, bytesPerSecond: 20_000 });
    case 'delay':
      return world.faults.delaySome({ share: 0.3, byMs: 700 });
    case 'stall':
      b!.stall(forMs);
      return undefined;
  }
}

it('links are ordered and complete through partitions, delays, slowness and stalls that end in time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.integer(),
        troubles: fc.array(trouble, { maxLength: 6 }),
        sendPauseMs: fc.integer({ min: 0, max: 50 }),
        readPauseMs: fc.integer({ min: 0, max: 50 }),
      }),
      async ({ seed, troubles, sendPauseMs, readPauseMs }) => {
        const world = createWorld({ seed, network: { latencyMs: 3, jitterMs: 10 } });
        await world.run(async () => {
          const [a, b] = [world.host('a').transport(), world.host('b').transport()];
          const { near, far } = await linkBetween(a, b, Numbers);
          const count = 400;
          // Each direction has a link of its own: a close ends both directions of one.
          const other = await linkBetween(b, a, Numbers);
          const reading = [readAll(world, far, readPauseMs), readAll(world, other.far, readPauseMs)];
          const sending = [sendAll(world, near, count, sendPauseMs), sendAll(world, other.near, count, 0)];
          for (const one of troubles) {
            const fault = start(world, one);
            await world.sleep(one.forMs);
            fault?.heal();
            await world.sleep(20);
          }
          await Promise.all(sending);
          const expected = Array.from({ length: count }, (_, n) => n);
          expect(await Promise.all(reading)).toEqual([expected, expected]);
        });
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);
