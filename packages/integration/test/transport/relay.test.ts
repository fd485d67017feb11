import { expect, it } from 'vitest';
import { addressOf, startNode } from '../support/nodes.ts';
import { Echo, echo } from '../support/protocols.ts';
import { until } from '../support/wait.ts';

const MIB = 1024 * 1024;

it('two nodes that only a relay reaches exchange 1 MiB through it', async () => {
  await using relay = await startNode({ secretKey: 'relay', relay: { serve: true } });
  const through = [addressOf(relay)];
  await using a = await startNode({ secretKey: 'relayed a', listen: [], relay: { through } });
  await using b = await startNode({ secretKey: 'relayed b', listen: [], relay: {} });
  a.accept(Echo, echo);
  await until('it has an address at the relay', 10_000, () => a.local.addresses.value.length > 0);
  const address = addressOf(a);
  expect(address).toContain('/p2p-circuit');

  expect(await b.connect(address)).toBe(a.local.peerId);
  expect(b.connections.value.get(a.local.peerId)?.address).toContain('/p2p-circuit');
  await using link = await b.open(a.local.peerId, Echo);
  const payload = new Uint8Array(64 * 1024).map((_, index) => index);
  const count = MIB / payload.length;
  const sending = (async () => {
    for (let n = 0; n < count; n++) await link.send({ n, payload });
  })();
  for (let n = 0; n < count; n++) expect(await link.receive()).toEqual({ n, payload });
  await sending;
});
