/** A process that is a member of many groups at once, and has nothing to do in them: `crowd-member.ts NAME BOOTSTRAP`. */
import { performance } from 'node:perf_hooks';
import { createGroups, type GroupStats, keyValue } from '@mosaik/groups';
import { reportReady } from '../../child.ts';
import { startMosaikNode } from '../../mosaik-node.ts';
import { MEMBERS } from './contender.ts';

const POLL_MS = 5;

const [name = '', bootstrap = ''] = process.argv.slice(2);
const { address, transport, discovery } = await startMosaikNode({ bootstrap, name });
const groups = createGroups({ transport, discovery });
const joined: { readonly stats: GroupStats }[] = [];

async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

reportReady(address, {
  /** Resolves when this one knows so many others. */
  meet: (others = 0) => until(() => discovery.catalog.size >= others),
  /** Joins so many groups, and resolves when each has a leader and all members vote in it. */
  async join(count = 0) {
    for (let index = 0; index < count; index++)
      joined.push(
        await groups.join({
          key: `crowd ${index}`,
          machine: keyValue<number>(),
          consensus: { founders: MEMBERS },
        }),
      );
    await until(() =>
      joined.every(({ stats }) => stats.leader !== undefined && stats.voters.length === MEMBERS),
    );
  },
  /** How many of the groups this one leads. */
  leads: async () => joined.filter(({ stats }) => stats.role === 'leader').length,
  /** Does nothing for a while; the share of a core that this took, in percent. */
  async idle(durationMs) {
    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 10 / (performance.now() - startedAt);
  },
});
