/** A process that takes part in a system: `worker.ts SYSTEM ROLE ADDRESS PAYLOAD`. */
import { type Requests, reportReady } from '../../child.ts';
import type { PayloadName } from './payload.ts';
import { type Party, type Role, type System, type SystemName, systems } from './system.ts';

type Opened = { readonly party: Party; readonly requests: Requests };
type Options = { readonly address: string; readonly payload: PayloadName };

/** How to take part in each role, as what the parent can ask for. */
const roles: Record<Role, (system: Partial<System>, options: Options) => Promise<Opened | undefined>> = {
  async producer(system, options) {
    const party = await system.producer?.(options);
    return party && { party, requests: { send: (count) => party.send(count) } };
  },
  async consumer(system, options) {
    const party = await system.consumer?.(options);
    return party && { party, requests: { receive: (count) => party.receive(count) } };
  },
  async requester(system, options) {
    const party = await system.requester?.(options);
    return party && { party, requests: { roundTrips: (count) => party.roundTrips(count) } };
  },
  async responder(system, options) {
    const party = await system.responder?.(options);
    return party && { party, requests: {} };
  },
};

const [name, role, address, payload] = process.argv.slice(2) as [SystemName, Role, string, PayloadName];
const opened = await roles[role](await systems[name](), { address, payload });
if (opened === undefined) throw new Error(`${name} has no ${role}`);
const { party, requests } = opened;
reportReady(party.address, {
  ...requests,
  connected: async (others) => void (await party.connected(others)),
});
