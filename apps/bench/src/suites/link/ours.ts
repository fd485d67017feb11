import { performance } from 'node:perf_hooks';
import { bytesCodec } from '@mosaik/primitives';
import { type Link, protocol, type Transport } from '@mosaik/transport';
import { createLibp2pTransport } from '@mosaik/transport/libp2p';
import {
  BULK_BYTES,
  BULK_WARM_UP,
  decodeHello,
  ECHO,
  ENDLESS,
  encodeHello,
  type Load,
  SINK,
  type Subject,
} from './workload.ts';

const benchProtocol = protocol({ name: 'bench', codec: bytesCodec });
const DONE = new Uint8Array([1]);

export function startOurs(seed: string): Promise<Transport> {
  return createLibp2pTransport({ network: 'bench', secretKey: seed, listen: ['/ip4/127.0.0.1/tcp/0'] });
}

/** Serves sinks and echoes until the process ends. */
export function serveOurs(transport: Transport): void {
  transport.accept(benchProtocol, async (link) => {
    const hello = await link.receive();
    if (hello === undefined) return;
    const { kind, messages } = decodeHello(hello);
    if (kind === ECHO) await echo(link);
    else await sink(link, messages);
  });
}

async function sink(link: Link<Uint8Array>, messages: number): Promise<void> {
  let left = messages;
  for await (const batch of link.batches()) {
    left -= batch.length;
    if (left <= 0) break;
  }
  await link.send(DONE);
  await link.ended;
}

async function echo(link: Link<Uint8Array>): Promise<void> {
  for await (const message of link) await link.send(message);
}

export async function connectOurs(transport: Transport, address: string): Promise<Subject> {
  const peer = await transport.connect(address);
  return {
    name: 'mosaik link',
    async transfer(load: Load) {
      await using link = await transport.open(peer, benchProtocol);
      const message = new Uint8Array(load.bytes).fill(7);
      const startedAt = performance.now();
      await link.send(encodeHello(SINK, load));
      for (let sent = 0; sent < load.messages; sent++) await link.send(message);
      await link.receive();
      return (performance.now() - startedAt) / 1000;
    },
    async roundTrips(count: number, bytes: number) {
      await using link = await transport.open(peer, benchProtocol);
      return await pingPong(link, count, bytes);
    },
    async besideBulk(count: number, bytes: number) {
      await using bulkLink = await transport.open(peer, benchProtocol);
      await using link = await transport.open(peer, benchProtocol);
      const bulk = startBulk(bulkLink);
      await bulk.warm;
      const [sentBefore, startedAt] = [bulk.sentBytes(), performance.now()];
      const times = await pingPong(link, count, bytes);
      const bytesPerSecond = (bulk.sentBytes() - sentBefore) / ((performance.now() - startedAt) / 1000);
      await bulk.stop();
      return { times, bytesPerSecond };
    },
  };
}

async function pingPong(link: Link<Uint8Array>, count: number, bytes: number): Promise<number[]> {
  await link.send(encodeHello(ECHO, { bytes, messages: count }));
  const message = new Uint8Array(bytes);
  const times: number[] = [];
  for (let round = 0; round < count; round++) {
    const startedAt = performance.now();
    await link.send(message);
    await link.receive();
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Sends without end, as fast as the link takes it. */
function startBulk(link: Link<Uint8Array>): {
  warm: Promise<void>;
  sentBytes: () => number;
  stop: () => Promise<void>;
} {
  const message = new Uint8Array(BULK_BYTES).fill(7);
  const warm = Promise.withResolvers<void>();
  let sent = 0;
  let isStopped = false;
  const run = async (): Promise<void> => {
    await link.send(encodeHello(SINK, { bytes: BULK_BYTES, messages: ENDLESS }));
    while (!isStopped) {
      await link.send(message);
      if (++sent === BULK_WARM_UP) warm.resolve();
    }
  };
  const running = run();
  running.catch(warm.reject);
  return {
    warm: warm.promise,
    sentBytes: () => sent * BULK_BYTES,
    stop: () => {
      isStopped = true;
      return running;
    },
  };
}
