/** A node that does nothing: `worker.ts SYSTEM BOOTSTRAP`, ours with all its parts, or a bare libp2p node. */
import { performance } from 'node:perf_hooks';
import { createGroups } from '@mosaik/groups';
import { createStore } from '@mosaik/store';
import { createStreams } from '@mosaik/streams';
import { reportReady } from '../../child.ts';
import { startMosaikNode } from '../../mosaik-node.ts';
import { startBare } from '../link/bare.ts';

const MIB = 1024 * 1024;

async function startOurs(bootstrap: string): Promise<string> {
  const { address, transport, discovery } = await startMosaikNode({ bootstrap });
  const streams = createStreams({ transport, discovery });
  createGroups({ transport, discovery });
  createStore({ transport, discovery, streams });
  return address;
}

/** Does nothing for a while; the share of a core that took, in percent, and the memory in MiB at its end. */
async function idle(durationMs: number): Promise<{ readonly cpuPercent: number; readonly rssMib: number }> {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  const { user, system } = process.cpuUsage(before);
  const elapsedMs = performance.now() - startedAt;
  return { cpuPercent: (user + system) / 10 / elapsedMs, rssMib: process.memoryUsage().rss / MIB };
}

const [system, bootstrap = ''] = process.argv.slice(2);
const address =
  system === 'bare' ? String((await startBare()).getMultiaddrs()[0]) : await startOurs(bootstrap);
reportReady(address, { idle });
