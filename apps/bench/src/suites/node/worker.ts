/** A node that does nothing: `worker.ts SYSTEM BOOTSTRAP`, ours with all its parts, or a bare libp2p node. */
import { performance } from 'node:perf_hooks';
import { reportReady } from '../../child.ts';

const MIB = 1024 * 1024;

/** Each loads only what it needs. */
async function start(system: string | undefined, bootstrap: string): Promise<string> {
  if (system === 'ours') return (await import('./ours.ts')).startOurs(bootstrap);
  const node = await (await import('../link/bare.ts')).startBare();
  return node.getMultiaddrs()[0]?.toString() ?? '';
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
reportReady(await start(system, bootstrap), { idle });
