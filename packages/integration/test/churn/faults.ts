import { randomInt, sample } from '@mosaik/primitives';
import type { Fault, Host } from '@mosaik/testing';
import type { Churn } from './churn.ts';
import type { Node } from './node.ts';

const DOWN_MS = 20_000;
const CUT_MS = 40_000;
/** Shorter than silence is found out. */
const LINK_STALL_MS = 4_000;
/** Of hosts: longer than silence is tolerated. */
export const STALL_MAX_MS = 7_000;
const DISK_STALL_MS = 4_000;
const SLOW_MS = 60_000;

/** One thing that goes wrong, or right again; what it takes away for a while comes back by itself. */
export async function oneFault(churn: Churn): Promise<void> {
  if (churn.chance(churn.plan.blackouts)) {
    await blackout(churn);
    return;
  }
  const kinds = [
    crash,
    crash,
    crash,
    leave,
    leave,
    cut,
    cut,
    stallLink,
    stallLink,
    stallHost,
    slow,
    lose,
    stallDisk,
  ];
  await (kinds[churn.below(kinds.length)] as (churn: Churn) => Promise<void> | void)(churn);
}

function anyNode(churn: Churn): Node {
  return churn.nodes[churn.below(churn.nodes.length)] as Node;
}

/** A node that is down, or has never been up, is started. */
async function crash(churn: Churn): Promise<void> {
  const node = anyNode(churn);
  if (!node.isUp) {
    await churn.start(node);
    return;
  }
  const mode = churn.chance(0.5) ? 'kill' : 'powerLoss';
  churn.note(`${mode} ${node.host.name}`);
  node.crash(mode);
  await comeBack(churn, node);
}

/** At once, soon, or when somebody starts it. */
async function comeBack(churn: Churn, node: Node): Promise<void> {
  if (churn.chance(0.3)) return;
  await churn.pause(churn.chance(0.5) ? 0 : churn.below(DOWN_MS));
  await churn.start(node);
}

async function leave(churn: Churn): Promise<void> {
  const node = anyNode(churn);
  if (!node.isUp) return;
  churn.note(`${node.host.name} leaves`);
  await node.leave();
  node.host.crash();
  await comeBack(churn, node);
}

async function blackout(churn: Churn): Promise<void> {
  churn.note('blackout');
  const up = churn.nodes.filter((node) => node.isUp);
  for (const node of up) node.crash('powerLoss');
  await churn.pause(churn.below(5_000));
  for (const node of up) await churn.start(node);
}

function cut(churn: Churn): void {
  const { faults, hosts, runtime } = churn.world;
  const shuffled = sample(runtime, hosts, hosts.length);
  const some = shuffled.slice(0, 1 + randomInt(runtime, hosts.length - 1));
  const rest = hosts.filter((host) => !some.includes(host));
  const kind = churn.below(4);
  churn.note(`cut ${kind}: ${some.map(({ name }) => name)}`);
  const fault = [
    () => faults.partition(some, rest),
    () => faults.oneWay(some, rest),
    () => faults.isolate(shuffled[0] as Host),
    // Who is on both sides hears all: not transitive.
    () => faults.partition(some, [...rest, some[0] as Host]),
  ][kind] as () => Fault;
  healLater(churn, fault(), churn.below(CUT_MS));
}

/** What two hosts send each other stands still, and then goes on. */
function stallLink(churn: Churn): void {
  const [a, b] = sample(churn.world.runtime, churn.world.hosts, 2) as [Host, Host];
  churn.note(`the link ${a.name}-${b.name} stalls`);
  healLater(churn, churn.world.faults.partition([a], [b]), churn.below(LINK_STALL_MS));
}

function stallHost(churn: Churn): void {
  const node = anyNode(churn);
  churn.note(`${node.host.name} stalls`);
  node.host.stall(churn.below(STALL_MAX_MS));
}

function stallDisk(churn: Churn): void {
  const node = anyNode(churn);
  churn.note(`the disk of ${node.host.name} stalls`);
  node.disk.stall(churn.below(DISK_STALL_MS));
}

function slow(churn: Churn): void {
  churn.note('slow');
  const { faults, hosts } = churn.world;
  const fault = churn.chance(0.5)
    ? faults.delaySome({ share: 0.1, byMs: churn.below(500) })
    : faults.slow(hosts, hosts, { latencyMs: churn.below(100), jitterMs: churn.below(50) });
  healLater(churn, fault, churn.below(SLOW_MS));
}

function lose(churn: Churn): void {
  churn.note('connections are lost');
  healLater(churn, churn.world.faults.loseConnections({ perMinute: churn.below(10) }), churn.below(SLOW_MS));
}

function healLater(churn: Churn, fault: Fault, afterMs: number): void {
  churn.world.runtime.setTimer(afterMs, () => fault.heal());
}
