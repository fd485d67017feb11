import { expect, it } from 'vitest';
import { whyNoMulticast } from '../support/multicast.ts';
import { type NodeProcess, startNodeProcess } from '../support/nodes.ts';
import { until } from '../support/wait.ts';

const mdns = { intervalMs: 300 };

it('two processes on one local network find each other without an address, one of another network does not', async (test) => {
  const reason = await whyNoMulticast();
  if (reason !== undefined) {
    console.warn(`skipped: multicast does not work here (${reason})`);
    test.skip(`multicast does not work here: ${reason}`);
  }
  // Other runs on this machine must not be found.
  const network = `mdns ${process.pid}`;
  const listen = ['/ip4/0.0.0.0/tcp/0'];
  await using a = await startNodeProcess({ secretKey: 'mdns a', network, listen, mdns });
  await using b = await startNodeProcess({ secretKey: 'mdns b', network, listen, mdns });
  await using stranger = await startNodeProcess({
    secretKey: 'mdns c',
    network: `${network}, another`,
    listen,
    mdns,
  });
  const peers = (node: NodeProcess): Promise<string[]> => node.call('peers');
  await until('both are connected', 10_000, async () => {
    return (await peers(a)).includes(b.peerId) && (await peers(b)).includes(a.peerId);
  });
  const events = await a.call<{ type: string; peer: string }[]>('events');
  expect(events.map(({ type }) => type)).toContain('connected');
  expect(events.every(({ peer }) => peer === b.peerId)).toBe(true);
  expect(await peers(stranger)).toEqual([]);

  // One that comes back on another port is found there.
  await b[Symbol.asyncDispose]();
  await until('it is gone', 10_000, async () => (await peers(a)).length === 0);
  await using again = await startNodeProcess({ secretKey: 'mdns b', network, listen, mdns });
  expect(again.address).not.toBe(b.address);
  await until('it is found again', 10_000, async () => (await peers(a)).includes(again.peerId));
});
