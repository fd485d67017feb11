/** A process that is a member of a group: `member.ts NAME BOOTSTRAP FILE`, without a file it keeps its log in memory. */
import { performance } from 'node:perf_hooks';
import { createGroups, keyValue, memory } from '@mosaik/groups';
import { sqlite } from '@mosaik/groups/sqlite';
import { reportReady } from '../../child.ts';
import { oneByOne, pipelined } from '../../in-flight.ts';
import { startMosaikNode } from '../../mosaik-node.ts';
import { keyOf, MEMBERS, VALUE } from './contender.ts';

const [name = '', bootstrap = '', file = ''] = process.argv.slice(2);
const { address, transport, discovery } = await startMosaikNode({ bootstrap, name });
const groups = createGroups({ transport, discovery });
const group = await groups.join({
  key: 'bench',
  machine: keyValue<Uint8Array>(),
  storage: file === '' ? memory() : sqlite(file),
  consensus: { founders: MEMBERS },
});

const put = (index: number) => group.execute({ put: keyOf(index), value: VALUE });
const get = (index: number) => group.query({ get: keyOf(index) }, 'strong');

reportReady(address, {
  /** Whether this one leads, and how many vote. */
  role: async () => ({ isLeader: group.stats.role === 'leader', voters: group.stats.voters.length }),
  pipelined: (count, inFlight) => pipelined(count, inFlight, put),
  oneAtATime: (count) => oneByOne(count, put),
  strongQueries: (count) => oneByOne(count, get),
  /** Resolves when a write has been acknowledged. */
  async write() {
    const startedAt = performance.now();
    await put(0);
    return performance.now() - startedAt;
  },
});
