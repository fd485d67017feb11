import { describe, expect, it } from 'vitest';
import { GroupCode } from '../../src/codes.ts';
import { inWorld } from '../support/world.ts';
import { type Node, startNode } from './members.ts';
import { counted } from './scene.ts';

describe('maxPeers', () => {
  it('holds for all groups together; further peers are refused with 30429, and come in when there is room', () =>
    inWorld({ seed: 1 }, async (world) => {
      const first = await startNode(world, 'n0', [], { maxPeers: 2 });
      const others: Node[] = [];
      for (const name of ['n1', 'n2', 'n3']) others.push(await startNode(world, name, ['sim://n0']));
      const a = first.join('a');
      const b = first.join('b');
      const [one, two, three] = others as [Node, Node, Node];
      const [inA, inB] = [one.join('a'), two.join('b')];
      await world.until(() => a.handle.bonds.size === 1 && b.handle.bonds.size === 1);
      const late = three.join('a');
      await world.until(() => inA.handle.bonds.size === 2);
      await world.until(() => counted({ nodes: [first] }, GroupCode.TooMany) > 0, { withinMs: 5_000 });
      await world.sleep(10_000);
      expect([...a.handle.bonds.keys(), ...b.handle.bonds.keys()]).toEqual([one.peer, two.peer]);
      // It keeps trying, with backoff up to 3 s.
      expect(counted({ nodes: [first] }, GroupCode.TooMany)).toBeLessThan(30);
      expect(late.handle.bonds.has(first.peer)).toBe(false);
      inB.leave();
      await world.until(() => a.handle.bonds.has(three.peer) && late.handle.bonds.has(first.peer), {
        withinMs: 20_000,
      });
      expect([...a.handle.bonds.keys()].sort()).toEqual([one.peer, three.peer].sort());
    }));
});
