/** A process that takes part in a system: `worker.ts SYSTEM ROLE ADDRESS PAYLOAD`. */
import { type Requests, reportReady } from '../../child.ts';
import type { PayloadName } from './payload.ts';
import { type Party, type Role, type System, type SystemName, systems } from './system.ts';

async function open(
  system: System,
  role: Role,
  options: { address: string; payload: PayloadName },
): Promise<{ party: Party; requests: Requests }> {
  switch (role) {
    case 'producer': {
      const party = await system.producer(options);
      return { party, requests: { send: (count) => party.send(count) } };
    }
    case 'consumer': {
      const party = await system.consumer(options);
      return { party, requests: { receive: (count) => party.receive(count) } };
    }
    case 'requester': {
      const party = await system.requester(options);
      return { party, requests: { roundTrips: (count) => party.roundTrips(count) } };
    }
    case 'responder':
      return { party: await system.responder(options), requests: {} };
  }
}

const [name, role, address, payload] = process.argv.slice(2) as [SystemName, Role, string, PayloadName];
const { party, requests } = await open(await systems[name](), role, { address, payload });
reportReady(party.address, {
  ...requests,
  connected: async (others) => void (await party.connected(others)),
});
