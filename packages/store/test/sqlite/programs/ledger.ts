import { type PeerId, type StreamId, streamId, uniqueId } from '@mosaik/primitives';
import { BlockCursor, BlockWriter, type Epoch } from '@mosaik/streams';
import type { KeptBlock, LogIdentity, LogStorage, LogStore } from '../../../src/log/log-storage.ts';

/** What a writer writes, and how it is known again: everything follows from an offset. */
export const STREAM: StreamId = streamId('killed');
export const PRODUCER: PeerId = uniqueId('killed producer');
export const MIRRORED: LogIdentity = {
  stream: STREAM,
  producer: uniqueId('mirrored producer'),
  log: '00000000000000bb' as Epoch,
};
export const FOLD = 'killed fold';

/** Several writes under way at once. */
const WINDOW = 6;
/** Of a run that is not killed. */
const ROUNDS = 400;
const KEPT = 4_000;

export function newLog(): Epoch {
  return '00000000000000aa' as Epoch;
}

function datumAt(offset: number, salt: number): Uint8Array {
  const length = 1 + ((offset * 37 + salt) % 90);
  return Uint8Array.from({ length }, (_, at) => (offset * 7 + salt * 13 + at) & 0xff);
}

export function blockAt(first: number, next: number, salt = 0): KeptBlock {
  const writer = new BlockWriter();
  for (let offset = first; offset < next; offset++) writer.append(offset, datumAt(offset, salt));
  return { ...writer.seal(), timeMs: 1_000 + first };
}

/** The first offset from `first` on at which the data are not those of the ledger; undefined when all are. */
export async function findDifference(log: LogStorage, salt = 0): Promise<string | undefined> {
  const { first, next } = log.extent;
  let expected = first;
  while (expected < next) {
    const blocks = await log.read(expected, 300_000);
    if (blocks.length === 0) return `nothing is read from ${expected} on`;
    for (const { sequence, datum } of dataIn(blocks)) {
      if (sequence < first) continue;
      if (sequence !== expected) return `${sequence} where ${expected} belongs`;
      if (Buffer.compare(datum, datumAt(expected, salt)) !== 0) return `other data at ${expected}`;
      expected++;
    }
  }
  return expected === next ? undefined : `data after the end at ${next}`;
}

function* dataIn(
  blocks: readonly KeptBlock[],
): Generator<{ readonly sequence: number; readonly datum: Uint8Array }, void, void> {
  for (const block of blocks) {
    const cursor = new BlockCursor(block);
    while (!cursor.isDone) {
      const datum = cursor.take();
      yield { sequence: cursor.sequence, datum };
    }
  }
}

/** Of the fold that is saved for the `number`th time: up to a few chunks. */
export function snapshotAt(number: number): Uint8Array {
  return new Uint8Array(4 + (number % 5) * 700_000).fill(number & 0xff);
}

/** Appends to two logs, trims and takes snapshots, and says what was acknowledged. */
export async function writeOn(store: LogStore, say: (line: string) => void): Promise<void> {
  const own = await store.openOwn(STREAM, PRODUCER, newLog);
  const mirror = await store.openMirror(MIRRORED);
  say(`opened ${own.extent.next}`);
  let snapshot = (await store.loadSnapshot(FOLD))?.[0] ?? 0;
  const ends = { own: own.extent.next, mirror: mirror.extent.next };
  for (let round = 0; round < ROUNDS; round++) {
    const appends = Array.from({ length: WINDOW }, async (_, index) => {
      const size = 1 + ((round * 131 + index * 377) % 1_200);
      const first = ends.own;
      ends.own += size;
      await own.append(blockAt(first, ends.own));
      say(`own ${first + size}`);
    });
    const copied = blockAt(ends.mirror, ends.mirror + 20, 1);
    ends.mirror += 20;
    await Promise.all([...appends, mirror.append(copied)]);
    say(`mirror ${mirror.extent.next}`);
    if (round % 3 === 1) await trimAndSay(own, say);
    if (round % 4 !== 2) continue;
    snapshot = (snapshot % 250) + 1;
    say(`saving ${snapshot}`);
    await store.saveSnapshot(FOLD, snapshotAt(snapshot));
    say(`saved ${snapshot}`);
  }
}

async function trimAndSay(log: LogStorage, say: (line: string) => void): Promise<void> {
  const below = log.extent.next - KEPT;
  if (below <= log.extent.first) return;
  say(`trimming ${below}`);
  await log.trim(below);
  say(`trimmed ${below}`);
}
