import * as v from 'valibot';

/** What one line of a file of orders says. */
export const OrderLine = v.strictObject({
  side: v.picklist(['buy', 'sell']),
  symbol: v.pipe(v.string(), v.minLength(1), v.maxLength(16)),
  /** In cents. */
  price: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000_000_000)),
  quantity: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000_000)),
});
export type OrderLine = v.InferOutput<typeof OrderLine>;

/** An order as it goes to the matchers: the `sequence`-th of its trader, from 1. */
export const Order = v.strictObject({
  ...OrderLine.entries,
  trader: v.pipe(v.string(), v.minLength(1), v.maxLength(32)),
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
});
export type Order = v.InferOutput<typeof Order>;

/** A line that is no order. */
export interface Malformed {
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

export interface OrderFile {
  readonly orders: readonly OrderLine[];
  readonly malformed: readonly Malformed[];
  /** Orders beyond the limit, which were left out. */
  readonly left: number;
}

/** Orders that a run takes from a file: what the machine remembers, and the report reads, is bounded by it. */
const MAX_ORDERS = 50_000;

/** Reads orders, one JSON object on each line; empty lines are nothing. */
export function readOrders(text: string): OrderFile {
  const orders: OrderLine[] = [];
  const malformed: Malformed[] = [];
  let left = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const order = orderIn(line);
    if (typeof order === 'string') malformed.push({ line: index + 1, why: order });
    else if (orders.length < MAX_ORDERS) orders.push(order);
    else left++;
  }
  return { orders, malformed, left };
}

/** The order of a line, or what is wrong with it. */
function orderIn(line: string): OrderLine | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'no JSON';
  }
  const { success, output, issues } = v.safeParse(OrderLine, value);
  if (success) return output;
  const [issue] = issues;
  const field = v.getDotPath(issue);
  return field === null ? issue.message : `${field}: ${issue.message}`;
}

/** How an order is called in what is written down. */
export function orderName({ trader, sequence }: Pick<Order, 'trader' | 'sequence'>): string {
  return `${trader}/${sequence}`;
}
