import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import {
  BULK_BYTES,
  BULK_WARM_UP,
  decodeHello,
  ECHO,
  ENDLESS,
  encodeHello,
  HELLO_BYTES,
  type Load,
  SINK,
  type Subject,
} from './workload.ts';

const PROTOCOL = '/bare/1';
const DONE = new Uint8Array([1]);

/** libp2p as one would start it by its README: TCP, Noise, Yamux, all defaults. */
export function startBare(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
}

export async function serveBare(node: Libp2p): Promise<void> {
  await node.handle(PROTOCOL, (stream) => serve(stream));
}

/** Without framing: the sink counts bytes, the echo returns whatever came. */
function serve(stream: Stream): void {
  let kind: number | undefined;
  let left = 0;
  stream.addEventListener('message', (event) => {
    let data = event.data;
    if (kind === undefined) {
      const hello = decodeHello(data.subarray(0, HELLO_BYTES));
      kind = hello.kind;
      left = hello.bytes * hello.messages;
      data = data.subarray(HELLO_BYTES);
      if (data.byteLength === 0) return;
    }
    if (kind === ECHO) {
      stream.send(data);
    } else {
      left -= data.byteLength;
      if (left <= 0) stream.send(DONE);
    }
  });
  stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => {}));
}

/** The drain of the library itself works once only; this one looks whether there is room after each drain event. */
export function drained(stream: Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!stream.writableNeedsDrain) return resolve();
    const onClose = (): void => settle(() => reject(new Error('the stream was closed')));
    const onDrain = (): void => queueMicrotask(() => void (!stream.writableNeedsDrain && settle(resolve)));
    const settle = (finish: () => void): void => {
      stream.removeEventListener('drain', onDrain);
      stream.removeEventListener('close', onClose);
      finish();
    };
    stream.addEventListener('drain', onDrain);
    stream.addEventListener('close', onClose);
  });
}

/** Resolves when `bytes` more bytes have arrived. */
function arrival(stream: Stream, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes;
    const onMessage = (event: { data: { byteLength: number } }): void => {
      left -= event.data.byteLength;
      if (left > 0) return;
      stream.removeEventListener('message', onMessage);
      resolve();
    };
    stream.addEventListener('message', onMessage);
  });
}

export function connectBare(node: Libp2p, address: string): Subject {
  const open = (): Promise<Stream> => node.dialProtocol(multiaddr(address), PROTOCOL);
  return {
    name: 'bare libp2p stream',
    async transfer(load: Load) {
      const stream = await open();
      const message = new Uint8Array(load.bytes).fill(7);
      const done = arrival(stream, DONE.length);
      const startedAt = performance.now();
      stream.send(encodeHello(SINK, load));
      for (let sent = 0; sent < load.messages; sent++) {
        if (!stream.send(message)) await drained(stream);
      }
      await done;
      const seconds = (performance.now() - startedAt) / 1000;
      await stream.close();
      return seconds;
    },
    async roundTrips(count: number, bytes: number) {
      return pingPong(await open(), count, bytes);
    },
    async besideBulk(count: number, bytes: number) {
      const bulk = startBulk(await open());
      await bulk.warm;
      const [sentBefore, startedAt] = [bulk.sentBytes(), performance.now()];
      const times = await pingPong(await open(), count, bytes);
      const bytesPerSecond = (bulk.sentBytes() - sentBefore) / ((performance.now() - startedAt) / 1000);
      await bulk.stop();
      return { times, bytesPerSecond };
    },
  };
}

async function pingPong(stream: Stream, count: number, bytes: number): Promise<number[]> {
  stream.send(encodeHello(ECHO, { bytes, messages: count }));
  const message = new Uint8Array(bytes);
  const times: number[] = [];
  for (let round = 0; round < count; round++) {
    const answered = arrival(stream, bytes);
    const startedAt = performance.now();
    stream.send(message);
    await answered;
    times.push(performance.now() - startedAt);
  }
  await stream.close();
  return times;
}

/** Sends without end, and lets other work of the process in after each message. */
function startBulk(stream: Stream): {
  warm: Promise<void>;
  sentBytes: () => number;
  stop: () => Promise<void>;
} {
  const message = new Uint8Array(BULK_BYTES).fill(7);
  const warm = Promise.withResolvers<void>();
  let sent = 0;
  let isStopped = false;
  const run = async (): Promise<void> => {
    stream.send(encodeHello(SINK, { bytes: BULK_BYTES, messages: ENDLESS }));
    while (!isStopped) {
      if (!stream.send(message)) await drained(stream);
      if (++sent === BULK_WARM_UP) warm.resolve();
      await setImmediate();
    }
    await stream.close();
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
