import { bytesCodec, cborCodec } from '@mosaik/primitives';
import { type Link, type Protocol, protocol } from '@mosaik/transport';

/** Numbered messages with a payload. */
export interface Item {
  readonly n: number;
  readonly payload?: Uint8Array;
}

/** Each message comes back. */
export const Echo: Protocol<Item> = protocol({ name: 'integration/echo', codec: cborCodec<Item>() });

/** The other side reads when it is told to, and not before. */
export const Hold: Protocol<Uint8Array> = protocol({ name: 'integration/hold', codec: bytesCodec });

export async function echo(link: Link<Item>): Promise<void> {
  for await (const item of link) await link.send(item);
}

/** Sends one message and waits for its echo. */
export async function roundTrip(link: Link<Item>, n: number): Promise<void> {
  await link.send({ n });
  const answer = await link.receive();
  if (answer?.n !== n)
    throw new Error(`sent ${n}, received ${JSON.stringify(answer)}: ${JSON.stringify(link.end)}`);
}
