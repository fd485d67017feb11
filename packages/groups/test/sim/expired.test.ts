import { expect, it } from 'vitest';
import { SESSION_LIMITS, SessionExpiredError } from '../../src/machine/index.ts';
import { inWorld } from '../support/world.ts';
import { describe as describeNodes, isFormed, leaderOf, type Node, startCluster } from './cluster.ts';

it('a member that was away for so long that its session is forgotten says which commands may be applied', () =>
  inWorld({ seed: 1 }, async (world) => {
    const nodes = await startCluster(world, 3);
    await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
    const leader = leaderOf(nodes) as Node;
    const [away] = nodes.filter((node) => node !== leader) as [Node];
    await away.group.execute({ put: 'x', value: 0 });
    // Its command does not get away, and it does not stand for election for an hour.
    const cut = world.faults.isolate(away.host);
    away.host.stall(SESSION_LIMITS.idleMs + 60_000);
    const call = away.group.execute({ put: 'x', value: 1 }).catch((error: unknown) => error);
    await world.sleep(SESSION_LIMITS.idleMs + 1_000);
    for (let value = 0; value <= SESSION_LIMITS.idleEntries; value++)
      await leader.group.execute({ put: 'y', value });
    cut.heal();
    const error = await call;
    expect(error).toBeInstanceOf(SessionExpiredError);
    expect(error).toMatchObject({ effect: 'unknown', command: { put: 'x', value: 1 } });
    // The next one is of another session.
    expect((await away.group.execute({ put: 'x', value: 2 })).result).toEqual({ done: true, before: 0 });
    await world
      .until(() => isFormed(nodes, 3), { withinMs: 60_000 })
      .catch((thrown) => {
        throw new Error(`${thrown.message}\n${describeNodes(nodes)}`);
      });
  }));
