import { join } from 'node:path';
import { AbortedError, type Group, type Network, type Producer } from 'mosaik';
import { sqlite } from 'mosaik/groups/sqlite';
import { sqlite as storeSqlite } from 'mosaik/store/sqlite';
import type { Fill } from '../book.ts';
import { consensus, Fills, type NodeConfig, type Playing } from '../contract.ts';
import { Exchange, type ExchangeAnswer, type ExchangeQuery, type Execution } from '../exchange.ts';
import { type Journal, readJournal } from '../journal.ts';
import type { Order } from '../orders.ts';
import { groupView } from './group-view.ts';

/**
 * A member of the group that matches orders, its log on disk. All three send the fills, each from its own copy of the state: there is no
 * moment at which only one of them knows of a fill that was acknowledged. Whoever reads them goes by their numbers.
 */
export async function match(node: Network, config: NodeConfig, journal: Journal): Promise<Playing> {
  const { folder, name, groupKey } = config;
  const group = await node.groups.join({
    key: groupKey,
    name: 'matchers',
    machine: Exchange,
    storage: sqlite(join(folder, `${name}.group.db`)),
    consensus,
  });
  await node.store.retain(Fills, { storage: storeSqlite(join(folder, `${name}.fills.db`)) });
  const publisher = new Publisher({ node, group, journal, next: nextIn(join(folder, `${name}.ndjson`)) });
  const leaving = new AbortController();
  const publishing = publisher.run(leaving.signal);
  return {
    status: () => ({ executed: publisher.next, fills: publisher.fills, group: groupView(group) }),
    async stop() {
      leaving.abort();
      await publishing;
    },
  };
}

/** Where a process of the same name has come to before it was killed. */
function nextIn(file: string): number {
  const last = readJournal(file).findLast((note) => note.kind === 'executed');
  return last === undefined ? 0 : last.number + 1;
}

/** Follows what the group applies: sends the fills, and then writes down that it did. */
class Publisher {
  next: number;
  fills = 0;
  readonly #group: Group<Order, Execution, ExchangeQuery, ExchangeAnswer>;
  readonly #journal: Journal;
  readonly #producer: Producer<Fill>;

  constructor(options: {
    readonly node: Network;
    readonly group: Group<Order, Execution, ExchangeQuery, ExchangeAnswer>;
    readonly journal: Journal;
    readonly next: number;
  }) {
    this.next = options.next;
    this.#group = options.group;
    this.#journal = options.journal;
    this.#producer = options.node.streams.producer(Fills);
  }

  /** Until the signal fires, and with what was applied until then. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for await (const _ of this.#group.log().values({ signal })) {
        await this.#publish();
        if (signal.aborted) return;
      }
    } catch (error) {
      if (!(error instanceof AbortedError)) throw error;
      await this.#publish();
    }
  }

  async #publish(): Promise<void> {
    for (;;) {
      const { result } = await this.#group.query({ from: this.next }, 'weak');
      const { executions } = result;
      const last = executions.at(-1);
      if (last === undefined) return;
      const fills = executions.flatMap((execution) => execution.fills);
      await Promise.all(fills.map((fill) => this.#producer.send(fill)));
      for (const execution of executions) this.#journal.note({ kind: 'executed', ...execution });
      this.next = last.number + 1;
      this.fills += fills.length;
    }
  }
}
