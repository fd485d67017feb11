import type { Transport } from '@mosaik/transport';
import { transportCompliance } from '../src/compliance/index.ts';
import { createWorld, type Host, type World } from '../src/index.ts';

/** Every transport on a host of its own. */
function environmentOf(world: World) {
  const hosts = new Map<Transport, Host>();
  const hostOf = (transport: Transport): Host => hosts.get(transport)!;
  return {
    runtime: world.runtime,
    create: async (options: { network?: string; key?: string } = {}): Promise<Transport> => {
      const host = world.host(`host-${hosts.size}`);
      const transport = host.transport({ network: options.network, secretKey: options.key });
      hosts.set(transport, host);
      return transport;
    },
    kill: (transport: Transport): void => hostOf(transport).crash({ mode: 'kill' }),
    silence: (transport: Transport): void => void world.faults.isolate(hostOf(transport)),
  };
}

transportCompliance('simulated transport', () => ({
  canKill: true,
  canSilence: true,
  idleMs: 600_000,
  heldBytesMax: 1024 * 1024,
  run: (test) => {
    const world = createWorld({ seed: 'compliance' });
    return world.run(() => test(environmentOf(world)));
  },
}));
