import { isDeepStrictEqual } from 'node:util';
import { type Book, emptyBook, type Fill, match } from '../book.ts';
import type { Order } from '../orders.ts';
import { orderName } from '../orders.ts';
import { MATCHERS, TRADERS } from '../stage/cast.ts';
import { emptyView, takeFill, type View } from '../view.ts';
import { killedAt, notesOf, type Records } from './records.ts';

/** What became of the orders, put together from what traders, matchers and reporters wrote. */
export interface Ledger {
  readonly sent: number;
  readonly acknowledged: number;
  readonly executed: number;
  /** Orders that met another. */
  readonly matched: number;
  readonly fills: number;
  /** Of each reporter, the fills in its view at the end. */
  readonly reported: Readonly<Record<string, number>>;
  /** Acknowledged orders that a matcher that was never killed has not executed where it was said. */
  readonly lost: readonly string[];
  /** Orders that were executed twice, or given to the state machine twice. */
  readonly duplicated: readonly string[];
  readonly refused: readonly string[];
  /** What matchers, also the one that was killed, have written down and the others differently. */
  readonly disagreements: readonly string[];
  /** Reporters whose view is not what the orders, matched again one after the other, give. */
  readonly wrongViews: readonly string[];
}

interface Executed {
  readonly number: number;
  readonly order: Order;
  readonly fills: readonly Fill[];
}

export function makeLedger(records: Records): Ledger {
  const executions = MATCHERS.map(({ name }) => ({
    name,
    executed: notesOf(records.byName.get(name), 'executed'),
  }));
  const killed = killedAt(records, 'matcher')?.name;
  const survivors = executions.filter(({ name }) => name !== killed);
  const reference = survivors.map(({ executed }) => executed).reduce(longer, []);
  const again = matchAgain(reference);
  const views = reportedViews(records);
  return {
    ...tradersSide(records, survivors, reference),
    executed: reference.length,
    matched: new Set(again.fills.flatMap(({ buyer, seller }) => [buyer, seller])).size,
    fills: again.fills.length,
    reported: Object.fromEntries(Array.from(views, ([name, view]) => [name, view.next])),
    disagreements: disagreementsOf(executions, reference, again.fills),
    wrongViews: Array.from(views)
      .filter(([, view]) => !isDeepStrictEqual(view, again.view))
      .map(([name]) => name),
  };
}

function longer(a: readonly Executed[], b: readonly Executed[]): readonly Executed[] {
  return b.length > a.length ? b : a;
}

/** Matches the orders once more, without any network: what everybody should have come to. */
function matchAgain(executed: readonly Executed[]): { readonly fills: Fill[]; readonly view: View } {
  const books = new Map<string, Book>();
  const fills: Fill[] = [];
  for (const { order } of executed) {
    const book = books.get(order.symbol) ?? emptyBook();
    books.set(order.symbol, book);
    fills.push(...match(book, order, fills.length));
  }
  return { fills, view: fills.reduce(takeFill, emptyView()) };
}

type TradersSide = Pick<Ledger, 'sent' | 'acknowledged' | 'lost' | 'duplicated' | 'refused'>;

function tradersSide(
  records: Records,
  survivors: readonly { readonly executed: readonly Executed[] }[],
  reference: readonly Executed[],
): TradersSide {
  const lost: string[] = [];
  const refused: string[] = [];
  let [sent, acknowledged] = [0, 0];
  const kept = survivors.map(
    ({ executed }) => new Map(executed.map((one) => [one.number, orderName(one.order)])),
  );
  for (const { name: trader } of TRADERS) {
    const notes = records.byName.get(trader);
    sent += notesOf(notes, 'sent').length;
    for (const { sequence, number } of notesOf(notes, 'acknowledged')) {
      acknowledged++;
      const name = orderName({ trader, sequence });
      if (!kept.every((orders) => orders.get(number) === name)) lost.push(name);
    }
    for (const { sequence, reason } of notesOf(notes, 'refused'))
      refused.push(`${orderName({ trader, sequence })}: ${reason}`);
  }
  const repeated = refused.filter((text) => text.endsWith('repeated'));
  const duplicated = [...twiceIn(reference.map(({ order }) => orderName(order))), ...repeated];
  return { sent, acknowledged, lost, duplicated, refused };
}

function twiceIn(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
}

function disagreementsOf(
  matchers: readonly { readonly name: string; readonly executed: readonly Executed[] }[],
  reference: readonly Executed[],
  fills: readonly Fill[],
): string[] {
  const found: string[] = [];
  for (const { name, executed } of matchers) {
    const other = executed.find((one) => !isSame(one, reference[one.number]));
    if (other !== undefined) found.push(`${name} has another order at ${other.number}`);
  }
  const kept = reference.flatMap((execution) => execution.fills);
  if (!isDeepStrictEqual(kept, fills)) found.push('the fills are not those of the orders');
  return found;
}

function isSame(one: Executed, other: Executed | undefined): boolean {
  return isDeepStrictEqual([one.order, one.fills], [other?.order, other?.fills]);
}

/** What each reporter had in the end; nothing in it when it did not get to write that down. */
function reportedViews({ byName }: Records): Map<string, View> {
  const reporters = [...byName].filter(([name]) => name.startsWith('reporter'));
  return new Map(
    reporters.map(([name, notes]) => [name, notesOf(notes, 'view').at(-1)?.view ?? emptyView()] as const),
  );
}
