import { expect, it } from 'vitest';
import { addressOf, startNode, startNodeProcess } from '../support/nodes.ts';
import { Echo, echo, roundTrip } from '../support/protocols.ts';
import { record, until } from '../support/wait.ts';

const OPENS = 1_000;
/** The default of `maxLinks`. */
const MAX_LINKS = 64;

it('a peer that opens 1,000 links at once is refused with 429 and counted, and does not disturb others', async () => {
  await using victim = await startNode({ secretKey: 'flood, victim' });
  await using attacker = await startNodeProcess({ secretKey: 'flood, attacker' });
  await using friend = await startNode({ secretKey: 'flood, friend' });
  const events = record(victim);
  let serving = 0;
  let servingMax = 0;
  victim.accept(Echo, async (link) => {
    servingMax = Math.max(servingMax, ++serving);
    try {
      await echo(link);
    } finally {
      serving--;
    }
  });
  await friend.connect(addressOf(victim));
  const link = await friend.open(victim.local.peerId, Echo);
  await attacker.call('connect', addressOf(victim));

  let isOver = false;
  const attack = attacker
    .call<Record<string, number>>('openMany', { peer: victim.local.peerId, count: OPENS })
    .finally(() => {
      isOver = true;
    });
  let roundTrips = 0;
  while (!isOver) await roundTrip(link, roundTrips++);

  expect(await attack).toEqual({ open: MAX_LINKS, 'closed 429': OPENS - MAX_LINKS });
  expect(roundTrips).toBeGreaterThan(10);
  expect(servingMax).toBe(MAX_LINKS + 1);
  expect(victim.metrics.snapshot()['mosaik.link.refused']).toEqual([
    expect.objectContaining({
      labels: { protocol: Echo.name, code: 429 },
      value: OPENS - MAX_LINKS,
    }),
  ]);
  expect(events.filter((event) => event.type === 'refused')[0]).toEqual({
    type: 'refused',
    peer: attacker.peerId,
    protocol: Echo.name,
    code: 429,
  });
  await roundTrip(link, -1);

  // When the attacker is gone, so are its links.
  attacker.signal('SIGKILL');
  await until('its links have ended', 5_000, () => serving === 1);
});
