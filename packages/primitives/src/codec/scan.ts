import {
  ARGUMENT_FOLLOWS,
  ARRAY,
  argumentBytes,
  BYTES,
  INDEFINITE,
  MAP,
  malformed,
  overLimit,
  readArgument,
  TAG,
  TEXT,
  truncated,
} from './head.ts';
import { checkTag } from './scan-tag.ts';

/** Bounds of what a decoder takes, checked before anything is allocated. */
export interface DecodeLimits {
  /** Bytes of the whole encoding; default 16 MiB, as a frame. */
  readonly maxBytes?: number | undefined;
  /** Arrays and maps within each other; default 64, at most 512. */
  readonly maxDepth?: number | undefined;
  /** Values, keys, tags and containers counted together; default 1,000,000. */
  readonly maxItems?: number | undefined;
  /**
   * What integers of 64 bits become; default `bigint`, whatever their value. As a `number` those beyond 2^53 - 1 are
   * refused: for what {@link encodeCanonical} wrote, and for peers that write every integer as such.
   */
  readonly int64?: 'bigint' | 'number' | undefined;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
export const DEFAULT_MAX_DEPTH = 64;
const DEFAULT_MAX_ITEMS = 1_000_000;
/** The decoder behind the scan recurses: this deep it is far from the end of any stack. */
const DEPTH_CEILING = 512;
const PROTO = '__proto__';

/** `left` and `inMap` of the open containers. Shared by all calls: a scan is synchronous and calls nobody. */
const lefts = new Int32Array(DEPTH_CEILING);
const inMaps = new Uint8Array(DEPTH_CEILING);

/**
 * Checks that `bytes` are exactly one well-formed CBOR item (RFC 8949) within the limits, of the kinds that mosaik
 * exchanges, so that a lenient decoder can be trusted with them.
 *
 * Refused besides what is malformed: indefinite-length strings, simple values other than the booleans, null and
 * undefined, tags other than 1 (date), 2 and 3 (bignum, up to 256 bytes), 64–86 (typed arrays), 258 (set), 259 (map),
 * and the key `__proto__`. UTF-8 is not checked. Iterative; allocates nothing.
 *
 * @throws {DecodeError}
 */
export function scanCbor(bytes: Uint8Array, limits: DecodeLimits = {}): void {
  const maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
  if (bytes.length > maxBytes) throw overLimit(`${bytes.length} bytes of at most ${maxBytes}`, maxBytes);
  const maxDepth = Math.min(limits.maxDepth ?? DEFAULT_MAX_DEPTH, DEPTH_CEILING);
  const maxItems = limits.maxItems ?? DEFAULT_MAX_ITEMS;
  scanItems(bytes, { maxDepth, maxItems, isSafe: limits.int64 === 'number' });
}

interface ScanLimits {
  readonly maxDepth: number;
  readonly maxItems: number;
  /** Whether integers must be safe in a number. */
  readonly isSafe: boolean;
}

// One loop over local variables, because every message of every peer passes here: 50 ns for an object of 79 bytes and
// 5 fields, where the same as a class of short methods took 85.
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: see above.
function scanItems(bytes: Uint8Array, { maxDepth, maxItems, isSafe }: ScanLimits): void {
  const end = bytes.length;
  let at = 0;
  let depth = 0;
  // Items that the current container still lacks: of a definite one a positive number, of an indefinite one 0 and
  // below, as it counts down for ever. Its parity tells keys (even) from values.
  let left = 1;
  let inMap = 0;

  for (let items = 0; items < maxItems; items++) {
    if (at >= end) throw truncated(at);
    const head = bytes[at++] as number;
    const major = head >> 5;
    const low = head & 31;

    if (major < BYTES) {
      if (low >= ARGUMENT_FOLLOWS) {
        if (isSafe) checkSafe(bytes, at, head);
        at += argumentBytes(low, at);
      }
      if (at > end) throw truncated(end);
    } else if (major < TAG) {
      let length = low;
      if (low >= ARGUMENT_FOLLOWS && (low !== INDEFINITE || major < ARRAY)) {
        length = readArgument(bytes, at, low);
        at += argumentBytes(low, at);
      }
      if (major < ARRAY) {
        if (length > end - at) throw truncated(at);
        const isKey = inMap === 1 && (left & 1) === 0;
        if (length === PROTO.length && isKey && major === TEXT && isProto(bytes, at)) {
          throw malformed(`the key ${PROTO}`, at);
        }
        at += length;
      } else {
        if (depth === maxDepth) throw overLimit(`nested deeper than ${maxDepth}`, at - 1);
        if (low === INDEFINITE) length = 0;
        else if (major === MAP) length *= 2;
        // Every item takes at least a byte.
        if (length > end - at) throw truncated(at);
        if (length > 0 || low === INDEFINITE) {
          lefts[depth] = left;
          inMaps[depth++] = inMap;
          left = length;
          inMap = major === MAP ? 1 : 0;
          continue;
        }
      }
    } else if (major === TAG) {
      at = scanTag(bytes, at, low);
      continue;
    } else if (low === INDEFINITE) {
      if (left > 0 || (inMap === 1 && (left & 1) !== 0)) throw malformed('a break out of place', at - 1);
      depth--;
      left = lefts[depth] as number;
      inMap = inMaps[depth] as number;
    } else {
      at += simpleBytes(low, at);
      if (at > end) throw truncated(end);
    }

    // The item is complete; it may have been the last of its container, and that the last of the next.
    while (--left === 0) {
      if (depth === 0) {
        if (at < end) throw malformed(`${end - at} bytes too many`, at);
        return;
      }
      depth--;
      left = lefts[depth] as number;
      inMap = inMaps[depth] as number;
    }
  }
  throw overLimit(`more than ${maxItems} items`, at);
}

/** Checks that an integer is one that a number holds exactly. */
function checkSafe(bytes: Uint8Array, at: number, head: number): void {
  const argument = readArgument(bytes, at, head & 31);
  const major = head >> 5;
  if (argument > Number.MAX_SAFE_INTEGER - major) throw malformed('an integer beyond 2^53 - 1', at - 1);
}

/** Checks a tag whose argument is at `at`; returns where the tagged item begins. */
function scanTag(bytes: Uint8Array, at: number, low: number): number {
  const hasArgument = low >= ARGUMENT_FOLLOWS;
  const tag = hasArgument ? readArgument(bytes, at, low) : low;
  const content = hasArgument ? at + argumentBytes(low, at) : at;
  if (content >= bytes.length) throw truncated(content);
  checkTag(tag, bytes, content);
  return content;
}

/** Bytes that follow the first one of a float or a simple value. */
function simpleBytes(low: number, at: number): number {
  if (low >= 20 && low <= 23) return 0;
  if (low >= 25 && low <= 27) return argumentBytes(low, at);
  throw malformed('a simple value that is not exchanged', at - 1);
}

function isProto(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < PROTO.length; index++) {
    if (bytes[at + index] !== PROTO.charCodeAt(index)) return false;
  }
  return true;
}
