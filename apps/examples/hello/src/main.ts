/**
 * Two nodes and a stream. The consumer knows one address, of a node that may be anybody, and the name of the stream: it finds
 * whoever produces it, subscribes, and would do so again after a failure.
 */
import { Network, stream } from 'mosaik';

interface Reading {
  readonly sensor: string;
  readonly celsius: number;
}

const Readings = stream<Reading>('greenhouse.readings');
const listen = ['/ip4/127.0.0.1/tcp/0'];

await using sensor = await Network.create('greenhouse', { listen, tags: ['sensor'] });
await using display = await Network.create('greenhouse', {
  listen,
  tags: ['display'],
  bootstrap: sensor.local.addresses.value,
});

const producer = sensor.streams.producer(Readings);
const consumer = display.streams.consumer(Readings, {
  // Only what is warm travels, and only from peers that are sensors.
  criteria: { celsius: { $gte: 20 } },
  subscribeIf: (peer) => peer.hasTag('sensor'),
});

// Waits until somebody listens; says why, should that take long.
await producer.when().subscribed().withTags('display');
for (const celsius of [18.5, 21, 19, 24.5]) await producer.send({ sensor: 'north', celsius });

console.log(await consumer.recv());
console.log(await consumer.recv());
console.log(consumer.why().text);
