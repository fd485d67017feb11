/** A range that is looked at more closely becomes this many. */
export const BRANCHING = 16;

/** A range of this many items, or fewer, is listed rather than divided. */
export const LIST_ITEMS_MAX = 16;

/**
 * A session that begins with this many items, or fewer, begins with their list: who holds only itself has just joined, and
 * is spared a round trip. More are likely to be the same on the other side, and then 37 bytes say so.
 */
export const OPENING_ITEMS_MAX = 1;

/**
 * Turns of a session, both sides counted. One opens; a side divides a range of n items until 16 are left, which takes
 * ⌈log16(n / 16)⌉ turns of that side, so 3 each up to 65,536 items; then one lists, one compares, one delivers, one
 * has the last word: 1 + 2 × 3 + 4 = 11 at worst. Two catalogs of 1,000 random ids take 6.
 */
export const TURNS_MAX = 12;

/** Ranges in one message. What a side has beyond is left for the next session. */
export const RANGES_MAX = 16_384;

/** Items that one message lists, entries it asks for, tombstones it holds: each of them up to this many. */
export const ITEMS_MAX = 20_000;

/** Entries that one side sends in a session. */
export const ENTRIES_MAX = 20_000;

/** Bytes of entries in one message; an entry that is larger does not travel by sync. */
export const CHUNK_BYTES_MAX: number = 128 * 1024;

/** Holds a message at all of the limits above: 25 bytes a range, 49 an item or a tombstone, 34 a wanted peer. */
export const FRAME_BYTES_MAX: number = 4 * 1024 * 1024;

/** How long the other side may take to send, or to accept, one message. */
export const STEP_TIMEOUT_MS = 5_000;

/** How long a session may take: bounds those who send a little just in time. */
export const SESSION_TIMEOUT_MS = 60_000;
