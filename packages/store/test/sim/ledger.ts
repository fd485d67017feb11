import type { Epoch } from '@mosaik/streams';
import type { Cursor, ReplayRecord } from '../../src/index.ts';
import type { Tally } from './members.ts';

/** What travels in the swarm: no two are alike. */
export interface Parcel {
  readonly from: string;
  readonly index: number;
}

/** What is known of one log, by who wrote it. */
export class LogBook {
  readonly log: Epoch;
  /** By offset, what was given to the log last: what is durable is never given again. */
  readonly given: Parcel[] = [];
  /** Everything below was acknowledged. */
  acknowledged = 0;
  /** How many of the newest are kept by everybody. */
  readonly maxItems: number;
  /** Its producer has begun another log. */
  isDead = false;

  constructor(log: Epoch, maxItems: number) {
    this.log = log;
    this.maxItems = maxItems;
  }

  /** A process goes on with the log: what was not durable is gone, what was acknowledged is not. */
  resume(next: number): void {
    if (next < this.acknowledged)
      throw new Error(`${this.acknowledged} data were acknowledged, and ${next} are left`);
    this.given.length = next;
  }

  /** Everything was given back to whoever asks for it: nothing below is removed yet. */
  get removableBelow(): number {
    return Math.max(0, this.given.length - this.maxItems);
  }
}

/** What one life of a consumer saw, and where it began. */
export interface Life {
  readonly cursor: Cursor | undefined;
  /** It began at the start of all logs. */
  readonly isFromStart: boolean;
  readonly records: ReplayRecord<Parcel>[];
  /** The cursor that was written down last, after so many records. */
  saved?: { readonly cursor: Cursor; readonly after: number };
}

/** How far a life is with one log. */
interface Seen {
  next: number | undefined;
  isOver: boolean;
}

/**
 * Checks what a life of a consumer saw against what was written: each log in order, each datum once and as it was written,
 * and nothing missing but what was told as a gap, and could be gone. Returns how far it got in each log.
 */
export function checkLife(life: Life, books: ReadonlyMap<Epoch, LogBook>): Map<Epoch, Seen> {
  const seen = new Map<Epoch, Seen>();
  for (const { log, next, isOver } of life.cursor?.positions ?? [])
    seen.set(log, { next, isOver: isOver === true });
  let marks = 0;
  for (const [index, record] of life.records.entries()) {
    if (index === life.saved?.after) checkCursor(life.saved.cursor, seen);
    if (record.type === 'caughtUp') {
      marks++;
      continue;
    }
    const book = books.get(record.log);
    if (book === undefined) throw new Error(`a log that nobody wrote: ${record.log}`);
    const known = seen.get(record.log) ?? { next: undefined, isOver: false };
    seen.set(record.log, known);
    follow(record, known, book, life);
  }
  if (marks > 1) throw new Error('caught up twice');
  return seen;
}

/** A cursor has to say what was seen, no more and no less. */
function checkCursor({ positions }: Cursor, seen: ReadonlyMap<Epoch, Seen>): void {
  for (const [log, { next }] of seen) {
    const said = positions.find((position) => position.log === log)?.next;
    if (said !== next)
      throw new Error(`a cursor says ${said} of ${log} after everything below ${next} was seen`);
  }
}

function follow(
  record: Exclude<ReplayRecord<Parcel>, { readonly type: 'caughtUp' }>,
  known: Seen,
  book: LogBook,
  { isFromStart }: Life,
): void {
  const at = record.type === 'gap' ? record.from : record.offset;
  const latest = known.next ?? (isFromStart ? book.removableBelow : Number.POSITIVE_INFINITY);
  if (known.isOver) throw new Error(`${record.type} at ${at} of the log ${record.log}, which is over`);
  if (at > latest || at < (known.next ?? 0))
    throw new Error(`${record.type} at ${at} of ${record.log}, not at ${latest}`);
  if (record.type === 'gap') {
    followGap(record, known, book);
    return;
  }
  const parcel = book.given[record.offset];
  if (JSON.stringify(parcel) !== JSON.stringify(record.datum))
    throw new Error(`at ${at} ${JSON.stringify(parcel)} was kept, ${JSON.stringify(record.datum)} came`);
  known.next = record.offset + 1;
}

function followGap({ from, to }: { from: number; to: number | undefined }, known: Seen, book: LogBook): void {
  if (to === undefined) {
    if (!book.isDead) throw new Error(`the log ${book.log} is said to be over, and is not`);
    known.isOver = true;
    known.next = from;
    return;
  }
  if (to <= from) throw new Error(`a gap from ${from} to ${to}`);
  if (to > book.removableBelow)
    throw new Error(`a gap up to ${to}, though everything from ${book.removableBelow} on is kept`);
  known.next = to;
}

/** Checks what a view has of a log: everything once, and when nothing was removed, all of it. */
export function checkTally(tally: Tally, { log, given, maxItems }: LogBook): void {
  if (tally.misplaced > 0) throw new Error(`${tally.misplaced} of ${log} were applied again`);
  const seen = given.slice(0, tally.next);
  const sum = seen.reduce((total, { index }) => total + index, 0);
  if (tally.count > seen.length) throw new Error(`${tally.count} of ${log} were applied, of ${seen.length}`);
  if (Number.isFinite(maxItems)) return;
  if (tally.count !== tally.next || tally.sum !== sum)
    throw new Error(`of ${log} ${tally.count} were applied up to ${tally.next}, ${tally.sum} and not ${sum}`);
}
