import type { Ticket } from '@mosaik/discovery';
import { deriveId, idToBytes, type PeerId, uniqueId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { createGroups } from '../../src/groups.ts';
import { NoOp } from '../../src/machine/index.ts';
import type { TicketRules } from '../../src/tickets.ts';
import { type Base, inWorld, startBase } from '../support/world.ts';

const Seat = uniqueId('test.seat');
const OPERATOR = uniqueId('what only the operator knows');

const seatOf = (peer: PeerId): Uint8Array => idToBytes(deriveId(OPERATOR, peer));

function rules(overrides: Partial<TicketRules> = {}): TicketRules {
  return {
    signature: 'test.seats/1',
    class: Seat,
    isValid: ({ data }, { peer }) => seatOf(peer).join() === data.join(),
    ...overrides,
  };
}

function give({ discovery }: Base, to: Base, overrides: Partial<Ticket> = {}): void {
  discovery.addTicket({ class: Seat, data: seatOf(to.discovery.me.peer), ...overrides });
}

async function inGroup(bases: readonly Base[], ticketRules: TicketRules | string = rules()) {
  const join = (base: Base) => createGroups(base).join({ key: 'k', machine: NoOp, ticketRules });
  return await Promise.all(bases.map(join));
}

describe('ticket rules', () => {
  it('let in who carries a ticket of its own, and nobody else', () =>
    inWorld({ seed: 1 }, async (world) => {
      const bases: Base[] = [];
      for (const name of ['n0', 'n1', 'n2', 'n3', 'n4'])
        bases.push(await startBase(world.host(name), name === 'n0' ? [] : ['sim://n0']));
      const [a, b, none, borrowed, other] = bases as [Base, Base, Base, Base, Base];
      give(a, a);
      give(b, b);
      give(borrowed, b);
      give(other, other, { class: uniqueId('another') });
      const groups = await inGroup(bases);
      const [atA, atB] = groups;
      await world.until(() => atA?.stats.bonds === 1 && atB?.stats.bonds === 1, { withinMs: 5_000 });
      await world.sleep(10_000);
      expect(groups.map((group) => group.stats.bonds)).toEqual([1, 1, 0, 0, 0]);
      give(none, none);
      await world.until(() => groups[2]?.stats.bonds === 2, { withinMs: 10_000 });
    }));

  it('let nobody stay whose ticket has expired', () =>
    inWorld({ seed: 2 }, async (world) => {
      const a = await startBase(world.host('n0'), []);
      const b = await startBase(world.host('n1'), ['sim://n0']);
      give(a, a);
      give(b, b, { expiresAtMs: world.runtime.wallNow() + 20_000 });
      const [atA, atB] = await inGroup([a, b]);
      await world.until(() => atA?.stats.bonds === 1, { withinMs: 5_000 });
      await world.sleep(14_000);
      expect(atA?.stats.bonds).toBe(1);
      await world.until(() => atA?.stats.bonds === 0 && atB?.stats.bonds === 0, { withinMs: 8_000 });
    }));

  it('are asked once for each ticket of an entry', () =>
    inWorld({ seed: 3 }, async (world) => {
      const a = await startBase(world.host('n0'), []);
      const b = await startBase(world.host('n1'), ['sim://n0']);
      give(a, a);
      give(b, b);
      let asked = 0;
      const counting = rules({
        isValid: (ticket, peer) => {
          asked++;
          return rules().isValid(ticket, peer);
        },
      });
      const [atA] = await inGroup([a, b], counting);
      await world.until(() => atA?.stats.bonds === 1, { withinMs: 5_000 });
      await world.sleep(60_000);
      // Two members, each of which sees the other's entry anew every 15 s.
      expect(asked).toBeGreaterThan(4);
      expect(asked).toBeLessThan(30);
    }));

  it('let nobody in when they fail', () =>
    inWorld({ seed: 5 }, async (world) => {
      const a = await startBase(world.host('n0'), []);
      const b = await startBase(world.host('n1'), ['sim://n0']);
      give(a, a);
      give(b, b);
      const failing = rules({
        signature: 'test.failing/1',
        isValid: () => {
          throw new Error('no way to check');
        },
      });
      const [atA] = await inGroup([a, b], failing);
      await world.sleep(5_000);
      expect(atA?.stats.bonds).toBe(0);
      expect(atA?.why().code).toBe('ok');
    }));

  it('are part of the id: with others one is in another group', () =>
    inWorld({ seed: 4 }, async (world) => {
      const base = await startBase(world.host('n0'), []);
      const ids = new Set<string>();
      for (const ticketRules of [
        undefined,
        'a text',
        rules(),
        rules({ signature: 'test.seats/2' }),
        rules({ class: uniqueId('another') }),
      ]) {
        const groups = createGroups(base);
        ids.add((await groups.join({ key: 'k', machine: NoOp, ticketRules })).id);
        await groups.close();
      }
      expect(ids.size).toBe(5);
    }));
});
