import { multiaddr } from '@multiformats/multiaddr';
import { drained, startBare } from '../link/bare.ts';
import { countArrivals } from './arrivals.ts';
import { payloads } from './payload.ts';
import type { System } from './system.ts';

const PROTOCOL = '/bare-datums/1';

/** A libp2p stream with nothing on it: bytes of a datum's size, neither framed nor encoded nor counted one by one. */
export const bareSystem: Pick<System, 'producer' | 'consumer'> = {
  async consumer({ payload }) {
    const node = await startBare();
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
    };
  },

  async producer({ address, payload }) {
    const node = await startBare();
    const stream = await node.dialProtocol(multiaddr(address), PROTOCOL);
    const datum = new Uint8Array(payloads[payload].bytes).fill(7);
    return {
      address,
      connected: async () => {},
      async send(count) {
        for (let sent = 0; sent < count; sent++) if (!stream.send(datum)) await drained(stream);
      },
    };
  },
};
