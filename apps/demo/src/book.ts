import { type Order, orderName } from './orders.ts';

/** Two orders met. */
export interface Fill {
  /** From 0, without a gap. */
  readonly number: number;
  readonly symbol: string;
  /** Of the order that was there first, in cents. */
  readonly price: number;
  readonly quantity: number;
  readonly buyer: string;
  readonly seller: string;
}

/** What is left of an order that waits. */
interface Resting {
  readonly name: string;
  quantity: number;
}

/** Orders of one price, the oldest first. */
interface Level {
  readonly price: number;
  readonly orders: Resting[];
}

/** The orders of one symbol that wait; the best price first. */
export interface Book {
  readonly buy: Level[];
  readonly sell: Level[];
}

export function emptyBook(): Book {
  return { buy: [], sell: [] };
}

/**
 * Matches an order with those that wait on the other side, the best price first and the oldest first where prices are equal
 * (price-time priority), at the price of the one that waited; what is left of it waits.
 */
export function match(book: Book, order: Order, firstFill: number): Fill[] {
  const others = order.side === 'buy' ? book.sell : book.buy;
  const fills: Fill[] = [];
  let open = order.quantity;
  for (let best = others[0]; open > 0 && best !== undefined && crosses(order, best.price); best = others[0]) {
    const [oldest] = best.orders as [Resting];
    const quantity = Math.min(open, oldest.quantity);
    fills.push(fillOf({ order, other: oldest.name, price: best.price, quantity }, firstFill + fills.length));
    open -= quantity;
    oldest.quantity -= quantity;
    if (oldest.quantity === 0) best.orders.shift();
    if (best.orders.length === 0) others.shift();
  }
  if (open > 0) rest(book, order, open);
  return fills;
}

function crosses({ side, price }: Order, other: number): boolean {
  return side === 'buy' ? price >= other : price <= other;
}

function fillOf(
  met: { readonly order: Order; readonly other: string; readonly price: number; readonly quantity: number },
  number: number,
): Fill {
  const { order, other, price, quantity } = met;
  const name = orderName(order);
  const [buyer, seller] = order.side === 'buy' ? [name, other] : [other, name];
  return { number, symbol: order.symbol, price, quantity, buyer, seller };
}

function rest(book: Book, order: Order, quantity: number): void {
  const { side, price } = order;
  const levels = book[side];
  const isBehind = (level: Level): boolean => (side === 'buy' ? level.price <= price : level.price >= price);
  const at = levels.findIndex(isBehind);
  const place = at < 0 ? levels.length : at;
  if (levels[place]?.price !== price) levels.splice(place, 0, { price, orders: [] });
  levels[place]?.orders.push({ name: orderName(order), quantity });
}
