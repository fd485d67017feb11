import { bytesCodec, cborCodec } from '@mosaik/primitives';
import { type Link, type Protocol, protocol, type Transport } from '@mosaik/transport';
import type { World } from '../../src/index.ts';

export interface Numbered {
  readonly n: number;
}

export const Numbers: Protocol<Numbered> = protocol({ name: 'numbers', codec: cborCodec<Numbered>() });
export const Urgent: Protocol<Numbered> = protocol({
  name: 'urgent',
  codec: cborCodec<Numbered>(),
  priority: 'control',
});
export const Bytes: Protocol<Uint8Array> = protocol({ name: 'bytes', codec: bytesCodec });

/** Answers every message with the same. */
export function echo(transport: Transport): void {
  transport.accept(Numbers, async (link) => {
    try {
      for await (const message of link) await link.send(message);
    } catch {
      // The link is over, which is what some of these tests are about.
    }
  });
}

/** Hosts of these names, each with a transport. */
export function transportsOf(world: World, ...names: string[]): Transport[] {
  return names.map((name) => world.host(name).transport());
}

/** A link from one transport to another, both ends. */
export async function linkBetween<M>(
  a: Transport,
  b: Transport,
  protocol: Protocol<M>,
): Promise<{ near: Link<M>; far: Link<M> }> {
  const { promise, resolve } = Promise.withResolvers<Link<M>>();
  const accepting = b.accept(protocol, (link) => resolve(link));
  const peer = await a.connect(b.local.addresses.value[0]!);
  const near = await a.open(peer, protocol);
  const far = await promise;
  accepting[Symbol.dispose]();
  return { near, far };
}
