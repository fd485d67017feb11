import { type Network, sleep } from 'mosaik';
import type { Context } from '../context.ts';
import { survey } from '../node/inspect.ts';
import { joinToLook } from '../node/join.ts';
import { type Topology, topologyOf } from '../node/topology.ts';
import { frameLines } from '../top/frame.ts';
import { Screen } from '../top/screen.ts';
import { unlessAborted } from '../waiting.ts';

export interface TopOptions {
  /** Between two pictures. */
  readonly intervalMs: number;
  /** One picture, and the end. */
  readonly once?: boolean;
}

/** Draws the live topology; where the output is no terminal, one picture. Until Ctrl-C. */
export async function top(context: Context, options: TopOptions): Promise<void> {
  const { world, console } = context;
  await using network = await joinToLook(context);
  const isLive = options.once !== true && (console.isJson || console.stdout.isTTY === true);
  const work = isLive ? drawAll(context, network, options) : drawOne(context, network, options);
  await unlessAborted(world.interrupted, work);
}

async function drawOne(context: Context, network: Network, options: TopOptions): Promise<void> {
  // Rates are differences: it takes two looks.
  const first = await look(context, network);
  await sleep(network.runtime, options.intervalMs, { signal: context.world.interrupted });
  await show(context, await look(context, network, first));
}

async function drawAll(context: Context, network: Network, { intervalMs }: TopOptions): Promise<void> {
  const { world, console, settings } = context;
  using screen = console.isJson ? undefined : new Screen(console.stdout);
  let topology: Topology | undefined;
  while (!world.interrupted.aborted) {
    topology = await look(context, network, topology);
    if (screen === undefined) await show(context, topology);
    else screen.draw(frameLines(settings.network, topology, (text) => console.style('bold', text)));
    await sleep(network.runtime, intervalMs, { signal: world.interrupted });
  }
}

async function look({ world }: Context, network: Network, before?: Topology): Promise<Topology> {
  const nodes = await survey(network, world.interrupted);
  return topologyOf(nodes, network.runtime.now(), before);
}

function show({ console, settings }: Context, topology: Topology): Promise<void> {
  const { nodes, streams, groups } = topology;
  const peers = nodes.map(({ peer, inspection, problem }) => ({ peer, inspection, problem }));
  return console.show({ network: settings.network, peers, streams, groups }, () =>
    frameLines(settings.network, topology, (text) => console.style('bold', text)).join('\n'),
  );
}
