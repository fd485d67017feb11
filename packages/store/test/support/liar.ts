import type { StreamId } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { encodeLogs, encodeOpened, encodeTime, type LogOffer } from '../../src/wire/messages.ts';
import { logProtocol, storeIdOf } from '../../src/wire/protocol.ts';
import type { Node } from './cluster.ts';

/** How a holder answers that does not keep to the protocol. */
export interface Lies {
  readonly offers: () => readonly LogOffer[];
  /** What it sends in place of the log. */
  readonly read: (link: Link<Uint8Array>) => Promise<void>;
}

/** Makes a node pose as a holder of a stream; it must not have a store. */
export function lie(
  node: Pick<Node, 'transport' | 'discovery'>,
  stream: StreamId,
  lies: Lies,
): { asked: number } {
  const stats = { asked: 0 };
  node.discovery.advertise({ kind: 'store', id: storeIdOf(stream) });
  node.transport.accept(logProtocol, async (link) => {
    for await (const message of link) {
      if (message[0] === 1) {
        await link.sendEncoded(encodeLogs(lies.offers()));
      } else {
        stats.asked++;
        await lies.read(link);
      }
    }
  });
  return stats;
}

/** An honest beginning of an answer. */
export async function begin(link: Link<Uint8Array>, first: number, next: number): Promise<void> {
  await link.sendEncoded(encodeOpened({ first, next }));
  await link.sendEncoded(encodeTime(1_000));
}
