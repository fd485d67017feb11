import { systemRuntime } from '@mosaik/primitives';
import { type CreateTransportOptions, transportCompliance } from '@mosaik/testing/compliance';
import type { Transport } from '@mosaik/transport';
import { createLibp2pTransport } from '@mosaik/transport/libp2p';

/** All transports of a test live in this process: what needs a process of its own to kill is in the other tests. */
transportCompliance('libp2p transport', () => ({
  idleMs: 300,
  async run(test) {
    const created: Transport[] = [];
    const errors: Error[] = [];
    const create = async (options: CreateTransportOptions = {}): Promise<Transport> => {
      const transport = await createLibp2pTransport({
        network: options.network ?? 'compliance',
        secretKey: options.key ?? `node ${created.length} of a compliance test`,
        listen: ['/ip4/127.0.0.1/tcp/0'],
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
}));
