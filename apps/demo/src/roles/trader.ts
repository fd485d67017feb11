import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandRejectedError, type Group, type Network, SessionExpiredError } from 'mosaik';
import { consensus, type NodeConfig, type OrdersConfig, type Playing, type Status } from '../contract.ts';
import { Exchange, type ExchangeAnswer, type ExchangeQuery, type Execution } from '../exchange.ts';
import { type Journal, nowMs } from '../journal.ts';
import { type Order, type OrderLine, readOrders } from '../orders.ts';
import { groupView } from './group-view.ts';

/** Orders that wait for their acknowledgement, at most. */
const MAX_OPEN = 256;

/**
 * Sends orders from a file to the matchers' group, of which it is a member that neither votes nor leads.
 *
 * Being a member is the safest way in: `execute` resolves when a majority of the matchers has the order on disk and this
 * process has applied it itself, and its session makes whatever is sent again, to whatever leader, count once. A stream of orders
 * would end at a matcher's door: between there and the log an order could be lost with that matcher, or arrive by two.
 */
export async function trade(node: Network, config: NodeConfig, journal: Journal): Promise<Playing> {
  const group = await node.groups.join({
    key: config.groupKey,
    name: 'matchers',
    machine: { ...Exchange, leadership: 'observer' },
    consensus,
  });
  const trader = new Trader(config.name, group, journal);
  const ending = new AbortController();
  const { orders } = readOrders(readFileSync(config.orders.file, 'utf8'));
  const trading = trader.trade(orders, config.orders, ending.signal);
  return {
    status: () => ({ ...trader.status, group: groupView(group) }),
    finish: () => ending.abort(),
    async stop() {
      ending.abort();
      await trading;
    },
  };
}

class Trader {
  readonly #name: string;
  readonly #group: Group<Order, Execution, ExchangeQuery, ExchangeAnswer>;
  readonly #journal: Journal;
  readonly #open = new Set<Promise<void>>();
  #sent = 0;
  #acknowledged = 0;
  #newestSentMs = 0;
  #isThrough = false;
  #last: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  constructor(name: string, group: Group<Order, Execution, ExchangeQuery, ExchangeAnswer>, journal: Journal) {
    this.#name = name;
    this.#group = group;
    this.#journal = journal;
  }

  get status(): Pick<Status, 'sent' | 'acknowledged' | 'newestSentMs' | 'isThrough'> {
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      newestSentMs: this.#newestSentMs,
      isThrough: this.#isThrough,
    };
  }

  /** Sends its share of the orders, evenly over time, until they are through or the signal fires; then waits for the answers. */
  async trade(orders: readonly OrderLine[], options: OrdersConfig, signal: AbortSignal): Promise<void> {
    const { first, of, spreadMs, isEndless } = options;
    const mine = orders.filter((_, index) => index % of === first);
    const paceMs = spreadMs / mine.length;
    await this.#group
      .when()
      .online()
      .wait({ signal })
      .catch(() => {});
    const startMs = nowMs();
    for (let index = 0; !signal.aborted && (isEndless || index < mine.length); index++) {
      await sleepUntil(startMs + index * paceMs, signal);
      while (this.#open.size >= MAX_OPEN && !signal.aborted) await Promise.race(this.#open);
      const line = mine[index % mine.length];
      if (line !== undefined && !signal.aborted) this.#send(line);
    }
    await Promise.all(this.#open);
    this.#isThrough = true;
  }

  #send(line: OrderLine): void {
    const order: Order = { ...line, trader: this.#name, sequence: ++this.#sent };
    const { sequence } = order;
    const sentMs = nowMs();
    this.#journal.note({ kind: 'sent', sequence });
    const settling = this.#execute(order, this.#last).then(
      ({ number }) => {
        this.#acknowledged++;
        this.#newestSentMs = Math.max(this.#newestSentMs, sentMs);
        this.#journal.note({ kind: 'acknowledged', sequence, number, sentMs });
      },
      (error: Error) => {
        this.#failure ??= error;
        this.#journal.note({ kind: 'refused', sequence, reason: error.message });
      },
    );
    this.#last = settling;
    this.#open.add(settling);
    void settling.then(() => this.#open.delete(settling));
  }

  /**
   * Once, whatever happens. Should the group have forgotten the session, because this process stood still for long, nobody knows
   * whether the order was applied: then it is asked, in the order of the orders, and sent again only if it was not.
   */
  async #execute(order: Order, before: Promise<void>): Promise<Execution> {
    for (;;) {
      try {
        const { result } = await this.#group.execute(order);
        return result;
      } catch (error) {
        if (!isToBeSentAgain(error)) throw error;
      }
      await before;
      if (this.#failure !== undefined) throw this.#failure;
      const { trader, sequence } = order;
      const { result } = await this.#group.query({ trader, sequence }, 'strong');
      const [execution] = result.executions;
      if (execution !== undefined) return execution;
    }
  }
}

/** Of unknown outcome; or refused because one before it has to be sent again. */
function isToBeSentAgain(error: unknown): boolean {
  if (error instanceof CommandRejectedError) return error.reason === 'early';
  return error instanceof SessionExpiredError;
}

async function sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
  const ms = atMs - nowMs();
  if (ms > 1) await sleep(ms, undefined, { signal }).catch(() => {});
}
