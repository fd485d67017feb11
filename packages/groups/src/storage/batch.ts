import type { Entry } from '../raft/types.ts';

/** What {@link LogStorage.read} returns at most, unless told otherwise. */
export const DEFAULT_READ_BYTES: number = 1024 * 1024;

/** As many of these entries, from the first on, as have `maxBytes` of data; but one at least. */
export function firstBytes(entries: Iterable<Entry>, maxBytes: number = DEFAULT_READ_BYTES): Entry[] {
  const taken: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += entry.data.length;
    if (taken.length > 0 && bytes > maxBytes) break;
    taken.push(entry);
  }
  return taken;
}

/** Bytes of data of entries. */
export function bytesOf(entries: readonly Entry[] | undefined): number {
  return entries?.reduce((sum, { data }) => sum + data.length, 0) ?? 0;
}
