import { noise } from '@chainsafe/libp2p-noise';
import { InvalidArgumentError, type Runtime } from '@mosaik/primitives';
import type { Libp2pOptions } from 'libp2p';
import { tlsOverSockets } from './tls/encrypter.ts';

/** How a connection is encrypted. Both show who is at the other end, by the same key. */
export type Encryption = 'noise' | 'tls';

type Encrypter = NonNullable<Libp2pOptions['connectionEncrypters']>[number];

const make: Readonly<Record<Encryption, (runtime: Runtime) => Encrypter>> = {
  noise: () => noise(),
  // What goes through a relay is rare, and the library for it takes 45 ms and 12 MiB to load.
  tls: (runtime) =>
    tlsOverSockets(runtime, async (components) => (await import('@libp2p/tls')).tls()(components)),
};

/**
 * What libp2p is to encrypt with, in that order.
 *
 * @throws {InvalidArgumentError} when `names` is not one or both of them.
 */
export function encryptersOf(names: readonly Encryption[], runtime: Runtime): Encrypter[] {
  const areKnown = names.every((name) => Object.hasOwn(make, name));
  const areOnce = new Set(names).size === names.length;
  if (names.length === 0 || !areKnown || !areOnce) {
    const expected = `one or both of 'noise' and 'tls', each once, not ${JSON.stringify(names)}`;
    throw new InvalidArgumentError('encryption', expected);
  }
  return names.map((name) => make[name](runtime));
}
