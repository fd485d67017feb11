/** A process that reads a stream from its beginning by an ordered consumer: `jetstream-reader.ts URL STREAM`. */
import { performance } from 'node:perf_hooks';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { reportReady } from '../../child.ts';
import { datumCodec } from '../streams/payload.ts';

/** What the client asks for ahead: a tenth of it was 10 to 20 % slower here, five times as much no faster. */
const MESSAGES_AHEAD = 10_000;

const [url = '', stream = ''] = process.argv.slice(2);
const connection = await connect({ servers: url });

async function replay(count: number): Promise<number> {
  const startedAt = performance.now();
  const consumer = await jetstream(connection).consumers.get(stream);
  const messages = await consumer.consume({ max_messages: MESSAGES_AHEAD });
  let left = count;
  for await (const message of messages) {
    datumCodec.decode(message.data);
    if (--left === 0) break;
  }
  return count / ((performance.now() - startedAt) / 1000);
}

reportReady(url, { replay });
