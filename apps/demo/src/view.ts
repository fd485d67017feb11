import type { FoldOptions } from 'mosaik/store';
import type { Fill } from './book.ts';

/** What is known of one symbol. */
export interface Ticker {
  readonly fills: number;
  readonly volume: number;
  /** In cents. */
  readonly turnover: number;
  /** The price of the last fill. */
  readonly last: number;
}

/** A view of all fills. */
export interface View {
  /** All fills below this number are in it, each once. */
  next: number;
  /** Fills that came before others that belong before them. */
  ahead: Record<string, Fill>;
  symbols: Record<string, Ticker>;
}

export function emptyView(): View {
  return { next: 0, ahead: {}, symbols: {} };
}

/**
 * Takes a fill in, once and in its turn. Every matcher sends all fills, so that none is lost with one of them: the number of a
 * fill says which are the same, and in which order they belong. So the view depends on what was sent, and not on who was heard first.
 */
export function takeFill(view: View, fill: Fill): View {
  if (fill.number < view.next) return view;
  view.ahead[fill.number] = fill;
  for (let due = view.ahead[view.next]; due !== undefined; due = view.ahead[view.next]) {
    delete view.ahead[view.next];
    view.symbols[due.symbol] = tickerAfter(view.symbols[due.symbol], due);
    view.next++;
  }
  return view;
}

function tickerAfter(ticker: Ticker | undefined, { price, quantity }: Fill): Ticker {
  const { fills, volume, turnover } = ticker ?? { fills: 0, volume: 0, turnover: 0 };
  return {
    fills: fills + 1,
    volume: volume + quantity,
    turnover: turnover + price * quantity,
    last: price,
  };
}

/** The fold that reporters keep. */
export const viewOfFills: FoldOptions<View, Fill> = {
  name: 'tickers',
  version: 1,
  initial: emptyView,
  apply: takeFill,
  snapshotEvery: 500,
};
