import { type Codec, decodeCbor, encodeCbor, ID_BYTES, idToBytes, type PeerId } from '@mosaik/primitives';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { EntryVersion } from '../entry/peer-entry.ts';
import { readArray, readBytes, readCount, readExactBytes, readPeer, readTuple, refused } from './fields.ts';
import { FINGERPRINT_BYTES, fingerprintFromBytes, fingerprintToBytes, type Salt } from './fingerprints.ts';
import { CHUNK_BYTES_MAX, FRAME_BYTES_MAX, ITEMS_MAX, LIST_ITEMS_MAX, RANGES_MAX } from './limits.ts';
import type { EntriesMessage, OpenMessage, SentEntry, StepMessage, SyncMessage } from './message.ts';
import { type Bound, FIRST_BOUND, LAST_BOUND, type ListedItem, type SyncRange } from './range.ts';

/*
 * The messages as CBOR arrays. `item` is three fields in a row: the peer id (32 bytes), `start`, and `update - start`.
 *
 *   open     [0, salt (8 bytes), range]
 *   step     [1, [range, …], [peer id, …], [item, …]]
 *   entries  [2, [item, entry, …]]
 *   range    [from, to, count, fingerprint (16 bytes)] or [from, to, [item, …]]
 *
 * `from` is null when it is where the range before ended, an empty `to` is after all ids.
 */
const OPEN = 0;
const STEP = 1;
const ENTRIES = 2;

const SALT_BYTES = 8;
const ITEM_FIELDS = 3;
const ENTRY_FIELDS = 4;
/** A message has at most so many CBOR items, and some for its arrays: ranges of 5, items and tombstones of 3, wants. */
const CBOR_ITEMS_MAX = 5 * RANGES_MAX + (2 * ITEM_FIELDS + 1) * ITEMS_MAX + 16;
const DECODE_OPTIONS = {
  maxBytes: FRAME_BYTES_MAX,
  maxDepth: 4,
  maxItems: CBOR_ITEMS_MAX,
  int64: 'number',
  copyBytes: false,
} as const;

/** Writes and reads {@link SyncMessage}s; takes nothing that an honest peer would not write. */
export const syncCodec: Codec<SyncMessage> = {
  name: 'discovery/sync',
  encode: (message) => encodeCbor(writeMessage(message)),
  decode: (bytes) => readMessage(decodeCbor(bytes, DECODE_OPTIONS)),
};

function writeMessage(message: SyncMessage): unknown[] {
  switch (message.kind) {
    case 'open':
      return [OPEN, writeSalt(message.salt), writeRange(message.range, undefined)];
    case 'step':
      return [
        STEP,
        message.ranges.map((range, index) => writeRange(range, message.ranges[index - 1])),
        message.wants.map(idToBytes),
        message.tombstones.flatMap(writeItem),
      ];
    case 'entries':
      return [ENTRIES, message.entries.flatMap((entry) => [...writeItem(entry), entry.bytes])];
  }
}

function writeSalt(salt: Salt): Uint8Array {
  return fingerprintToBytes([...salt, 0, 0]).subarray(0, SALT_BYTES);
}

function writeItem({ peer, version }: ListedItem): unknown[] {
  return [idToBytes(peer), version.start, version.update - version.start];
}

function writeRange(range: SyncRange, previous: SyncRange | undefined): unknown[] {
  const from = range.from === (previous?.to ?? FIRST_BOUND) ? null : hexToBytes(range.from);
  const to = range.to === LAST_BOUND ? new Uint8Array(0) : hexToBytes(range.to);
  if (range.kind === 'list') return [from, to, range.items.flatMap(writeItem)];
  return [from, to, range.count, fingerprintToBytes(range.fingerprint)];
}

function readMessage(value: unknown): SyncMessage {
  const fields = readArray(value, 'a message', 4);
  switch (fields[0]) {
    case OPEN:
      return readOpen(readTuple(value, 'an opening', 3));
    case STEP:
      return readStep(readTuple(value, 'a step', 4));
    case ENTRIES:
      return readEntries(readTuple(value, 'a message of entries', 2));
    default:
      throw refused('a message of an unknown kind');
  }
}

function readOpen([, salt, range]: readonly unknown[]): OpenMessage {
  const words = fingerprintFromBytes(padded(readExactBytes(salt, 'a salt', SALT_BYTES)));
  const whole = readRange(range, FIRST_BOUND);
  if (whole.from !== FIRST_BOUND || whole.to !== LAST_BOUND) throw refused('an opening of a part');
  return { kind: 'open', salt: [words[0], words[1]], range: whole };
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(FINGERPRINT_BYTES);
  whole.set(bytes);
  return whole;
}

function readStep([, ranges, wants, tombstones]: readonly unknown[]): StepMessage {
  const peers = readArray(wants, 'wanted peers', ITEMS_MAX).map(readPeer);
  assertAscending(peers);
  return {
    kind: 'step',
    ranges: readRanges(readArray(ranges, 'ranges', RANGES_MAX)),
    wants: peers,
    tombstones: readItems(tombstones, 'tombstones', ITEMS_MAX),
  };
}

function readRanges(values: readonly unknown[]): SyncRange[] {
  let items = 0;
  let end = FIRST_BOUND;
  return values.map((value) => {
    const range = readRange(value, end);
    end = range.to;
    items += range.kind === 'list' ? range.items.length : 0;
    if (items > ITEMS_MAX) throw refused('more items than a message lists');
    return range;
  });
}

/** Reads a range that begins at or after `end`, the end of the one before. */
function readRange(value: unknown, end: Bound): SyncRange {
  const fields = readArray(value, 'a range', 4);
  const from = fields[0] === null ? end : readBound(fields[0]);
  const to = readBound(fields[1]) || LAST_BOUND;
  if (from < end || from >= to) throw refused('ranges that do not ascend');
  if (fields.length === 3) return { kind: 'list', from, to, items: readList(fields[2], from, to) };
  const [, , count, fingerprint] = readTuple(value, 'a range', 4);
  return {
    kind: 'fingerprint',
    from,
    to,
    count: readCount(count, 'a number of items'),
    fingerprint: fingerprintFromBytes(readExactBytes(fingerprint, 'a fingerprint', FINGERPRINT_BYTES)),
  };
}

function readBound(value: unknown): Bound {
  return bytesToHex(readBytes(value, 'a bound', ID_BYTES));
}

function readList(value: unknown, from: Bound, to: Bound): ListedItem[] {
  const items = readItems(value, 'a list', LIST_ITEMS_MAX);
  const [first, last] = [items[0], items.at(-1)];
  if (first !== undefined && first.peer < from) throw refused('an item before its range');
  if (last !== undefined && last.peer >= to) throw refused('an item after its range');
  return items;
}

function readItems(value: unknown, what: string, max: number): ListedItem[] {
  const rows = readRows(readArray(value, what, max * ITEM_FIELDS), ITEM_FIELDS, what);
  const items = rows.map(readItem);
  assertAscending(items.map(({ peer }) => peer));
  return items;
}

/** Fields in a row, as rows. */
function readRows(fields: readonly unknown[], length: number, what: string): (readonly unknown[])[] {
  if (fields.length % length !== 0) throw refused(`${what} of ${fields.length} fields`);
  return Array.from({ length: fields.length / length }, (_, row) =>
    fields.slice(row * length, (row + 1) * length),
  );
}

function readItem([peer, start, sinceStart]: readonly unknown[]): ListedItem {
  return { peer: readPeer(peer), version: readVersion(start, sinceStart) };
}

function readVersion(start: unknown, sinceStart: unknown): EntryVersion {
  const from = readCount(start, 'a start');
  if (!Number.isSafeInteger(sinceStart)) throw refused('an update that is not a whole number');
  return { start: from, update: readCount(from + (sinceStart as number), 'an update') };
}

function readEntries([, fields]: readonly unknown[]): EntriesMessage {
  // Each of them takes 49 bytes besides itself, so that the size of the message bounds their number.
  const flat = readArray(fields, 'entries', ITEMS_MAX * ENTRY_FIELDS);
  const entries = readRows(flat, ENTRY_FIELDS, 'entries').map(readEntry);
  if (entries.length === 0) throw refused('a message of no entries');
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
  if (bytes > CHUNK_BYTES_MAX) throw refused(`${bytes} bytes of entries, of at most ${CHUNK_BYTES_MAX}`);
  return { kind: 'entries', entries };
}

function readEntry(row: readonly unknown[]): SentEntry {
  return { ...readItem(row), bytes: readBytes(row[ITEM_FIELDS], 'an entry', CHUNK_BYTES_MAX) };
}

function assertAscending(peers: readonly PeerId[]): void {
  for (let index = 1; index < peers.length; index++) {
    if ((peers[index - 1] as PeerId) >= (peers[index] as PeerId)) throw refused('peers that do not ascend');
  }
}
