import { performance } from 'node:perf_hooks';
import { createStreams, type Streams, stream } from '@mosaik/streams';
import { startMosaikNode } from '../../mosaik-node.ts';
import { countArrivals } from './arrivals.ts';
import { flowOf } from './flow.ts';
import { type Datum, datumCodec, payloads } from './payload.ts';
import type { PartyOptions, System } from './system.ts';

const Datums = stream<Datum>('bench.datums', { codec: datumCodec });
const There = stream<Datum>('bench.there', { codec: datumCodec });
const Back = stream<Datum>('bench.back', { codec: datumCodec });
/** As on the other side nobody is cut off for lagging: the slowest sets the pace, so that all datums arrive. */
const PACED = { disconnectLagging: false } as const;

/** Streams over libp2p: a node for each process, which finds the others through the first one. */
export const mosaikSystem: System = {
  async producer(options) {
    const { address, streams } = await startNode(options);
    const producer = streams.producer(Datums, PACED);
    const { create } = payloads[options.payload];
    let sequence = 0;
    return {
      address,
      connected: (others) => producer.when().subscribed().minimumOf(others),
      async send(count) {
        for (let sent = 0; sent < count; sent++) await producer.send(create(sequence++));
        await producer.flushed();
      },
    };
  },

  async broadcaster(options) {
    const { address, streams } = await startNode(options);
    const producer = streams.producer(Datums);
    const { create } = payloads[options.payload];
    let sequence = 0;
    const queuedBytes = (): number => Math.max(0, ...producer.consumers.map(({ stats }) => stats.lagBytes));
    return {
      address,
      connected: (others) => producer.when().subscribed().minimumOf(others),
      ...flowOf(() => producer.send(create(sequence++)), queuedBytes),
    };
  },

  async consumer(options) {
    const { address, streams } = await startNode(options);
    const consumer = streams.consumer(Datums);
    const arrivals = countArrivals();
    void (async () => {
      for await (const batch of consumer.batches()) arrivals.arrived(batch.length);
    })();
    return {
      address,
      connected: (others) => consumer.when().subscribed().minimumOf(others),
      receive: (count) => arrivals.next(count),
      total: () => arrivals.total(),
    };
  },

  async requester(options) {
    const { address, streams } = await startNode(options);
    const [there, back] = [streams.producer(There), streams.consumer(Back)];
    const { create } = payloads[options.payload];
    return {
      address,
      async connected() {
        await Promise.all([there.when().online(), back.when().online()]);
      },
      async roundTrips(count) {
        const times: number[] = [];
        for (let round = 0; round < count; round++) {
          const startedAt = performance.now();
          await there.send(create(round));
          await back.recv();
          times.push(performance.now() - startedAt);
        }
        return times;
      },
    };
  },

  async responder(options) {
    const { address, streams } = await startNode(options);
    const [there, back] = [streams.consumer(There), streams.producer(Back)];
    void (async () => {
      for await (const datum of there) await back.send(datum);
    })();
    return {
      address,
      async connected() {
        await Promise.all([there.when().online(), back.when().online()]);
      },
    };
  },
};

async function startNode({ addresses }: PartyOptions): Promise<{ address: string; streams: Streams }> {
  const { address, transport, discovery } = await startMosaikNode({ bootstrap: addresses[0] ?? '' });
  return { address, streams: createStreams({ transport, discovery }) };
}
