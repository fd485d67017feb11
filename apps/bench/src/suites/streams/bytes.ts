import { drained } from '../link/bare.ts';
import { countArrivals } from './arrivals.ts';
import { openToAll, startBareNode } from './bare-node.ts';
import { payloads } from './payload.ts';
import type { System } from './system.ts';

const PROTOCOL = '/bench-bytes/1';

/** A libp2p stream with nothing on it: bytes of a datum's size, neither framed nor encoded nor counted one by one. */
export const bytesSystem: Pick<System, 'producer' | 'consumer'> = {
  async consumer({ payload }) {
    const node = await startBareNode();
    const { bytes } = payloads[payload];
    const arrivals = countArrivals();
    let left = bytes;
    await node.handle(PROTOCOL, (stream) => {
      stream.addEventListener('message', ({ data }) => {
        left -= data.byteLength;
        for (; left <= 0; left += bytes) arrivals.arrived(1);
      });
    });
    return {
      address: node.getMultiaddrs()[0]?.toString() ?? '',
      connected: async () => {},
      receive: (count) => arrivals.next(count),
      total: () => arrivals.total(),
    };
  },

  async producer({ addresses, payload }) {
    const [stream] = await openToAll(await startBareNode(), addresses, PROTOCOL);
    if (stream === undefined) throw new Error('there is no consumer to connect to');
    const datum = new Uint8Array(payloads[payload].bytes).fill(7);
    return {
      address: '',
      connected: async () => {},
      async send(count) {
        for (let sent = 0; sent < count; sent++) if (!stream.send(datum)) await drained(stream);
      },
    };
  },
};
