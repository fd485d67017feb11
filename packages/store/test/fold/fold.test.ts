import { stream } from '@mosaik/streams';
import { describe, expect, it } from 'vitest';
import { type Fold, type FoldEvent, type FoldOptions, type LogStore, memory } from '../../src/index.ts';
import { LogDisk } from '../../src/simulated/index.ts';
import { addressOf, inWorld, type Node, range, restart, startNode, startNodes } from '../support/cluster.ts';

const Deposits = stream<{ account: string; amount: number }>('deposits');

type Balances = Record<string, number>;

const balances: FoldOptions<Balances, { account: string; amount: number }> = {
  name: 'balances',
  version: 1,
  initial: () => ({}),
  apply: (state, { account, amount }) => {
    state[account] = (state[account] ?? 0) + amount;
    return state;
  },
  snapshotEvery: 100,
};

/** Retains the stream and sends `count` deposits of 1 to ten accounts. */
async function deposit(node: Node, count: number): Promise<void> {
  const producer = node.streams.producer(Deposits);
  for (const n of range(0, count)) await producer.send({ account: `a${n % 10}`, amount: 1 });
}

function eventsOf(fold: Fold<unknown>): FoldEvent[] {
  const events: FoldEvent[] = [];
  const subscription = fold.events.subscribe();
  void (async () => {
    for await (const event of subscription) if (event.type !== 'lagged') events.push(event);
  })();
  return events;
}

const evenly = (count: number): Balances =>
  Object.fromEntries(range(0, 10).map((n) => [`a${n}`, count / 10]));

/** The methods of a store, as an object that can be spread. */
function bound(store: LogStore): LogStore {
  return {
    durability: store.durability,
    openOwn: (...args) => store.openOwn(...args),
    openMirror: (identity) => store.openMirror(identity),
    list: (id) => store.list(id),
    remove: (identity) => store.remove(identity),
    loadSnapshot: (fold) => store.loadSnapshot(fold),
    saveSnapshot: (fold, snapshot) => store.saveSnapshot(fold, snapshot),
    close: () => store.close(),
  };
}

describe('a fold', () => {
  it('is a view of what was and of what comes', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Deposits, { storage: memory() });
      await deposit(ann, 1_000);
      const view = bob.store.fold(Deposits, balances);
      await view.when().caughtUp();
      expect(view.state).toEqual(evenly(1_000));
      expect(view.offset).toBe(1_000);
      const seen: number[] = [];
      void (async () => {
        for await (const state of view.changes()) seen.push(state['a0'] ?? 0);
      })();
      await deposit(ann, 100);
      await view.when().reaches(1_100);
      expect(view.state).toEqual(evenly(1_100));
      await world.sleep(1);
      expect(seen.at(-1)).toBe(110);
      expect(view.stats).toMatchObject({ applied: 1_100, gaps: 0, restored: 0 });
    });
  });

  it('takes over the newest snapshot of another holder, and applies only what follows', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob, cyd } = await startNodes(world, 'ann', 'bob', 'cyd');
      await ann.store.retain(Deposits, { storage: memory() });
      await deposit(ann, 1_050);
      const first = bob.store.fold(Deposits, balances);
      await first.when().reaches(1_050);
      await deposit(ann, 40);
      await first.when().reaches(1_090);
      const second = cyd.store.fold(Deposits, balances);
      await second.when().reaches(first.cursor);
      expect(second.state).toEqual(first.state);
      expect(second.stats.restored).toBeGreaterThanOrEqual(1_000);
      expect(second.stats.restored + second.stats.applied).toBe(1_090);
    });
  });

  it('takes nothing over from another version', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann, bob, cyd } = await startNodes(world, 'ann', 'bob', 'cyd');
      await ann.store.retain(Deposits, { storage: memory() });
      await deposit(ann, 500);
      await bob.store.fold(Deposits, balances).when().reaches(500);
      const doubled = cyd.store.fold(Deposits, {
        ...balances,
        version: 2,
        apply: (state, { account, amount }) => ({ ...state, [account]: (state[account] ?? 0) + 2 * amount }),
      });
      await doubled.when().reaches(500);
      expect(doubled.state).toEqual(evenly(1_000));
      expect(doubled.stats).toMatchObject({ restored: 0, applied: 500 });
    });
  });

  it('goes on where it was when its process comes back, and anew when its version has changed', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const disk = new LogDisk();
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Deposits, { storage: memory() });
      await deposit(ann, 1_000);
      const view = bob.store.fold(Deposits, { ...balances, storage: disk.mount(bob.host.runtime) });
      await view.when().caughtUp();
      await world.sleep(100);
      let node = await restart(bob, ann);
      await deposit(ann, 30);
      const again = node.store.fold(Deposits, { ...balances, storage: disk.mount(node.host.runtime) });
      await again.when().reaches(1_030);
      expect(again.state).toEqual(evenly(1_030));
      expect(again.stats).toMatchObject({ restored: 1_000, applied: 30 });
      await again.close();
      node = await restart(node, ann);
      const other = node.store.fold(Deposits, {
        ...balances,
        version: 9,
        storage: disk.mount(node.host.runtime),
      });
      const events = eventsOf(other);
      await other.when().reaches(1_030);
      expect(other.stats).toMatchObject({ restored: 0, applied: 1_030 });
      expect(events).toContainEqual({ type: 'rebuilt', version: '1' });
    });
  });

  it('that ends with the store, while its last snapshot is written, has not failed', async () => {
    await inWorld({ seed: 9 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Deposits, { storage: memory() });
      await deposit(ann, 100);
      const disk = new LogDisk();
      const view = bob.store.fold(Deposits, { ...balances, storage: disk.mount(bob.host.runtime) });
      const events = eventsOf(view);
      await view.when().reaches(100);
      await deposit(ann, 30);
      await view.when().reaches(130);
      await bob.store.close();
      expect(events.map(({ type }) => type)).not.toContain('failed');
      const node = await restart(bob, ann);
      const again = node.store.fold(Deposits, { ...balances, storage: disk.mount(node.host.runtime) });
      await again.when().reaches(130);
      expect(again.stats).toMatchObject({ restored: 130, applied: 0 });
    });
  });

  it('makes itself anew when what was saved is damaged', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Deposits, { storage: memory() });
      await deposit(ann, 100);
      const storage = memory();
      const view = bob.store.fold(Deposits, { ...balances, storage });
      await view.when().caughtUp();
      await view.close();
      const damaged: typeof storage = { ...bound(storage), loadSnapshot: async () => Uint8Array.of(1, 2, 3) };
      const again = bob.store.fold(Deposits, { ...balances, storage: damaged });
      const events = eventsOf(again);
      await again.when().reaches(100);
      expect(again.state).toEqual(evenly(100));
      expect(events).toContainEqual({ type: 'rebuilt', version: undefined });
    });
  });

  it('keeps what it holds of a log that is gone, and tells what may be missing', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { bob, ann } = await startNodes(world, 'bob', 'ann');
      await ann.store.retain(Deposits, { storage: memory() });
      await deposit(ann, 100);
      const view = bob.store.fold(Deposits, balances);
      await view.when().caughtUp();
      const events = eventsOf(view);
      const again = await restart(ann, bob);
      await again.store.retain(Deposits, { storage: memory() });
      await deposit(again, 50);
      await view.when().reaches(150);
      expect(view.state).toEqual(evenly(150));
      await world.until(() => view.stats.gaps === 1);
      expect(events).toContainEqual(expect.objectContaining({ type: 'missing' }));
      const late = (await startNode(world.host('cyd'), { bootstrap: [addressOf(bob.host)] })).store;
      await view.snapshot();
      const third = late.fold(Deposits, balances);
      await third.when().reaches(150);
      expect(third.state).toEqual(evenly(150));
    });
  });

  it('tells of states that should be equal and are not', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const { ann, bob, cyd } = await startNodes(world, 'ann', 'bob', 'cyd');
      await ann.store.retain(Deposits, { storage: memory() });
      const wrong: typeof balances = {
        ...balances,
        apply: (state, { account, amount }) => ({ ...state, [account]: (state[account] ?? 0) + 3 * amount }),
      };
      const one = bob.store.fold(Deposits, balances);
      const other = cyd.store.fold(Deposits, wrong);
      await Promise.all([one.when().caughtUp(), other.when().caughtUp()]);
      await deposit(ann, 200);
      await Promise.all([one.when().reaches(200), other.when().reaches(200)]);
      const events = eventsOf(one);
      await world.until(() => one.stats.divergences > 0);
      expect(events.at(-1)).toMatchObject({ type: 'divergence', cursor: { positions: [{ next: 200 }] } });
    });
  });

  it('takes a large snapshot from several holders in chunks', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const { ann, bob, cyd, dan } = await startNodes(world, 'ann', 'bob', 'cyd', 'dan');
      await ann.store.retain(Deposits, { storage: memory() });
      const large: FoldOptions<{ log: string[] }, { account: string; amount: number }> = {
        name: 'large',
        version: 1,
        initial: () => ({ log: [] }),
        apply: (state, { account }) => {
          state.log.push(account.repeat(2_000));
          return state;
        },
        snapshotEvery: 1_000,
      };
      await deposit(ann, 1_000);
      const [one, two] = [bob.store.fold(Deposits, large), cyd.store.fold(Deposits, large)];
      await Promise.all([one.when().caughtUp(), two.when().caughtUp()]);
      const late = dan.store.fold(Deposits, large);
      await late.when().reaches(1_000);
      expect(late.stats).toMatchObject({ restored: 1_000, applied: 0 });
      expect(late.state).toEqual(one.state);
    });
  });
});
