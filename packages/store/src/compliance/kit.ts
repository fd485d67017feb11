import { type PeerId, type StreamId, streamId, uniqueId } from '@mosaik/primitives';
import { BlockCursor, BlockWriter, type Epoch, type Sequence } from '@mosaik/streams';
import { it } from 'vitest';
import type { KeptBlock, LogIdentity, LogStorage, LogStore } from '../log/log-storage.ts';
import type { LogStoreEnvironment, LogStoreSetup } from './environment.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

export const STREAM: StreamId = streamId('compliance');
export const PRODUCER: PeerId = uniqueId('producer');

/** Of another producer. */
export const MIRRORED: LogIdentity = {
  stream: STREAM,
  producer: uniqueId('another producer'),
  log: '00000000000000aa' as Epoch,
};

/** Declares the tests of the suite. */
export interface Suite {
  readonly setup: LogStoreSetup;
  test(name: string, body: (environment: LogStoreEnvironment) => Promise<void>): void;
  /** A test for environments that can do something special; skipped in others. */
  testIf(
    canDo: boolean | undefined,
    name: string,
    body: (environment: LogStoreEnvironment) => Promise<void>,
  ): void;
}

export function suiteOf(setup: LogStoreSetup): Suite {
  const timeout = setup.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return {
    setup,
    test: (name, body) => it(name, { timeout }, () => setup.run(body)),
    testIf: (canDo, name, body) => it.skipIf(canDo !== true)(name, { timeout }, () => setup.run(body)),
  };
}

let lastLog = 0;

/** Another id each time, so that a log that was begun anew is told from one that was opened again. */
export function newLog(): Epoch {
  return (++lastLog).toString(16).padStart(16, '0') as Epoch;
}

/** Opens the own log of {@link STREAM}. */
export function openOwn(store: LogStore, stream: StreamId = STREAM): Promise<LogStorage> {
  return store.openOwn(stream, PRODUCER, newLog);
}

/** The datum at an offset: longer and shorter ones, none like another. */
export function datumAt(offset: Sequence, salt = 0): Uint8Array {
  const length = 1 + ((offset * 7 + salt) % 40);
  return Uint8Array.from({ length }, (_, index) => (offset * 31 + salt * 17 + index) & 0xff);
}

export interface BlockOptions {
  readonly timeMs?: number;
  /** Other data at the same places. */
  readonly salt?: number;
}

/** A block of the data from `first` up to, and without, `next`. */
export function blockOf(first: Sequence, next: Sequence, options: BlockOptions = {}): KeptBlock {
  const { timeMs = 1_000 + first, salt = 0 } = options;
  const writer = new BlockWriter();
  for (let offset = first; offset < next; offset++) writer.append(offset, datumAt(offset, salt));
  return { ...writer.seal(), timeMs };
}

/** Appends blocks of `size` data each, up to `next`, from where the log ends; one after the other. */
export async function fill(log: LogStorage, next: Sequence, size = 10): Promise<void> {
  for (let first = log.extent.next; first < next; first += size) {
    await log.append(blockOf(first, Math.min(next, first + size)));
  }
}

/** Everything that is kept from an offset on, read in portions of about `maxBytes`. */
export async function readAll(log: LogStorage, from: Sequence = 0, maxBytes = 1_000): Promise<KeptBlock[]> {
  const all: KeptBlock[] = [];
  let next = from;
  while (true) {
    const blocks = await log.read(next, maxBytes);
    const last = blocks.at(-1);
    if (last === undefined) return all;
    if (last.next <= next) throw new Error(`reading from ${next} goes back to ${last.next}`);
    all.push(...blocks);
    next = last.next;
  }
}

/** The data of blocks, by offset. */
export function dataOf(blocks: readonly KeptBlock[]): Map<Sequence, Uint8Array> {
  const data = new Map<Sequence, Uint8Array>();
  for (const block of blocks) {
    const cursor = new BlockCursor(block);
    while (!cursor.isDone) {
      const datum = cursor.take();
      data.set(cursor.sequence, Uint8Array.from(datum));
    }
  }
  return data;
}

/** What {@link dataOf} should say for the data from `first` up to, and without, `next`. */
export function expectedData(first: Sequence, next: Sequence, salt = 0): Map<Sequence, Uint8Array> {
  const offsets = Array.from({ length: next - first }, (_, index) => first + index);
  return new Map(offsets.map((offset) => [offset, datumAt(offset, salt)]));
}

/** The bounds of blocks, for comparing. */
export function boundsOf(blocks: readonly KeptBlock[]): [Sequence, Sequence, number][] {
  return blocks.map(({ first, next, timeMs }) => [first, next, timeMs]);
}
