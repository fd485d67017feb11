import type { PeerId } from '@mosaik/primitives';
import {
  type Consumer,
  type DatumRecord,
  type Epoch,
  type Gap,
  type Producer,
  type StreamDefinition,
  stream,
} from '@mosaik/streams';
import type { Life, Part } from './node.ts';

/** What travels in the stream that nobody keeps; of one host, no two have the same number. */
export interface Tick {
  readonly from: string;
  readonly number: number;
}

const Ticks: StreamDefinition<Tick> = stream<Tick>('ticks');

const BURST_MAX = 4;
const PAUSE_MS = 800;

/** Produces a few data now and then, and writes down what it sent. */
export class TickProducer implements Part {
  /** By life of the producer; the place in the list is the sequence. */
  readonly sent: Map<Epoch, number[]> = new Map();
  producer: Producer<Tick> | undefined;
  #number = 0;

  begin(life: Life): void {
    const { network, churn } = life;
    const producer = network.streams.producer(Ticks);
    this.producer = producer;
    const sent: number[] = [];
    this.sent.set(producer.position.epoch, sent);
    churn.watch(this.#work(producer, sent, life));
  }

  async #work(producer: Producer<Tick>, sent: number[], { network, churn, signal }: Life): Promise<void> {
    const from = network.local.peerId;
    while (!signal.aborted) {
      const count = churn.isOver ? 0 : 1 + churn.below(BURST_MAX);
      for (let done = 0; done < count && !signal.aborted; done++) {
        const number = this.#number++;
        // Noted before it is known to be taken: a crash may come between the taking and the word of it.
        sent.push(number);
        const isTaken = await producer.send({ from, number }, { signal }).then(
          () => true,
          () => false,
        );
        if (!isTaken) sent.pop();
        else if (sent.length !== producer.position.next) throw new Error('a tick was taken out of its turn');
      }
      await churn.world.sleep(churn.below(PAUSE_MS));
    }
  }
}

/** How far a consumer is with one producer. */
interface Place {
  epoch: Epoch;
  next: number;
  /** A gap without an end: it covers the rest of the epoch, and epochs that were never seen. */
  isOver: boolean;
}

/** Checks each record as it comes: in order, once, as it was sent, and nothing is missing that is not told as a gap. */
export class TickConsumer implements Part {
  consumer: Consumer<Tick> | undefined;
  data = 0;
  gaps = 0;
  #places = new Map<PeerId, Place>();

  begin(life: Life): void {
    const { network, churn } = life;
    const consumer = network.streams.consumer(Ticks);
    this.consumer = consumer;
    this.#places = new Map();
    churn.watch(this.#read(consumer, life));
  }

  /** Where it is with the life of a producer; undefined before the first datum of it. */
  nextOf(producer: PeerId, epoch: Epoch): number | undefined {
    const place = this.#places.get(producer);
    return place?.epoch === epoch ? place.next : undefined;
  }

  async #read(consumer: Consumer<Tick>, { network, churn, signal }: Life): Promise<void> {
    for await (const record of consumer.records()) {
      if (signal.aborted) return;
      if (churn.mutant.hidesGaps === true && record.type === 'gap') continue;
      const sent = churn.tickProducerOf(record.producer).sent;
      try {
        this.#follow(record, sent);
      } catch (cause) {
        const where = `ticks at ${network.local.peerId.slice(0, 8)} from ${record.producer.slice(0, 8)}`;
        throw new Error(`${where}: ${(cause as Error).message}`, { cause });
      }
    }
  }

  #follow(record: DatumRecord<Tick> | Gap, sent: ReadonlyMap<Epoch, readonly number[]>): void {
    const at = record.type === 'gap' ? record.from : record.sequence;
    const place = this.#places.get(record.producer);
    const next = this.#expected(record, place, sent) ?? at;
    if (at !== next) throw new Error(`${record.type} at ${at} of epoch ${record.epoch}, not at ${next}`);
    const isOver = record.type === 'gap' && record.to === undefined;
    const after = record.type === 'gap' ? (record.to ?? at) : at + 1;
    this.#places.set(record.producer, { epoch: record.epoch, next: after, isOver });
    if (record.type === 'gap') {
      if (after < at || (!isOver && after === at)) throw new Error(`a gap from ${at} to ${after}`);
      this.gaps++;
      return;
    }
    this.data++;
    const number = sent.get(record.epoch)?.[at];
    if (number !== record.datum.number)
      throw new Error(`at ${at} number ${number} was sent, ${record.datum.number} came`);
  }

  /** Where the next record of a producer has to be; undefined when this is the first of it. */
  #expected(
    { epoch }: DatumRecord<Tick> | Gap,
    place: Place | undefined,
    sent: ReadonlyMap<Epoch, readonly number[]>,
  ): number | undefined {
    if (place === undefined) return undefined;
    if (place.epoch === epoch) {
      if (place.isOver) throw new Error(`something of epoch ${epoch} after its end was missed`);
      return place.next;
    }
    const count = sent.get(place.epoch)?.length ?? 0;
    if (!place.isOver && place.next < count)
      throw new Error(`epoch ${place.epoch} ended at ${place.next} of ${count}, without a word`);
    return 0;
  }
}
