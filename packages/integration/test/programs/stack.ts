/** A node of the whole stack that tests talk to, stop and kill. */
import { type Group, memory } from '@mosaik/groups';
import { sqlite } from '@mosaik/groups/sqlite';
import { sleep, systemRuntime } from '@mosaik/primitives';
import type { Producer } from '@mosaik/streams';
import { Network } from 'mosaik';
import { waitedForCpuMs } from '../support/clock.ts';
import { type Audit, type Deposit, Ledger, type Receipt } from '../support/ledger.ts';
import { programArgument, serveCalls } from '../support/program.ts';
import { Sightings } from '../support/sightings.ts';
import { type Numbered, Numbers, type Produced, type StackOptions } from '../support/stack.ts';
import { writeDeposits } from '../support/writes.ts';

const PACE_MS = 10;
const CONSENSUS = { founders: 3, snapshotEvery: 2_000, retainEntries: 500 };

const { network: name, member, producesPerSecond, consumes, ...options } = programArgument<StackOptions>();
const network = await Network.create(name, { ...options, preset: 'local' });
const joined = member === undefined ? undefined : await join(member);
const producer = producesPerSecond === undefined ? undefined : network.streams.producer(Numbers);
const sightings = new Sightings();
const isLeaving = new AbortController();
let flowing: Promise<void> | undefined;
if (producer !== undefined) flowing = flow(producer, producesPerSecond ?? 0);
if (consumes === true) void consume();

function join({
  key,
  file,
}: NonNullable<StackOptions['member']>): Promise<Group<Deposit, number, readonly Receipt[], Audit>> {
  const storage = file === undefined ? memory() : sqlite(file);
  return network.groups.join({ key, machine: Ledger, storage, consensus: CONSENSUS });
}

function group(): NonNullable<typeof joined> {
  if (joined === undefined) throw new Error('not a member of a group');
  return joined;
}

/** What a wait has cost is made up for afterwards. */
async function flow(to: Producer<Numbered>, perSecond: number): Promise<void> {
  const startMs = systemRuntime.now();
  while (!isLeaving.signal.aborted) {
    const due = ((systemRuntime.now() - startMs) / 1_000) * perSecond;
    while (!isLeaving.signal.aborted && to.position.next < due) await to.send({ n: to.position.next });
    await sleep(systemRuntime, PACE_MS);
  }
}

async function consume(): Promise<void> {
  for await (const record of network.streams.consumer(Numbers).records()) sightings.note(record);
}

function produced(): Produced | undefined {
  return producer === undefined
    ? undefined
    : { epoch: producer.position.epoch, sent: producer.position.next };
}

async function stop(): Promise<Produced | undefined> {
  isLeaving.abort();
  await flowing;
  return produced();
}

serveCalls({
  local: () => ({ peerId: network.local.peerId, addresses: network.local.addresses.value }),
  known: () => Array.from(network.discovery.catalog, ({ peer }) => peer).sort(),
  strangers: () => {
    const points = network.metrics.snapshot()['mosaik.transport.strangers'] ?? [];
    return points.reduce((sum, point) => sum + ('value' in point ? Number(point.value) : 0), 0);
  },
  view: () => ({ ...group().stats, why: group().why() }),
  waitedForCpuMs,
  write: (request: Parameters<typeof writeDeposits>[1]) => writeDeposits(group(), request),
  audit: async (receipts: readonly Receipt[]) => (await group().query(receipts, 'strong')).result,
  produced,
  seen: () => sightings.report,
  /** Sends nothing more; resolves with what was sent. */
  stop,
  leave: async () => {
    const sent = await stop();
    await network.close();
    return sent;
  },
});
