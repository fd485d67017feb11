/** A node that is a member of a group, and that tests talk to and kill. */
import { createDiscovery } from '@mosaik/discovery';
import { createGroups, keyValue, memory } from '@mosaik/groups';
import { sqlite } from '@mosaik/groups/sqlite';
import type { GroupProcessOptions, GroupRole, WriteRequest } from '../support/groups.ts';
import { startNode } from '../support/nodes.ts';
import { programArgument, serveCalls } from '../support/program.ts';

const { file, founders, bootstrap, ...node } = programArgument<GroupProcessOptions>();
const transport = await startNode(node);
const discovery = await createDiscovery({ transport, bootstrap });
const groups = createGroups({ transport, discovery });
const group = await groups.join({
  key: 'integration',
  machine: keyValue<number>(),
  storage: file === undefined ? memory() : sqlite(file),
  consensus: { founders, snapshotEvery: 2_000, retainEntries: 500 },
});

function role(): GroupRole {
  const { role, voters, learners, log, leader } = group.stats;
  const isWhole = voters.length + learners.length;
  return {
    role,
    leader,
    voters: voters.length,
    members: isWhole,
    applied: log.applied,
    why: group.why().text,
  };
}

serveCalls({
  local: () => ({ peerId: transport.local.peerId, addresses: transport.local.addresses.value }),
  role,
  /** Puts fresh keys; returns those that held something before: written twice. */
  async write({ prefix, from, count }: WriteRequest) {
    const keys = Array.from({ length: count }, (_, index) => `${prefix}${from + index}`);
    const results = await group.executeMany(keys.map((key, index) => ({ put: key, value: from + index })));
    return keys.filter((_, index) => results[index]?.result.before !== undefined);
  },
  /** Of these keys, those that are not there, by a strong query each thousand. */
  async missing(keys: readonly string[]) {
    await group.query({ get: 'any' }, 'strong');
    const found = await Promise.all(keys.map((key) => group.query({ get: key }, 'weak')));
    return keys.filter((_, index) => found[index]?.result.entries.length === 0);
  },
  async leave() {
    await groups.close();
    await discovery.close();
    await transport.close();
  },
});
