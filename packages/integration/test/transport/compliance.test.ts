import { systemRuntime } from '@mosaik/primitives';
import {
  type CreateTransportOptions,
  type TransportSetup,
  transportCompliance,
} from '@mosaik/testing/compliance';
import type { Transport } from '@mosaik/transport';
import { createLibp2pTransport, type Encryption } from '@mosaik/transport/libp2p';

/** All transports of a test live in this process: what needs a process of its own to kill is in the other tests. */
function environment(encryption: readonly Encryption[]): TransportSetup {
  return {
    idleMs: 300,
    async run(test) {
      const created: Transport[] = [];
      const errors: Error[] = [];
      const create = async (options: CreateTransportOptions = {}): Promise<Transport> => {
        const transport = await createLibp2pTransport({
          network: options.network ?? 'compliance',
          secretKey: options.key ?? `node ${created.length} of a compliance test`,
          listen: ['/ip4/127.0.0.1/tcp/0'],
          encryption,
          onError: (error) => errors.push(error),
        });
        created.push(transport);
        return transport;
      };
      try {
        await test({ runtime: systemRuntime, create });
      } finally {
        await Promise.all(created.map((transport) => transport.close()));
      }
      const unexpected = errors.filter((error) => !error.message.startsWith('a bug in the'));
      if (unexpected.length > 0) throw new AggregateError(unexpected, 'errors in the background');
    },
  };
}

transportCompliance('libp2p transport over TLS', () => environment(['tls']));
transportCompliance('libp2p transport over Noise', () => environment(['noise']));
