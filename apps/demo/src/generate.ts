/** Writes the orders of the demo: `node apps/demo/src/generate.ts > apps/demo/orders.ndjson`. */
import { stdout } from 'node:process';

const ORDERS = 3_000;
/** Symbols, and the price in cents around which each is traded. */
const MARKETS: readonly (readonly [symbol: string, price: number])[] = [
  ['ACME', 10_150],
  ['BOLT', 2_480],
  ['CRUX', 48_900],
  ['DUNE', 799],
];

/** A number in [0, 1) after the other, the same each time (mulberry32, by Tommy Ettinger). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = createRandom(20_261_122);
const prices = new Map(MARKETS);

for (let index = 0; index < ORDERS; index++) {
  const [symbol] = MARKETS[Math.floor(random() * MARKETS.length)] as (typeof MARKETS)[number];
  const middle = (prices.get(symbol) ?? 0) * (1 + (random() - 0.5) / 500);
  prices.set(symbol, middle);
  const side = random() < 0.5 ? 'buy' : 'sell';
  // Half of the orders are a little too dear or too cheap to meet another at once.
  const away = (random() - 0.5) * 0.01 * middle;
  const price = Math.max(1, Math.round(side === 'buy' ? middle - away : middle + away));
  const quantity = 1 + Math.floor(random() ** 2 * 99);
  stdout.write(`${JSON.stringify({ side, symbol, price, quantity })}\n`);
}
