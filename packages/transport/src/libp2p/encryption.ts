import type { ConnectionEncrypter } from '@libp2p/interface';
import { InvalidArgumentError, type Runtime } from '@mosaik/primitives';
import type { Libp2pOptions } from 'libp2p';
import { TLS_PROTOCOL, tlsOverSockets } from './tls/encrypter.ts';

/** How a connection is encrypted. Both show who is at the other end, by the same key. */
export type Encryption = 'noise' | 'tls';

type Encrypter = NonNullable<Libp2pOptions['connectionEncrypters']>[number];

/**
 * Libraries are loaded by the first connection that needs them. Nodes talk TLS over sockets with each other: Noise is for those
 * that have no TLS, and TLS over streams for what has no socket, such as a connection through a relay.
 */
const make: Readonly<Record<Encryption, (runtime: Runtime) => Encrypter>> = {
  noise: () => onDemand('/noise', async () => (await import('@chainsafe/libp2p-noise')).noise()),
  tls: (runtime) => {
    const overStreams = onDemand(TLS_PROTOCOL, async () => (await import('@libp2p/tls')).tls());
    return (components) => tlsOverSockets(components, { runtime, overStreams: overStreams(components) });
  },
};

/** An encrypter that is made when it is used first. */
function onDemand(protocol: string, load: () => Promise<Encrypter>): Encrypter {
  return (components) => {
    let loading: Promise<ConnectionEncrypter> | undefined;
    const loaded = (): Promise<ConnectionEncrypter> => {
      loading ??= load().then((encrypter) => encrypter(components));
      return loading;
    };
    return {
      protocol,
      secureInbound: async (connection, options) => (await loaded()).secureInbound(connection, options),
      secureOutbound: async (connection, options) => (await loaded()).secureOutbound(connection, options),
    };
  };
}

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
