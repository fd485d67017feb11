import type { PeerId } from '@mosaik/primitives';
import { compareVersions } from '../entry/peer-entry.ts';
import { isSameFingerprint, type Span, type SyncIndex } from './fingerprints.ts';
import { BRANCHING, ITEMS_MAX, LIST_ITEMS_MAX, OPENING_ITEMS_MAX, RANGES_MAX } from './limits.ts';
import {
  type Bounds,
  boundBetween,
  FIRST_BOUND,
  type FingerprintRange,
  LAST_BOUND,
  type ListedItem,
  type SyncRange,
} from './range.ts';
import type { SyncItem, Tombstone } from './source.ts';

/** What a side says in answer to ranges of the other. All of it ascends by peer id. */
export interface Answer {
  /** What is still open: within the ranges that were given as fingerprints. */
  readonly ranges: SyncRange[];
  /** Items that the other side lacks, or holds older. */
  readonly push: SyncItem[];
  /** Peers that the other side holds newer, or alone. */
  readonly want: PeerId[];
  /** Claims that cover what the other side listed: it is not wanted, and should go there, too. */
  readonly tombstones: Tombstone[];
}

/** What an answer is made from. */
export interface Holdings {
  readonly index: SyncIndex;
  tombstone(peer: PeerId): Tombstone | undefined;
}

/** The range that opens a session: everything, in short; as a list when it is next to nothing. */
export function openingRange(index: SyncIndex): SyncRange {
  const bounds = { from: FIRST_BOUND, to: LAST_BOUND };
  const span = { start: 0, end: index.items.length };
  return span.end <= OPENING_ITEMS_MAX ? listOf(index, bounds, span) : fingerprintOf(index, bounds, span);
}

/**
 * Answers the ranges of the other side; range-based set reconciliation (A. Meyer: "Range-Based Set Reconciliation",
 * SRDS 2023).
 *
 * A fingerprint that is the same here closes its range. One that differs is answered with the list of what is here when
 * that is little, with the fingerprint when it is the other side that has little to list, and otherwise with the
 * fingerprints of {@link BRANCHING} parts of equal size. A list closes its range: both sides are known then.
 */
export function reconcile(holdings: Holdings, ranges: readonly SyncRange[]): Answer {
  const answer = { ranges: [], push: [], want: [], tombstones: [] };
  const budget: Budget = { ranges: RANGES_MAX, items: ITEMS_MAX };
  for (const range of ranges) {
    // Nothing to list: what is here is missing there, as after an empty list.
    if (range.kind === 'list') compareList(holdings, range, range.items, answer);
    else if (range.count === 0) compareList(holdings, range, [], answer);
    else compareFingerprint(holdings.index, range, answer, budget);
  }
  return answer;
}

/** Room that is left in the message. What has none stays different, and is found again by the next session. */
interface Budget {
  ranges: number;
  items: number;
}

/** Walks both sides of a list in step. */
function compareList(
  holdings: Holdings,
  bounds: Bounds,
  theirs: readonly ListedItem[],
  answer: Answer,
): void {
  const { items } = holdings.index;
  const { start, end } = holdings.index.span(bounds.from, bounds.to);
  let at = start;
  for (const their of theirs) {
    for (; at < end && (items[at] as SyncItem).peer < their.peer; at++)
      answer.push.push(items[at] as SyncItem);
    const own = at < end && items[at]?.peer === their.peer ? items[at++] : undefined;
    compareItem(holdings, own, their, answer);
  }
  for (; at < end; at++) answer.push.push(items[at] as SyncItem);
}

function compareItem(holdings: Holdings, own: SyncItem | undefined, their: ListedItem, answer: Answer): void {
  const order = own === undefined ? -1 : compareVersions(own.version, their.version);
  if (own !== undefined && order > 0) answer.push.push(own);
  if (order >= 0) return;
  const tombstone = holdings.tombstone(their.peer);
  if (tombstone !== undefined && covers(tombstone, their)) answer.tombstones.push(tombstone);
  else answer.want.push(their.peer);
}

/** Whether a tombstone stands for the death of this version. */
export function covers(tombstone: Tombstone, item: ListedItem): boolean {
  return compareVersions(tombstone.version, item.version) >= 0;
}

function compareFingerprint(index: SyncIndex, range: FingerprintRange, answer: Answer, budget: Budget): void {
  const span = index.span(range.from, range.to);
  const count = span.end - span.start;
  if (count === range.count && isSameFingerprint(index.fingerprint(span), range.fingerprint)) return;
  const open = openRanges(index, range, span);
  const items = count <= LIST_ITEMS_MAX ? count : 0;
  if (open.length > budget.ranges || items > budget.items) return;
  budget.ranges -= open.length;
  budget.items -= items;
  answer.ranges.push(...open);
}

function openRanges(index: SyncIndex, range: FingerprintRange, span: Span): SyncRange[] {
  if (span.end - span.start <= LIST_ITEMS_MAX) return [listOf(index, range, span)];
  if (range.count <= LIST_ITEMS_MAX) return [fingerprintOf(index, range, span)];
  return divide(index, range, span);
}

/** Cuts a range of more than {@link BRANCHING} items into parts of as many items each as can be. */
function divide(index: SyncIndex, { from, to }: Bounds, { start, end }: Span): SyncRange[] {
  const peerAt = (position: number): PeerId => (index.items[position] as SyncItem).peer;
  const cutAt = (part: number): number => start + Math.floor((part * (end - start)) / BRANCHING);
  const boundAt = (part: number): string => boundBetween(peerAt(cutAt(part) - 1), peerAt(cutAt(part)));
  const parts: SyncRange[] = [];
  let partFrom = from;
  for (let part = 0; part < BRANCHING; part++) {
    const partTo = part + 1 === BRANCHING ? to : boundAt(part + 1);
    parts.push(
      fingerprintOf(index, { from: partFrom, to: partTo }, { start: cutAt(part), end: cutAt(part + 1) }),
    );
    partFrom = partTo;
  }
  return parts;
}

function listOf(index: SyncIndex, { from, to }: Bounds, { start, end }: Span): SyncRange {
  const items = index.items.slice(start, end).map(({ peer, version }) => ({ peer, version }));
  return { kind: 'list', from, to, items };
}

function fingerprintOf(index: SyncIndex, { from, to }: Bounds, span: Span): SyncRange {
  const { start, end } = span;
  return { kind: 'fingerprint', from, to, count: end - start, fingerprint: index.fingerprint(span) };
}
