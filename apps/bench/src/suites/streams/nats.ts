import { performance } from 'node:perf_hooks';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { countArrivals } from './arrivals.ts';
import { flowOf } from './flow.ts';
import { datumCodec, payloads } from './payload.ts';
import type { System } from './system.ts';

const SUBJECT = 'bench.datums';
const ECHO = 'bench.echo';
/**
 * The client queues what is published without a bound, and sends when the caller pauses; so the caller does, each so many
 * bytes. From 16 KiB to 4 MiB the rates differed here by less than those of single runs.
 */
const BYTES_BETWEEN_FLUSHES = 256 * 1024;

/** Core NATS: at most once, no storage. A connection of its own for each process, the callback form of subscriptions. */
export const natsSystem: System = {
  async producer({ addresses, payload }) {
    const connection = await connect({ servers: [...addresses] });
    const { bytes, create } = payloads[payload];
    const atOnce = Math.max(1, Math.floor(BYTES_BETWEEN_FLUSHES / bytes));
    let sequence = 0;
    return {
      ...partyOf(connection),
      async send(count) {
        for (let sent = 1; sent <= count; sent++) {
          connection.publish(SUBJECT, datumCodec.encode(create(sequence++)));
          if (sent % atOnce === 0) await connection.flush();
        }
        await connection.flush();
      },
    };
  },

  async broadcaster({ addresses, payload }) {
    const connection = await connect({ servers: [...addresses] });
    const { bytes, create } = payloads[payload];
    const atOnce = Math.max(1, Math.floor(BYTES_BETWEEN_FLUSHES / bytes));
    let sequence = 0;
    const publishSome = async (): Promise<void> => {
      for (let sent = 0; sent < atOnce; sent++)
        connection.publish(SUBJECT, datumCodec.encode(create(sequence++)));
      await connection.flush();
    };
    // What lags waits in the server.
    return { ...partyOf(connection), ...flowOf(publishSome, () => 0) };
  },

  async consumer({ addresses }) {
    const connection = await connect({ servers: [...addresses] });
    const arrivals = countArrivals();
    connection.subscribe(SUBJECT, {
      callback(error, message) {
        if (error !== null) throw error;
        datumCodec.decode(message.data);
        arrivals.arrived(1);
      },
    });
    await connection.flush();
    return {
      ...partyOf(connection),
      receive: (count) => arrivals.next(count),
      total: () => arrivals.total(),
    };
  },

  async requester({ addresses, payload }) {
    const connection = await connect({ servers: [...addresses] });
    const { create } = payloads[payload];
    return {
      ...partyOf(connection),
      async roundTrips(count) {
        const times: number[] = [];
        for (let round = 0; round < count; round++) {
          const startedAt = performance.now();
          const reply = await connection.request(ECHO, datumCodec.encode(create(round)));
          datumCodec.decode(reply.data);
          times.push(performance.now() - startedAt);
        }
        return times;
      },
    };
  },

  async responder({ addresses }) {
    const connection = await connect({ servers: [...addresses] });
    connection.subscribe(ECHO, {
      callback(error, message) {
        if (error !== null) throw error;
        message.respond(datumCodec.encode(datumCodec.decode(message.data)));
      },
    });
    await connection.flush();
    return partyOf(connection);
  },
};

/** Subscriptions are in force as soon as the server has answered a flush, so there is nobody to wait for. */
function partyOf(connection: NatsConnection): { address: string; connected: () => Promise<void> } {
  return { address: connection.getServer(), connected: () => connection.flush() };
}
