/** A process that is a member of a group: `member.ts NAME BOOTSTRAP MEMBERS FILE`, without a file its log is in memory. */
import { performance } from 'node:perf_hooks';
import { type Consistency, createGroups, keyValue, memory } from '@mosaik/groups';
import { sqlite } from '@mosaik/groups/sqlite';
import { reportReady } from '../../child.ts';
import { oneByOne, pipelined } from '../../in-flight.ts';
import { startMosaikNode } from '../../mosaik-node.ts';
import { keyOf, VALUE } from './contender.ts';

const [name = '', bootstrap = '', count = '', file = ''] = process.argv.slice(2);
const members = Number(count);
const { address, transport, discovery } = await startMosaikNode({ bootstrap, name });
const groups = createGroups({ transport, discovery });
const group = await groups.join({
  key: 'bench',
  machine: keyValue<Uint8Array>(),
  storage: file === '' ? memory() : sqlite(file),
  consensus: { founders: members, maxVoters: Math.max(members, 5) },
});

const put = (index: number) => group.execute({ put: keyOf(index), value: VALUE });
const get = (index: number, consistency: Consistency) => group.query({ get: keyOf(index) }, consistency);

reportReady(address, {
  /** Whether this one leads, and how many vote. */
  role: async () => ({ isLeader: group.stats.role === 'leader', voters: group.stats.voters.length }),
  pipelined: (count, inFlight) => pipelined(count, inFlight, put),
  oneAtATime: (count) => oneByOne(count, put),
  strongQueries: (count) => oneByOne(count, (index) => get(index, 'strong')),
  weakQueries: (count) => oneByOne(count, (index) => get(index, 'weak')),
  /** Resolves when a write has been acknowledged. */
  async write() {
    const startedAt = performance.now();
    await put(0);
    return performance.now() - startedAt;
  },
});
