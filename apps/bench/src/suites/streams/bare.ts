import { performance } from 'node:perf_hooks';
import type { Stream } from '@libp2p/interface';
import { LengthPrefixedDecoder } from '@libp2p/utils';
import * as lengthPrefixed from 'it-length-prefixed';
import { drained } from '../link/bare.ts';
import { countArrivals } from './arrivals.ts';
import { openToAll, startBareNode } from './bare-node.ts';
import { type Datum, datumCodec, payloads } from './payload.ts';
import type { System } from './system.ts';

const DATUMS = '/bench-datums/1';
const ECHO = '/bench-echo/1';

/**
 * What one would write with libp2p alone: a stream for each consumer, datums by the same codec with their length before them,
 * encoded once for all, and a wait for the slowest when its stream is full. The decoder is the quicker of the two that
 * libp2p has: synchronous, called from the event.
 */
export const bareSystem: Omit<System, 'broadcaster'> = {
  async consumer() {
    const node = await startBareNode();
    const arrivals = countArrivals();
    await node.handle(DATUMS, (stream) => onDatums(stream, (datums) => arrivals.arrived(datums.length)));
    return {
      address: node.getMultiaddrs()[0]?.toString() ?? '',
      connected: async () => {},
      receive: (count) => arrivals.next(count),
      total: () => arrivals.total(),
    };
  },

  async producer({ addresses, payload }) {
    const streams = await openToAll(await startBareNode(), addresses, DATUMS);
    const { create } = payloads[payload];
    let sequence = 0;
    return {
      address: '',
      connected: async () => {},
      async send(count) {
        for (let sent = 0; sent < count; sent++) {
          const room = sendToAll(streams, create(sequence++));
          if (room !== undefined) await room;
        }
      },
    };
  },

  async requester({ addresses, payload }) {
    const [stream] = await openToAll(await startBareNode(), addresses, ECHO);
    if (stream === undefined) throw new Error('there is nobody to ask');
    const { create } = payloads[payload];
    let answered = (): void => {};
    onDatums(stream, () => answered());
    return {
      address: '',
      connected: async () => {},
      async roundTrips(count) {
        const times: number[] = [];
        for (let round = 0; round < count; round++) {
          const startedAt = performance.now();
          const answer = new Promise<void>((resolve) => {
            answered = resolve;
          });
          stream.send(frameOf(create(round)));
          await answer;
          times.push(performance.now() - startedAt);
        }
        return times;
      },
    };
  },

  async responder() {
    const node = await startBareNode();
    await node.handle(ECHO, (stream) =>
      onDatums(stream, (datums) => {
        for (const datum of datums) stream.send(frameOf(datum));
      }),
    );
    return { address: node.getMultiaddrs()[0]?.toString() ?? '', connected: async () => {} };
  },
};

function frameOf(datum: Datum) {
  return lengthPrefixed.encode.single(datumCodec.encode(datum));
}

/** A promise only when there is something to wait for: room on the fullest. */
function sendToAll(streams: readonly Stream[], datum: Datum): Promise<unknown> | undefined {
  const frame = frameOf(datum);
  let areFull = false;
  for (const stream of streams) if (!stream.send(frame)) areFull = true;
  return areFull ? Promise.all(streams.map(drained)) : undefined;
}

/** Hands on what arrives, decoded, all of an event at once. */
function onDatums(stream: Stream, take: (datums: readonly Datum[]) => void): void {
  const decoder = new LengthPrefixedDecoder();
  stream.addEventListener('message', ({ data }) => {
    const datums: Datum[] = [];
    for (const frame of decoder.decode(data)) datums.push(datumCodec.decode(frame.subarray()));
    if (datums.length > 0) take(datums);
  });
}
