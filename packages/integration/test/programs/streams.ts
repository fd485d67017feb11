/** A node with streams that tests talk to, stop and kill: produces and consumes one stream, as it is asked. */
import { createDiscovery } from '@mosaik/discovery';
import { sleep, systemRuntime } from '@mosaik/primitives';
import { type Consumer, createStreams, type DatumRecord, type Gap, type Producer } from '@mosaik/streams';
import { startNode } from '../support/nodes.ts';
import { programArgument, serveCalls } from '../support/program.ts';
import {
  type ConsumerReport,
  type Flow,
  type Parcel,
  Parcels,
  type ProduceOptions,
  type ProducerReport,
  type StreamsProcessOptions,
} from '../support/streams.ts';

const PACE_MS = 10;
/** The queues are looked at after so many data, and at every pace. */
const SAMPLE = 32;

const { bootstrap = [], ...node } = programArgument<StreamsProcessOptions>();
const transport = await startNode(node);
const discovery = await createDiscovery({ transport, bootstrap });
const streams = createStreams({ transport, discovery });
const payload = new Uint8Array(1_000);
let producer: Producer<Parcel> | undefined;
let consumer: Consumer<Parcel> | undefined;
let isFlowing = false;
let sent = 0;
let maxQueuedBytes = 0;
let maxRssBytes = 0;
/** What a consumer saw of each epoch: counted, and checked for order. */
const seen = { datums: 0, last: -1, gaps: [] as Gap[], misplaced: [] as string[] };
const nextOf = new Map<string, number>();

function sample(): void {
  for (const { stats } of producer?.consumers ?? [])
    maxQueuedBytes = Math.max(maxQueuedBytes, stats.lagBytes);
  maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss());
}

function produce({ minimum, bufferBytes }: ProduceOptions): void {
  producer = streams.producer(Parcels, {
    bufferBytes,
    onlineWhen: (subscribed) => subscribed.minimumOf(minimum),
  });
}

/** Sends so many a second; what a wait has cost is made up for afterwards. */
async function flow({ perSecond }: Flow): Promise<void> {
  isFlowing = true;
  const startMs = systemRuntime.now();
  const before = sent;
  while (isFlowing) {
    const due = before + ((systemRuntime.now() - startMs) / 1_000) * perSecond;
    while (isFlowing && sent < due) {
      await producer?.send({ n: sent++, payload });
      if (sent % SAMPLE === 0) sample();
    }
    sample();
    await sleep(systemRuntime, PACE_MS);
  }
}

async function consume(): Promise<void> {
  consumer = streams.consumer(Parcels);
  for await (const record of consumer.records()) note(record);
}

function note(record: DatumRecord<Parcel> | Gap): void {
  const first = record.type === 'gap' ? record.from : record.sequence;
  const expected = nextOf.get(record.epoch) ?? first;
  if (first !== expected) seen.misplaced.push(`${record.type} at ${first}, not at ${expected}`);
  nextOf.set(record.epoch, record.type === 'gap' ? (record.to ?? Number.NaN) : first + 1);
  if (record.type === 'gap') seen.gaps.push(record);
  else {
    seen.datums++;
    seen.last = record.datum.n;
  }
}

function producerReport(): ProducerReport {
  return {
    sent,
    isOnline: producer?.when().online().isMet ?? false,
    why: producer?.why().text ?? '',
    droppedTooSlow: producer?.stats.droppedTooSlow ?? 0,
    subscribed: producer?.consumers.length ?? 0,
    maxQueuedBytes,
    maxRssBytes,
    rssBytes: process.memoryUsage.rss(),
  };
}

function consumerReport(): ConsumerReport {
  const [channel] = consumer?.producers ?? [];
  return { ...seen, state: channel?.state, lastError: channel?.stats.lastError };
}

serveCalls({
  local: () => ({ peerId: transport.local.peerId, addresses: transport.local.addresses.value }),
  produce,
  flow: (options: Flow) => void flow(options),
  stop: () => {
    isFlowing = false;
  },
  consume: () => void consume(),
  producer: producerReport,
  consumer: consumerReport,
});
