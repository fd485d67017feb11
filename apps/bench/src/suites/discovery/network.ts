import { createDiscovery, type Discovery } from '@mosaik/discovery';
import type { PeerId } from '@mosaik/primitives';
import { createWorld, type World } from '@mosaik/testing';

/** Nodes join one after the other, this often. */
const JOIN_EVERY_MS = 5;
const CHECK_EVERY_MS = 10;
/** Connections that were only good for joining are let go of within this. */
const SETTLE_MS = 6_000;
const ANNOUNCEMENTS = 10;
/** After this an announcement is everywhere. */
const SPREAD_MS = 200;
/** No node announces by itself: how often it would depends on the size, and a window would catch all of them or none. */
const NEVER_MS = 24 * 3_600_000;

/** What each node sends, on average: in a second, or until all are equal. */
export interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

/** How a network of simulated nodes came together, and what it costs to keep it. */
export interface Measured {
  /** From the last join to equal catalogs, in virtual ms. */
  readonly joinMs: number;
  /** What the whole join took here, … */
  readonly realSeconds: number;
  /** … and what this process computed for that. */
  readonly cpuSeconds: number;
  /** From the first join to equal catalogs, in all. */
  readonly joining: Traffic;
  /** Once nothing changes, announcements included, in a second. */
  readonly steady: Traffic;
}

/**
 * The time between two announcements of a node among `count` at defaults; see "Timings" in docs/internals/discovery.md.
 */
function announceIntervalMs(count: number): number {
  return Math.max(15_000, Math.min((15_000 * count) / 250, 75_000));
}

/** Has `count` nodes join, each told one random address; then watches them for `steadyMs`. */
export async function measureNetwork(count: number, steadyMs: number, seed: number): Promise<Measured> {
  const world = createWorld({ seed });
  const nodes: Discovery[] = [];
  const [beganAtMs, before] = [performance.now(), process.cpuUsage()];
  const joined = await world.run(() => join(world, nodes, count));
  const realSeconds = (performance.now() - beganAtMs) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1_000_000;
  const steady = await world.run(() => keep(world, nodes, steadyMs));
  return { ...joined, realSeconds, cpuSeconds, steady };
}

async function join(
  world: World,
  nodes: Discovery[],
  count: number,
): Promise<Pick<Measured, 'joinMs' | 'joining'>> {
  for (let index = 0; index < count; index++) {
    const known = Math.floor(world.runtime.random() * index);
    const bootstrap = index > 0 ? [`sim://n${known}`] : [];
    const transport = world.host(`n${index}`).transport();
    nodes.push(await createDiscovery({ transport, bootstrap, announceIntervalMs: NEVER_MS }));
    if (index + 1 < count) await world.sleep(JOIN_EVERY_MS);
  }
  const lastAtMs = world.now;
  const options = { withinMs: 60_000, what: 'equal catalogs', everyMs: CHECK_EVERY_MS };
  await world.until(equality(nodes), options);
  const { packets, bytes } = world.stats;
  return { joinMs: world.now - lastAtMs, joining: { messages: packets / count, bytes: bytes / count } };
}

async function keep(world: World, nodes: readonly Discovery[], steadyMs: number): Promise<Traffic> {
  await world.sleep(SETTLE_MS);
  const quiet = startMeter(world, nodes.length);
  await world.sleep(steadyMs);
  const base = quiet();
  const busy = startMeter(world, nodes.length);
  for (let change = 0; change < ANNOUNCEMENTS; change++) {
    const node = nodes[Math.floor(world.runtime.random() * nodes.length)];
    node?.addTags(`change ${change}`);
    await world.sleep(SPREAD_MS);
  }
  await world.until(equality(nodes), { withinMs: 10_000, everyMs: CHECK_EVERY_MS });
  return withAnnouncements(base, busy(), nodes.length);
}

/** What was measured while some announced, for as many as would announce at defaults. */
function withAnnouncements(base: Traffic, busy: Traffic, count: number): Traffic {
  const measuredPerSecond = 1_000 / SPREAD_MS;
  const usualPerSecond = (1_000 * count) / announceIntervalMs(count);
  const share = usualPerSecond / measuredPerSecond;
  return {
    messages: base.messages + share * (busy.messages - base.messages),
    bytes: base.bytes + share * (busy.bytes - base.bytes),
  };
}

/** Begins to count; the result tells what there was since, by node and second. */
function startMeter(world: World, count: number): () => Traffic {
  const { packets, bytes } = world.stats;
  const sinceMs = world.now;
  return () => {
    const nodeSeconds = (count * (world.now - sinceMs)) / 1_000;
    return {
      messages: (world.stats.packets - packets) / nodeSeconds,
      bytes: (world.stats.bytes - bytes) / nodeSeconds,
    };
  };
}

/**
 * Tells, each time it is asked, whether all know exactly the others, at their newest versions. Those that were found to are
 * looked at again only when nobody else is left: a million entries take longer than what happens between two looks.
 */
function equality(nodes: readonly Discovery[]): () => boolean {
  let behind = [...nodes];
  return () => {
    const truth = new Map(nodes.map(({ me }) => [me.peer, me.version.update]));
    const isEqual = (node: Discovery): boolean => knowsAll(node, truth);
    while (behind.length > 0) {
      if (!isEqual(behind.at(-1) as Discovery)) return false;
      behind.pop();
    }
    behind = nodes.filter((node) => !isEqual(node));
    return behind.length === 0;
  };
}

function knowsAll({ catalog }: Discovery, truth: ReadonlyMap<PeerId, number>): boolean {
  if (catalog.size !== truth.size - 1) return false;
  for (const { peer, version } of catalog) if (truth.get(peer) !== version.update) return false;
  return true;
}
