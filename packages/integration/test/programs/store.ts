/** A node with a store that tests talk to, and kill: retains and replays one stream, as it is asked. */
import { createDiscovery } from '@mosaik/discovery';
import { sleep, systemRuntime } from '@mosaik/primitives';
import { createStore, type Replay, type ReplayRecord } from '@mosaik/store';
import { sqlite } from '@mosaik/store/sqlite';
import { createStreams } from '@mosaik/streams';
import { startNode } from '../support/nodes.ts';
import { programArgument, serveCalls } from '../support/program.ts';
import { Entries, type Entry, type JoinerReport, type StoreProcessOptions } from '../support/store.ts';

/** Sends that wait for the disk at once. */
const IN_FLIGHT = 4_096;
const MISPLACED_MAX = 5;

const { bootstrap = [], retainAt, ...node } = programArgument<StoreProcessOptions>();
const transport = await startNode(node);
const discovery = await createDiscovery({ transport, bootstrap });
const streams = createStreams({ transport, discovery });
const store = createStore({ transport, discovery, streams });
if (retainAt !== undefined) await store.retain(Entries, { storage: sqlite(retainAt) });
const producer = retainAt === undefined ? undefined : streams.producer(Entries);

let replay: Replay<Entry> | undefined;
const seen = { data: 0, next: 0, isCaughtUp: false, gaps: 0, misplaced: [] as string[] };

async function send(count: number): Promise<number> {
  if (producer === undefined) throw new Error('this node does not produce');
  const end = producer.position.next + count;
  while (producer.position.next < end) {
    const from = producer.position.next;
    const size = Math.min(IN_FLIGHT, end - from);
    const sends = Array.from({ length: size }, (_, index) =>
      producer.send({ n: from + index, text: `entry number ${from + index}` }),
    );
    await Promise.all(sends);
  }
  return end;
}

function take(record: ReplayRecord<Entry>): void {
  if (record.type === 'caughtUp') {
    seen.isCaughtUp = true;
  } else if (record.type === 'gap') {
    seen.gaps++;
  } else {
    const { offset, datum } = record;
    const isRight = offset === seen.next && datum.n === offset && datum.text === `entry number ${offset}`;
    if (!isRight && seen.misplaced.length < MISPLACED_MAX)
      seen.misplaced.push(`at ${offset} after ${seen.next}: ${JSON.stringify(datum)}`);
    seen.data++;
    seen.next = offset + 1;
  }
}

async function follow(records: Replay<Entry>, perSecond: number): Promise<void> {
  const startMs = systemRuntime.now();
  for await (const run of records.recordBatches({ maxRecords: 1_000 })) {
    for (const record of run) take(record);
    // Looked at once: the clock goes on between two looks.
    const earlyMs = startMs + (seen.data / perSecond) * 1_000 - systemRuntime.now();
    if (earlyMs > 0) await sleep(systemRuntime, earlyMs);
  }
}

serveCalls({
  local: () => ({ peerId: transport.local.peerId, addresses: transport.local.addresses.value }),
  send,
  join: (perSecond: number) => {
    replay = store.replay(Entries, { from: 'start' });
    void follow(replay, perSecond);
  },
  report: (): JoinerReport => ({ ...seen, why: replay?.why().text ?? 'not begun' }),
});
