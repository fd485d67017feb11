import { CommandRejectedError, machine, type StateMachine } from 'mosaik';
import { type Book, emptyBook, type Fill, match } from './book.ts';
import { Order } from './orders.ts';

/** An order that was executed. */
export interface Execution {
  /** The place of the order among all, from 0. */
  readonly number: number;
  readonly order: Order;
  readonly fills: readonly Fill[];
}

/** Asks for executions from a number on, or for that of one order. */
export type ExchangeQuery =
  | { readonly from: number }
  | { readonly trader: string; readonly sequence: number };

export interface ExchangeAnswer {
  /** In order; at most {@link PAGE}, and only those that are still remembered. */
  readonly executions: readonly Execution[];
}

export type Exchange = StateMachine<Order, Execution, ExchangeQuery, ExchangeAnswer>;

interface State {
  readonly books: Map<string, Book>;
  /** The sequence of the last order of each trader. */
  readonly lastOf: Map<string, number>;
  executed: number;
  fills: number;
  /** The last executions; the first of them has the number `executed - recent.length`. */
  recent: Execution[];
}

/** Executions in one answer. */
const PAGE = 500;
/** Executions that are remembered, for members that write them down, at least. */
const REMEMBERED = 20_000;

/**
 * The order books, as a state machine. It takes the orders of each trader in sequence and each once: `repeated` and `early` are
 * what a group that keeps its promise never gives it to say.
 */
export const Exchange: Exchange = machine({
  signature: 'mosaik.demo.exchange/1',
  command: Order,
  initial: (): State => ({ books: new Map(), lastOf: new Map(), executed: 0, fills: 0, recent: [] }),
  apply: execute,
  query: answer,
});

function execute(state: State, order: Order): Execution {
  const { trader, sequence, symbol } = order;
  const expected = (state.lastOf.get(trader) ?? 0) + 1;
  if (sequence < expected) throw new CommandRejectedError('repeated');
  if (sequence > expected) throw new CommandRejectedError('early');
  const book = state.books.get(symbol) ?? emptyBook();
  const execution: Execution = { number: state.executed, order, fills: match(book, order, state.fills) };
  state.books.set(symbol, book);
  state.lastOf.set(trader, sequence);
  state.executed++;
  state.fills += execution.fills.length;
  state.recent.push(execution);
  if (state.recent.length >= 2 * REMEMBERED) state.recent = state.recent.slice(-REMEMBERED);
  return execution;
}

function answer({ recent, executed }: State, query: ExchangeQuery): ExchangeAnswer {
  if ('from' in query) {
    const at = Math.max(0, query.from - (executed - recent.length));
    return { executions: recent.slice(at, at + PAGE) };
  }
  const found = recent.findLast(
    ({ order }) => order.trader === query.trader && order.sequence === query.sequence,
  );
  return { executions: found === undefined ? [] : [found] };
}
