import { join } from 'node:path';
import { isLongSimulation } from '@mosaik/testing/seeds';
import { expect, it } from 'vitest';
import { inFolder } from '../support/folder.ts';
import { cpuWaits } from '../support/groups.ts';
import { Load } from '../support/load.ts';
import type { SightingsReport } from '../support/sightings.ts';
import {
  auditAll,
  type Produced,
  type StackProcess,
  startAgain,
  startStack,
  untilKnown,
  untilWhole,
} from '../support/stack.ts';
import { until, within } from '../support/wait.ts';

/** `npm run sim` restarts every node twice in both ways. */
const ROUNDS = isLongSimulation ? 4 : 1;
const ELECTION_TIMEOUT_MS = 600;
/** Of writes before and after each restart. */
const WRITES = 100;
/** Of numbers that each consumer sees between two restarts. */
const NUMBERS = 100;

type Way = 'leave' | 'kill';

/** The processes of a network, by what they are there for. */
interface Roles {
  beacon: StackProcess;
  readonly members: StackProcess[];
  producer: StackProcess;
  readonly consumers: StackProcess[];
}

async function startAll(folder: string): Promise<Roles> {
  const network = 'stack rolling';
  const beacon = await startStack({ network, secretKey: 'beacon', bootstrap: [] });
  const start = (secretKey: string, options: object): Promise<StackProcess> =>
    startStack({ network, secretKey, bootstrap: [beacon.address], ...options });
  const [producer, ...rest] = await Promise.all([
    start('producer', { producesPerSecond: 500 }),
    ...[0, 1, 2].map((index) =>
      start(`member ${index}`, { member: { key: 'rolling', file: join(folder, `${index}.db`) } }),
    ),
    ...[0, 1].map((index) => start(`consumer ${index}`, { consumes: true })),
  ]);
  return { beacon, members: rest.slice(0, 3), producer, consumers: rest.slice(3) };
}

function everyone({ beacon, members, producer, consumers }: Roles): StackProcess[] {
  return [beacon, ...members, producer, ...consumers];
}

/** Ends a process in one of the ways; resolves with what it sent, if it says so. */
async function end(node: StackProcess, way: Way): Promise<Produced | undefined> {
  if (way === 'leave') return await within('it leaves', 20_000, node.leave());
  node.signal('SIGKILL');
  await node.exited;
  return undefined;
}

/** How long nothing was acknowledged at the longest, but for what the machine took. */
async function pauseDuring(
  staying: readonly StackProcess[],
  load: Load,
  what: () => Promise<void>,
): Promise<number> {
  load.takeLongestPauseMs();
  const waits = await cpuWaits(staying);
  await what();
  await untilWritten(load);
  return load.takeLongestPauseMs() - (await waits.longestMs());
}

/** Restarts a member under load; resolves with how long there was no service when it went, and when it came back. */
async function restartMember(roles: Roles, place: number, load: Load, way: Way): Promise<number[]> {
  const { members, beacon } = roles;
  const node = members[place] as StackProcess;
  const staying = members.filter((member) => member !== node);
  load.through(members);
  await untilWritten(load);
  if (way === 'leave') await load.release(node);
  const goneMs = await pauseDuring(staying, load, async () => void (await end(node, way)));
  const backMs = await pauseDuring(staying, load, async () => {
    members[place] = await startAgain(node, [beacon.address]);
    await untilWhole(members, 30_000);
  });
  return [goneMs, backMs];
}

async function untilWritten(load: Load): Promise<void> {
  const before = load.acknowledged;
  await until(`${WRITES} more writes`, 20_000, () => load.acknowledged >= before + WRITES);
}

/** The leader by one way, who leads then by the other, and who is left. */
async function rollMembers(roles: Roles, load: Load, round: number): Promise<void> {
  const { members } = roles;
  const left = new Set([0, 1, 2]);
  const ways: readonly Way[] = round % 2 === 0 ? ['kill', 'leave', 'kill'] : ['leave', 'kill', 'leave'];
  for (const way of ways) {
    const leader = members.indexOf(await untilWhole(members, 30_000));
    const place = left.has(leader) ? leader : (Math.min(...left) as number);
    left.delete(place);
    const [goneMs = 0, backMs = 0] = await restartMember(roles, place, load, way);
    const role = place === leader ? 'leader' : 'follower';
    console.log(
      `${role}, ${way}: no service for ${goneMs.toFixed(0)} ms, ${backMs.toFixed(0)} as it came back`,
    );
    // Nobody has to find out that somebody has left.
    expect(goneMs).toBeLessThan(way === 'leave' ? ELECTION_TIMEOUT_MS : 2 * ELECTION_TIMEOUT_MS);
    expect(backMs).toBeLessThan(ELECTION_TIMEOUT_MS);
  }
}

/** What the consumers of one life of theirs saw, with what the producer had sent by then, where it said so. */
interface Witness {
  readonly seen: SightingsReport;
  /** By epoch, of those that ended with a goodbye while this consumer was there. */
  readonly ended: readonly Produced[];
}

/** Restarts the producer, both consumers and the bootstrap node, while numbers flow. */
async function rollOthers(roles: Roles, witnesses: Witness[], round: number): Promise<void> {
  const ways: readonly Way[] = round % 2 === 0 ? ['kill', 'leave'] : ['leave', 'kill'];
  const known = roles.members[0]?.address ?? '';
  const goodbyes: Produced[] = [];
  await untilFlowing(roles);
  const sent = await end(roles.producer, ways[0] as Way);
  if (sent !== undefined) goodbyes.push(sent);
  roles.producer = await startAgain(roles.producer, [roles.beacon.address]);
  await untilFlowing(roles);
  await end(roles.beacon, ways[1] as Way);
  roles.beacon = await startAgain(roles.beacon, [known]);
  for (const [place, way] of ways.entries()) {
    const consumer = roles.consumers[place] as StackProcess;
    witnesses.push({ seen: await consumer.seen(), ended: goodbyes });
    await end(consumer, way);
    roles.consumers[place] = await startAgain(consumer, [roles.beacon.address]);
    await untilFlowing(roles);
  }
}

/** Each consumer sees what the producer sends now. */
async function untilFlowing({ producer, consumers }: Roles): Promise<void> {
  const { epoch, sent } = await producer.produced();
  await until('each consumer sees numbers', 20_000, async () => {
    const seen = await Promise.all(consumers.map((consumer) => consumer.seen()));
    return seen.every(({ epochs }) => (epochs[epoch]?.next ?? 0) >= sent + NUMBERS);
  });
}

/** In order, and what is missing at the end of a life of the producer was told. */
function expectTold({ seen, ended }: Witness, current: Produced): void {
  expect(seen.misplaced).toEqual([]);
  for (const [epoch, { next, isCutOff }] of Object.entries(seen.epochs)) {
    if (epoch === current.epoch) continue;
    const goodbye = ended.find((one) => one.epoch === epoch);
    if (!isCutOff) expect({ epoch, next }).toEqual({ epoch, next: goodbye?.sent });
  }
}

it(
  'a rolling restart of all nodes, by goodbye and by SIGKILL, loses and repeats nothing',
  () =>
    inFolder(async (folder) => {
      const roles = await startAll(folder);
      try {
        await untilKnown(everyone(roles), 20_000);
        await untilWhole(roles.members, 30_000);
        const load = new Load();
        const witnesses: Witness[] = [];
        for (let round = 0; round < ROUNDS; round++)
          await Promise.all([rollMembers(roles, load, round), rollOthers(roles, witnesses, round)]);
        await expectAllKept(roles, load, witnesses);
      } finally {
        await Promise.all(everyone(roles).map((node) => node[Symbol.asyncDispose]()));
      }
    }),
  600_000,
);

async function expectAllKept(roles: Roles, load: Load, witnesses: Witness[]): Promise<void> {
  await within('the clients end', 30_000, load.stop());
  expect(load.failures).toEqual([]);
  expect(load.repeated).toBe(0);
  const audits = await auditAll(roles.members, load.receipts);
  for (const audit of audits) expect(audit).toMatchObject({ missing: [], misplaced: [], repeated: [] });
  expect(new Set(audits.map(({ deposits }) => deposits)).size).toBe(1);

  const current = await roles.producer.call<Produced>('stop');
  await until('each consumer has seen the last number', 20_000, async () => {
    const seen = await Promise.all(roles.consumers.map((consumer) => consumer.seen()));
    return seen.every(({ epochs }) => epochs[current.epoch]?.next === current.sent);
  });
  for (const consumer of roles.consumers) witnesses.push({ seen: await consumer.seen(), ended: [] });
  for (const witness of witnesses) expectTold(witness, current);
  await untilKnown(everyone(roles), 20_000);
  console.log(
    `${load.acknowledged} writes acknowledged, ${current.sent} numbers in the last life of the producer`,
  );
}
