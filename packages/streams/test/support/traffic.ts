import type { World } from '@mosaik/testing';
import {
  type Consumer,
  type DatumRecord,
  type Gap,
  type Producer,
  type StreamDefinition,
  stream,
} from '../../src/index.ts';

/** Numbered, with some weight. */
export interface Item {
  readonly n: number;
  readonly weight?: Uint8Array | undefined;
}

export const Items: StreamDefinition<Item> = stream<Item>('items');

/** A datum of about a kilobyte. */
export const KILOBYTE: Uint8Array = new Uint8Array(1_000);

/** Sends as fast as it may, until stopped. */
export function flood(producer: Producer<Item>, weight: Uint8Array = KILOBYTE): { stop(): Promise<number> } {
  const controller = new AbortController();
  const { signal } = controller;
  let n = 0;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await producer.send({ n, weight }, { signal }).then(
        () => n++,
        () => {},
      );
    }
  };
  const running = run();
  return {
    async stop() {
      controller.abort();
      await running;
      return n;
    },
  };
}

/** Sends so many, numbered from `from`. */
export async function sendItems(producer: Producer<Item>, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) await producer.send({ n });
}

export type Seen = DatumRecord<Item> | Gap;

/** Reads all there is, from now on. */
export function readAll(consumer: Consumer<Item>): Seen[] {
  const seen: Seen[] = [];
  const read = async (): Promise<void> => {
    for await (const record of consumer.records()) seen.push(record);
  };
  void read();
  return seen;
}

export function gapsOf(seen: readonly Seen[]): Gap[] {
  return seen.filter((record) => record.type === 'gap');
}

export function numbersOf(seen: readonly Seen[]): number[] {
  return seen.flatMap((record) => (record.type === 'datum' ? record.datum.n : []));
}

/** The whole numbers from `from` up to `to`, without it. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Fails unless what was seen of one epoch is all of it, in order, with a gap for exactly what is missing. */
export function requireExact(seen: readonly Seen[]): void {
  let next: number | undefined;
  for (const record of seen) {
    const first = record.type === 'gap' ? record.from : record.sequence;
    if (next !== undefined && first !== next) throw new Error(`${record.type} at ${first}, not at ${next}`);
    next = record.type === 'gap' ? record.to : first + 1;
  }
}

/** The largest value of something that is looked at every few virtual milliseconds, until stopped. */
export function largest(world: World, look: () => number): { stop(): number } {
  let most = 0;
  let isOver = false;
  const watch = async (): Promise<void> => {
    while (!isOver) {
      most = Math.max(most, look());
      await world.sleep(5);
    }
  };
  void watch();
  return {
    stop() {
      isOver = true;
      return most;
    },
  };
}

/** Sends one datum every few virtual milliseconds, until stopped. */
export function trickle(world: World, producer: Producer<Item>): { stop(): Promise<void> } {
  let isOver = false;
  const run = async (): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      producer.trySend({ n });
      await world.sleep(5);
    }
  };
  const running = run();
  return {
    stop() {
      isOver = true;
      return running;
    },
  };
}

/** Sends so many data of a kilobyte a second; what a wait has cost is made up for afterwards. */
export function paced(world: World, producer: Producer<Item>, perSecond: number): { stop(): void } {
  let isOver = false;
  const run = async (): Promise<void> => {
    const startMs = world.now;
    let n = 0;
    while (!isOver) {
      const due = ((world.now - startMs) / 1_000) * perSecond;
      while (!isOver && n < due) await producer.send({ n: n++, weight: KILOBYTE });
      await world.sleep(1);
    }
  };
  void run();
  return {
    stop() {
      isOver = true;
    },
  };
}
