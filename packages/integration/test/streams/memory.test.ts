import { createDiscovery } from '@mosaik/discovery';
import { type Consumer, type ConsumerOptions, createStreams, type Streams, stream } from '@mosaik/streams';
import { expect, it } from 'vitest';
import { addressOf, startNode } from '../support/nodes.ts';
import { until } from '../support/wait.ts';

interface Parcel {
  readonly index: number;
  readonly isEven: boolean;
  readonly body: Uint8Array;
}

const Parcels = stream<Parcel>('memory.parcels');
const COUNT = 3_000;

function parcel(index: number): Parcel {
  return { index, isEven: index % 2 === 0, body: new Uint8Array((index * 7_919) % 90_000).fill(index) };
}

async function startStreams(stack: AsyncDisposableStack, name: string, bootstrap: readonly string[]) {
  const transport = stack.use(await startNode({ secretKey: `memory ${name}` }));
  const discovery = stack.use(await createDiscovery({ transport, bootstrap: [...bootstrap] }));
  const streams: Streams = stack.use(createStreams({ transport, discovery }));
  return { streams, address: addressOf(transport) };
}

/** Reads all and keeps it; tells how many have come, and which are not as they were sent. */
class Reader {
  readonly #parcels: Parcel[] = [];

  constructor(consumer: Consumer<Parcel>, pause: (count: number) => Promise<void>) {
    void this.#read(consumer, pause);
  }

  get count(): number {
    return this.#parcels.length;
  }

  get bent(): number[] {
    const isWhole = ({ index, body }: Parcel): boolean =>
      Buffer.from(body.buffer, body.byteOffset, body.length).equals(parcel(index).body);
    return this.#parcels.filter((datum) => !isWhole(datum)).map(({ index }) => index);
  }

  async #read(consumer: Consumer<Parcel>, pause: (count: number) => Promise<void>): Promise<void> {
    for await (const datum of consumer) {
      this.#parcels.push(datum);
      if (this.count % 10 === 0) await pause(this.count);
    }
  }
}

it('what consumers keep stays as it was sent, while the producer has its memory back and writes to it again', async () => {
  await using stack = new AsyncDisposableStack();
  const { streams: own, address } = await startStreams(stack, 'producer', []);
  const producer = own.producer(Parcels, { disconnectLagging: false });
  const readers: Reader[] = [];
  // The second one lags behind the first, so that what the first one has had is still waited for.
  const lag = (count: number): Promise<void> =>
    until('the first is ahead', 20_000, () => (readers[0]?.count ?? 0) >= Math.min(COUNT, count + 30));
  const wishes: readonly (readonly [ConsumerOptions<Parcel>, pause: (count: number) => Promise<void>])[] = [
    [{}, async () => {}],
    [{ bufferBytes: 1 }, lag],
    [{ criteria: { isEven: true } }, async () => {}],
  ];
  for (const [index, [wish, pause]] of wishes.entries()) {
    const { streams } = await startStreams(stack, `consumer ${index}`, [address]);
    readers.push(new Reader(streams.consumer(Parcels, wish), pause));
  }
  await producer.when().subscribed().minimumOf(wishes.length);
  for (let index = 0; index < COUNT; index++) await producer.send(parcel(index));
  await producer.flushed();
  await until('all has arrived', 20_000, () =>
    readers.every(({ count }, index) => count === (index === 2 ? COUNT / 2 : COUNT)),
  );
  for (const { bent } of readers) expect(bent).toEqual([]);
}, 60_000);
