import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { startChild } from '../../child.ts';
import { pipelined } from '../../in-flight.ts';
import { startNats } from '../../peers/nats.ts';
import type { Program } from '../../peers/program.ts';
import { datumCodec, payloads } from '../streams/payload.ts';
import { FILL_IN_FLIGHT, type StoreContender } from './contender.ts';

const { create } = payloads['75B'];

/** JetStream on one server, file storage, one replica. */
export async function startJetStream(program: Program): Promise<StoreContender> {
  const server = await startNats(program, { jetStream: true });
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection);
  const client = jetstream(connection);
  const addStream = (name: string): Promise<unknown> =>
    manager.streams.add({ name, subjects: [name], storage: StorageType.File });
  await addStream('appended');
  await addStream('replayed');
  const appendTo = (subject: string, count: number, inFlight: number): Promise<number> =>
    pipelined(count, inFlight, (index) => client.publish(subject, datumCodec.encode(create(index))));
  return {
    name: `JetStream (files, synced: ${server.sync})`,
    append: async (count, inFlight) => count / (await appendTo('appended', count, inFlight)),
    async fill(count) {
      const { state } = await manager.streams.info('replayed');
      await appendTo('replayed', Math.max(0, count - state.messages), FILL_IN_FLIGHT);
    },
    async replay(count) {
      const module = new URL('./jetstream-reader.ts', import.meta.url);
      await using reader = await startChild(module, [server.url, 'replayed']);
      return (await reader.request('replay', count)) as number;
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
