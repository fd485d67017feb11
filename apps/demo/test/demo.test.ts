import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Book, emptyBook, type Fill, match } from '../src/book.ts';
import type { Note, Noted } from '../src/journal.ts';
import { type Order, readOrders } from '../src/orders.ts';
import { makeLedger } from '../src/report/ledger.ts';
import { makeReport } from '../src/report/report.ts';
import { BEACON } from '../src/stage/cast.ts';
import { Cluster } from '../src/stage/cluster.ts';
import { emptyView, takeFill } from '../src/view.ts';

function order(sequence: number, side: Order['side'], price: number, quantity: number): Order {
  return { trader: 'trader-1', sequence, side, symbol: 'ACME', price, quantity };
}

function matchAll(orders: readonly Order[]): Fill[][] {
  const book: Book = emptyBook();
  let next = 0;
  return orders.map((one) => {
    const fills = match(book, one, next);
    next += fills.length;
    return fills;
  });
}

describe('the order book', () => {
  it('takes the best price first, then the oldest order, at the price of the one that waited', () => {
    const fills = matchAll([
      order(1, 'sell', 102, 5),
      order(2, 'sell', 101, 5),
      order(3, 'sell', 101, 5),
      order(4, 'buy', 102, 12),
    ]).flat();
    expect(fills.map(({ seller, price, quantity }) => [seller, price, quantity])).toEqual([
      ['trader-1/2', 101, 5],
      ['trader-1/3', 101, 5],
      ['trader-1/1', 102, 2],
    ]);
  });

  it('lets wait what is left, and does not match what does not meet', () => {
    const fills = matchAll([
      order(1, 'buy', 100, 10),
      order(2, 'sell', 101, 3),
      order(3, 'sell', 100, 4),
      order(4, 'sell', 99, 20),
      order(5, 'buy', 99, 1),
    ]);
    expect(fills.map((some) => some.map(({ buyer, quantity }) => [buyer, quantity]))).toEqual([
      [],
      [],
      [['trader-1/1', 4]],
      [['trader-1/1', 6]],
      [['trader-1/5', 1]],
    ]);
  });
});

describe('the view of fills', () => {
  it('is the same whoever is heard first, and how often', () => {
    const fills = matchAll([
      order(1, 'sell', 10, 3),
      order(2, 'sell', 11, 3),
      order(3, 'buy', 11, 5),
      order(4, 'buy', 12, 1),
    ]).flat();
    const once = fills.reduce(takeFill, emptyView());
    const mixed = [...fills.toReversed(), ...fills, ...fills.toReversed()].reduce(takeFill, emptyView());
    expect(mixed).toEqual(once);
    expect(once).toMatchObject({ next: 3, ahead: {}, symbols: { ACME: { fills: 3, volume: 6 } } });
  });
});

describe('a file of orders', () => {
  it('names what is malformed by its line', () => {
    const good = '{"side":"buy","symbol":"ACME","price":1,"quantity":1}';
    const { orders, malformed } = readOrders(`${good}\n\n{"side"\n${good.replace('1,', '-1,')}\n${good}\n`);
    expect(orders).toHaveLength(2);
    expect(malformed.map(({ line }) => line)).toEqual([3, 4]);
    expect(malformed[1]?.why).toMatch(/^price/);
  });
});

/** What three matchers, a trader and three reporters write when all is well. */
function written(): Map<string, Noted[]> {
  const orders = [order(1, 'sell', 10, 3), order(2, 'buy', 11, 2), order(3, 'buy', 10, 1)];
  const fills = matchAll(orders);
  const noted = (note: Note): Noted => ({ ...note, atMs: 1 });
  const executed = orders.map((one, number) =>
    noted({ kind: 'executed', number, order: one, fills: fills[number] ?? [] }),
  );
  const traded = orders.flatMap(({ sequence }) => [
    noted({ kind: 'sent', sequence }),
    noted({ kind: 'acknowledged', sequence, number: sequence - 1, sentMs: 0 }),
  ]);
  const view = fills.flat().reduce(takeFill, emptyView());
  const byName = new Map<string, Noted[]>([['trader-1', traded]]);
  for (const index of [1, 2, 3]) {
    byName.set(`matcher-${index}`, [...executed]);
    byName.set(`reporter-${index}`, [noted({ kind: 'view', view: structuredClone(view), divergences: 0 })]);
  }
  return byName;
}

describe('the report', () => {
  const runner: Noted[] = [{ kind: 'killed', name: 'matcher-1', atMs: 1 }];
  const ledgerOf = (byName: Map<string, Noted[]>) => makeLedger({ runner, byName });
  const brokenIn = (byName: Map<string, Noted[]>): string[] =>
    makeReport({ runner, byName }, [])
      .checks.filter(({ holds, promise }) => !holds && /order|fill|view/.test(promise))
      .map(({ promise }) => promise)
      .filter((promise) => !/went on|left in an orderly/.test(promise));

  it('finds nothing where nothing is wrong', () => {
    expect(ledgerOf(written())).toMatchObject({ sent: 3, acknowledged: 3, matched: 3, fills: 2 });
    expect(brokenIn(written())).toEqual([]);
  });

  it('finds what was acknowledged and is not there', () => {
    const byName = written();
    byName.get('matcher-2')?.pop();
    expect(ledgerOf(byName).lost).toEqual(['trader-1/3']);
    expect(brokenIn(byName)).toContain('no acknowledged order was lost');
  });

  it('lets the matcher that was killed have less, but nothing else', () => {
    const byName = written();
    byName.get('matcher-1')?.pop();
    expect(brokenIn(byName)).toEqual([]);
    const other = { ...order(3, 'buy', 10, 9) };
    byName.get('matcher-1')?.push({ kind: 'executed', number: 2, order: other, fills: [], atMs: 1 });
    expect(brokenIn(byName)).toEqual([
      'all matchers wrote down the same orders and fills, in the same order',
    ]);
  });

  it('finds what was executed twice', () => {
    const byName = written();
    for (const name of ['matcher-2', 'matcher-3'])
      byName.get(name)?.push({
        kind: 'executed',
        number: 3,
        order: order(1, 'sell', 10, 3),
        fills: [],
        atMs: 1,
      });
    expect(ledgerOf(byName).duplicated).toEqual(['trader-1/1']);
    expect(brokenIn(byName)).toContain('no order was executed twice');
  });

  it('finds what was never acknowledged, and a fill that a reporter has twice or not at all', () => {
    const byName = written();
    byName.get('trader-1')?.pop();
    expect(brokenIn(byName)).toEqual(['every order that was sent was acknowledged']);
    const last = written();
    const [note] = last.get('reporter-3') as [Noted & { kind: 'view' }];
    const ticker = note.view.symbols['ACME'];
    if (ticker !== undefined) note.view.symbols['ACME'] = { ...ticker, volume: ticker.volume + 1 };
    expect(brokenIn(last)).toEqual(['every view is what the orders give when matched again']);
    note.view.next = 1;
    expect(brokenIn(last)).toContain('every reporter has every fill');
  });
});

describe('the processes', () => {
  it('are started once each, and can be started again when they have ended', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mosaik-demo-test-'));
    try {
      const orders = { ordersFile: join(folder, 'none.ndjson'), spreadMs: 1, isEndless: false };
      await using cluster = await Cluster.open({ folder, ...orders });
      cluster.start(BEACON);
      expect(() => cluster.start(BEACON)).toThrow('beacon runs already');
      await cluster.kill(BEACON.name);
      expect(cluster.isRunning(BEACON.name)).toBe(false);
      cluster.start(BEACON);
      expect(cluster.surprises).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
