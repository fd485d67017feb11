import { performance } from 'node:perf_hooks';
import { type Child, startChild } from '../../child.ts';
import { resultOf } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { inTurns } from '../../turns.ts';
import { publish } from './published.ts';

/** Others in the network of the node that is measured: it has neighbours to keep an eye on. */
const OTHERS = 4;
/** After the start, before it counts as idle: catalogs and connections have settled. */
const SETTLE_MS = 5_000;
const IDLE_MS = 15_000;

type System = 'ours' | 'bare';

/** A process with a node in it, in the network that is there. */
type StartNode = (system: System) => Promise<Child>;

interface Idle {
  readonly cpuPercent: number;
  readonly rssMib: number;
}

const start = { name: 'node/start-ms', unit: 'ms' };
const cpu = { name: 'node/idle-cpu', unit: '% of a core' };
const rss = { name: 'node/rss', unit: 'MiB' };
const about = { peerName: 'bare libp2p node', isTime: true };

export const nodeSuite: Suite = {
  name: 'node',
  about: `a node that joins ${OTHERS} others and has nothing to do, beside a bare libp2p node that knows nobody`,
  results: [start.name, cpu.name, rss.name],
  async run(context) {
    await using stack = new AsyncDisposableStack();
    const { program } = stack.use(await publish(new URL('./program.mjs', import.meta.url)));
    const startNode: StartNode = (system) => startChild(program, [system, bootstrap]);
    let bootstrap = '';
    for (let other = 0; other < OTHERS; other++) {
      const child = stack.use(await startNode('ours'));
      bootstrap ||= child.ready;
    }
    const sides = { ours: 'ours', peer: 'bare' } as const;
    await context.measure([start.name], async () => {
      const take = (system: System): Promise<number> => timeOfStart(startNode, system);
      const runs = await inTurns<System, number>(sides, { runs: context.runs, take, warmUp: take });
      return [resultOf({ ...start, ...about }, runs)];
    });
    await context.measure([cpu.name, rss.name], () => measureIdle(context, startNode));
  },
};

/** From asking for the process to its being ready. */
async function timeOfStart(startNode: StartNode, system: System): Promise<number> {
  const startedAt = performance.now();
  await using _child = await startNode(system);
  return performance.now() - startedAt;
}

async function measureIdle(context: SuiteContext, startNode: StartNode) {
  await using ours = await startNode('ours');
  await using peer = await startNode('bare');
  // Both at once: neither has anything to do that would disturb the other.
  const idle = (forMs: number) =>
    Promise.all([ours, peer].map((child) => child.request('idle', forMs) as Promise<Idle>));
  await idle(SETTLE_MS);
  const runs: Idle[][] = [];
  for (let run = 0; run < context.runs; run++) runs.push(await idle(IDLE_MS));
  const figures = (field: keyof Idle) =>
    runs.map(([taken, ofPeer]) => ({ ours: taken?.[field], peer: ofPeer?.[field] }));
  return [
    resultOf({ ...cpu, ...about }, figures('cpuPercent')),
    resultOf({ ...rss, ...about }, figures('rssMib')),
  ];
}
