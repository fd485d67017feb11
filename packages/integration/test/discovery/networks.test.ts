import { expect, it } from 'vitest';
import { Cluster, untilEqual } from '../support/discovery.ts';
import { whyNoMulticast } from '../support/multicast.ts';

it('two networks whose nodes know addresses of each other never mix, and a dial across is refused clearly', async () => {
  await using cluster = new Cluster();
  const red = { network: 'discovery red' };
  const blue = { network: 'discovery blue' };
  const red1 = await cluster.start({ ...red, secretKey: 'red 1' });
  const blue1 = await cluster.start({
    ...blue,
    secretKey: 'blue 1',
    discovery: { bootstrap: [red1.address] },
  });
  const bootstrap = [blue1.address, red1.address];
  const [red2, blue2] = await Promise.all([
    cluster.start({ ...red, secretKey: 'red 2', discovery: { bootstrap } }),
    cluster.start({ ...blue, secretKey: 'blue 2', discovery: { bootstrap } }),
  ]);
  await Promise.all([untilEqual([red1, red2], 5_000), untilEqual([blue1, blue2], 5_000)]);

  const refusal = /does not speak \/mosaik\/[0-9a-f]{64}\/transport\/liveness/;
  await expect(red1.call('dial', blue2.address)).rejects.toThrow(refusal);
  await expect(blue1.call('dial', red2.address)).rejects.toThrow(refusal);
  await Promise.all([untilEqual([red1, red2], 1_000), untilEqual([blue1, blue2], 1_000)]);
  for (const node of [red1, red2, blue1, blue2]) {
    const own = node === red1 || node === red2 ? [red1.peerId, red2.peerId] : [blue1.peerId, blue2.peerId];
    const seen = new Set((await node.events()).map(({ peer }) => peer));
    expect([...seen].every((peer) => own.includes(peer))).toBe(true);
    expect(await node.refused()).not.toHaveProperty('foreign');
  }
});

it('two processes without any address find each other by multicast', async (test) => {
  const reason = await whyNoMulticast();
  if (reason !== undefined) {
    console.warn(`skipped: multicast does not work here (${reason})`);
    test.skip(`multicast does not work here: ${reason}`);
  }
  await using cluster = new Cluster();
  // Other runs on this machine must not be found.
  const network = `discovery mdns ${process.pid}`;
  const common = { network, listen: ['/ip4/0.0.0.0/tcp/0'], mdns: { intervalMs: 300 } };
  const nodes = await Promise.all([
    cluster.start({ ...common, secretKey: 'discovery mdns a' }),
    cluster.start({ ...common, secretKey: 'discovery mdns b' }),
  ]);
  await untilEqual(nodes, 10_000);
  const startedAtMs = Math.max(...nodes.map((node) => node.startedAtMs));
  console.log(`by multicast: equal catalogs ${Date.now() - startedAtMs} ms after the last one started`);
});
