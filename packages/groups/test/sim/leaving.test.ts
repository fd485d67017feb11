import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/world.ts';
import { isFormed, type Node, startNode } from './cluster.ts';

/** Leaves a group of one at a chosen moment of having come to it; the group has to go on. */
async function comeAndGo(
  world: World,
  untilMoment: (first: Node, guest: Node) => Promise<void>,
): Promise<void> {
  const first = await startNode(world, 'n0');
  await world.until(() => isFormed([first], 1));
  await first.group.execute({ put: 'x', value: 1 });
  const guest = await startNode(world, 'guest', { bootstrap: ['sim://n0'] });
  await untilMoment(first, guest);
  await guest.close();
  await world.until(() => first.group.stats.voters.length === 1, { withinMs: 10_000 });
  const { result } = await first.group.query({ get: 'x' }, 'strong');
  expect(result.entries[0]?.value).toBe(1);
  await first.group.execute({ put: 'y', value: 2 });
}

describe('a member that comes and goes again at once', () => {
  it.each([1, 2, 3, 4, 5])(
    'leaves a group that goes on when it is just being made a voter (seed %i)',
    (seed) =>
      inWorld({ seed }, (world) =>
        // The leader counts it as a voter as soon as that is in its log; the guest has not heard of it yet.
        comeAndGo(world, (first) =>
          world.until(() => first.group.stats.voters.length === 2, { everyMs: 0.05 }),
        ),
      ).then(() => {}),
  );

  it.each([0, 100, 200, 300, 400, 500, 700, 900])('leaves a group that goes on after %i ms', (stayMs) =>
    inWorld({ seed: stayMs + 1 }, (world) =>
      comeAndGo(world, async (_, guest) => {
        await world.until(() => guest.group.stats.leader !== undefined);
        await world.sleep(stayMs);
      }),
    ).then(() => {}),
  );
});
