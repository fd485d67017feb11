import type { Fold, Network } from 'mosaik';
import { Fills, type Playing } from '../contract.ts';
import type { Journal } from '../journal.ts';
import { type View, viewOfFills } from '../view.ts';

/** Keeps a view of the fills. One that comes late takes over the newest snapshot of another, and the fills since. */
export function report(node: Network, journal: Journal): Playing {
  const view = node.store.fold(Fills, viewOfFills);
  const watching = [writeDown(view, journal), writeEvents(view, journal)];
  return {
    status: () => ({
      reported: view.state.next,
      isCaughtUp: view.when().caughtUp().isMet,
      producers: node.discovery.catalog.producersOf(Fills.id).length,
    }),
    async stop() {
      journal.note({ kind: 'view', view: view.state, divergences: view.stats.divergences });
      await view.close();
      await Promise.all(watching);
    },
  };
}

async function writeDown(view: Fold<View>, journal: Journal): Promise<void> {
  let reported = -1;
  for await (const { next } of view.changes()) {
    if (next > reported) journal.note({ kind: 'reported', next });
    reported = next;
  }
}

async function writeEvents(view: Fold<View>, journal: Journal): Promise<void> {
  for await (const event of view.events.subscribe()) {
    if (event.type === 'restored') journal.note({ kind: 'restored', offset: event.offset });
  }
}
