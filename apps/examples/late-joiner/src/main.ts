/**
 * A view of everything that was ever sent, also for whoever comes late. The till keeps what it sends; the first board folds it into
 * stock levels; the second one joins later, takes over the snapshot of the first, and applies what came since.
 */
import { memoryStore, Network, stream } from 'mosaik';

interface Sale {
  readonly item: string;
  readonly count: number;
}

const Sales = stream<Sale>('shop.sales');
const listen = ['/ip4/127.0.0.1/tcp/0'];

/** Items sold, by name. With another `apply` comes another `version`: the view is then made anew from the first sale. */
const sold = {
  name: 'sold',
  version: 1,
  initial: (): Record<string, number> => ({}),
  apply(state: Record<string, number>, { item, count }: Sale) {
    state[item] = (state[item] ?? 0) + count;
    return state;
  },
};

const till = await Network.create('shop', { listen, tags: ['till'] });
const bootstrap = till.local.addresses.value;

// Kept as long as this process lives; `sqlite(path)` of `mosaik/store/sqlite` keeps it on disk.
await till.store.retain(Sales, { storage: memoryStore() });
const producer = till.streams.producer(Sales);
for (let sale = 0; sale < 1_000; sale++) await producer.send({ item: sale % 2 ? 'tea' : 'cake', count: 1 });

const first = await Network.create('shop', { listen, bootstrap });
const board = first.store.fold(Sales, sold);
await board.when().reaches(1_000);
console.log('the first board has', board.state, 'having applied', board.stats.applied);
await board.snapshot();

await producer.send({ item: 'tea', count: 5 });
await board.when().reaches(1_001);

const second = await Network.create('shop', { listen, bootstrap });
const late = second.store.fold(Sales, sold);
await late.when().reaches(1_001);
console.log('the second board has', late.state, 'having applied', late.stats.applied);

await Promise.all([till, first, second].map((node) => node.close()));
