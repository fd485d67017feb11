import { expect, it } from 'vitest';
import { type NodeProcess, startNode, startNodeProcess } from '../support/nodes.ts';
import { Echo, roundTrip } from '../support/protocols.ts';
import { nextEvent } from '../support/wait.ts';

const RESTARTS = 5;

it('a kept connection comes back each time the other process is killed and started again on the same port', async () => {
  await using here = await startNode({ secretKey: 'keep, here' });
  let there: NodeProcess = await startNodeProcess({ secretKey: 'keep, there' });
  try {
    here.setAddresses(there.peerId, [there.address]);
    const connected = nextEvent(here, 'connected', 10_000);
    using _ = here.keep(there.peerId);
    await connected;
    const [, port] = /\/tcp\/(\d+)/.exec(there.address) ?? [];
    for (let restart = 1; restart <= RESTARTS; restart++) {
      const lost = nextEvent(here, 'disconnected', 10_000);
      there.signal('SIGKILL');
      expect(await lost).toMatchObject({ peer: there.peerId, reason: 'lost' });
      const again = nextEvent(here, 'connected', 20_000);
      await there.exited;
      there = await startNodeProcess({ secretKey: 'keep, there', listen: [`/ip4/127.0.0.1/tcp/${port}`] });
      expect(await again).toMatchObject({ peer: there.peerId, direction: 'outbound' });
      await roundTrip(await here.open(there.peerId, Echo), restart);
    }
  } finally {
    await there[Symbol.asyncDispose]();
  }
});
