import { noise } from '@chainsafe/libp2p-noise';
import { InvalidArgumentError } from '@mosaik/primitives';
import type { Libp2pOptions } from 'libp2p';

/** How a connection is encrypted. Both show who is at the other end, by the same key. */
export type Encryption = 'noise' | 'tls';

type Encrypter = NonNullable<Libp2pOptions['connectionEncrypters']>[number];

/** TLS is loaded when it is asked for: it is Node's only, and brings a library of certificates along. */
const load: Readonly<Record<Encryption, () => Promise<Encrypter>>> = {
  noise: async () => noise(),
  tls: async () => (await import('@libp2p/tls')).tls(),
};

/**
 * What libp2p is to encrypt with, in that order.
 *
 * @throws {InvalidArgumentError} when `names` is not one or both of them.
 */
export function encryptersOf(names: readonly Encryption[]): Promise<Encrypter[]> {
  const areKnown = names.every((name) => Object.hasOwn(load, name));
  const areOnce = new Set(names).size === names.length;
  if (names.length === 0 || !areKnown || !areOnce) {
    const expected = `one or both of 'noise' and 'tls', each once, not ${JSON.stringify(names)}`;
    throw new InvalidArgumentError('encryption', expected);
  }
  return Promise.all(names.map((name) => load[name]()));
}
