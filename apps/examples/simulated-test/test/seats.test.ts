/** The program on three simulated hosts, in virtual time, from one seed: what fails once fails again, and no second is waited for. */
import { createWorld } from '@mosaik/testing';
import { Network } from 'mosaik';
import { expect, it } from 'vitest';
import { joinBooking, type Seats } from '../src/seats.ts';

const NAMES = ['ann', 'bob', 'cleo'];

/** What became of a booking: the seat, or why not. */
function book(seats: Seats, seat: string, by: string): Promise<string> {
  return seats.execute({ seat, by }).then(
    () => by,
    (error: Error) => error.message,
  );
}

it.each([1, 2, 3, 4, 5])('no seat is booked twice, whoever is cut off from whom (seed %i)', async (seed) => {
  const world = createWorld({ seed });
  await world.run(async () => {
    const hosts = NAMES.map((name) => world.host(name));
    const nodes = await Promise.all(
      hosts.map((host) =>
        Network.create('box office', { transport: host.transport(), bootstrap: ['sim://ann'] }),
      ),
    );
    const groups = await Promise.all(nodes.map(joinBooking));
    const all = [0, 1, 2];
    await world.until(() => groups.every((group) => group.stats.voters.length === 3));

    // The leader is cut off from the other two, and both sides go on booking.
    const leader = all.find((index) => groups[index]?.stats.role === 'leader') ?? 0;
    const others = all.filter((index) => index !== leader);
    const cut = world.faults.partition(
      [hosts[leader] as (typeof hosts)[number]],
      others.map((index) => hosts[index] as (typeof hosts)[number]),
    );
    const alone = book(groups[leader] as Seats, 'A1', 'the leader');
    let isAnswered = false;
    void alone.then(() => {
      isAnswered = true;
    });
    expect(await book(groups[others[0] ?? 0] as Seats, 'A1', 'the others')).toBe('the others');
    await world.sleep(10_000);
    // Nobody is told what only one of three knows.
    expect(isAnswered).toBe(false);

    cut.heal();
    expect(await alone).toBe('taken');
    for (const group of groups)
      expect((await group.query(null, 'strong')).result).toEqual({ A1: 'the others' });
    await Promise.all(nodes.map((node) => node.close()));
  });
  expect(world.errors).toEqual([]);
});
