/** A process that takes part in a system: `worker.ts SYSTEM ROLE PAYLOAD ADDRESS…`. */
import { enableCompileCache } from 'node:module';
import { type Requests, reportReady } from '../../child.ts';
import type { PayloadName } from './payload.ts';
import { type Party, type PartyOptions, type Role, type System, type SystemName, systems } from './system.ts';

// For what is loaded from here on. There are dozens of these processes, and to start quickly is not what they are measured by.
enableCompileCache();

type Opened = { readonly party: Party; readonly requests: Requests };

/** How to take part in each role, as what the parent can ask for. */
const roles: Record<Role, (system: Partial<System>, options: PartyOptions) => Promise<Opened | undefined>> = {
  async producer(system, options) {
    const party = await system.producer?.(options);
    return party && { party, requests: { send: (count) => party.send(count) } };
  },
  async broadcaster(system, options) {
    const party = await system.broadcaster?.(options);
    return party && { party, requests: { start: async () => party.start(), stop: () => party.stop() } };
  },
  async consumer(system, options) {
    const party = await system.consumer?.(options);
    return (
      party && {
        party,
        requests: { receive: (count) => party.receive(count), total: async () => party.total() },
      }
    );
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

const [name, role, payload, ...addresses] = process.argv.slice(2) as [
  SystemName,
  Role,
  PayloadName,
  ...string[],
];
const opened = await roles[role](await systems[name](), { addresses, payload });
if (opened === undefined) throw new Error(`${name} has no ${role}`);
const { party, requests } = opened;
reportReady(party.address, {
  ...requests,
  connected: async (others) => void (await party.connected(others)),
});
