import type { Lagged } from 'mosaik';
import { withTimeout } from 'mosaik';
import type { Context } from '../context.ts';
import { type Change, Changes } from '../kv/changes.ts';
import { type MapOptions, mapName } from '../kv/map.ts';
import { joinMap } from '../kv/write.ts';
import { joinToLook } from '../node/join.ts';
import { unlessAborted } from '../waiting.ts';
import { valueText } from './kv-read.ts';

export interface KvWatchOptions extends MapOptions {
  readonly prefix: string;
}

/** Prints the changes of a map from now on, each once and in the order in which they were applied. Until Ctrl-C. */
export async function kvWatch(context: Context, options: KvWatchOptions): Promise<void> {
  const { world, settings, console } = context;
  mapName(options.map);
  await using network = await joinToLook(context);
  const changes = new Changes(options.prefix);
  const events = changes.events.subscribe({ signal: world.interrupted });
  const group = await joinMap(context, network, { ...options, listener: changes });
  const limit = { what: 'a leader of the map', timeoutMs: settings.timeoutMs, signal: world.interrupted };
  // What it catches up with was before: a strong query tells where now is.
  const { at } = await withTimeout(network.runtime, limit, (signal) =>
    group.query({ get: '' }, 'strong', { signal }),
  );
  console.note(`watching from index ${at} on`);
  await unlessAborted(world.interrupted, follow(context, events, at));
}

async function follow(
  { console }: Context,
  events: AsyncIterable<Change | Lagged>,
  after: number,
): Promise<void> {
  let missed = 0;
  for await (const change of events) {
    if (change.type === 'lagged') {
      missed = change.missed;
      continue;
    }
    // What was missed is older than this: of no interest as long as this is.
    const isNew = change.version === undefined || change.version > after;
    if (missed > 0 && isNew) console.warn(`up to ${missed} changes were missed: the output is too slow`);
    missed = 0;
    if (isNew) await console.show(change, () => changeText(change));
  }
}

function changeText(change: Change): string {
  return change.type === 'put' ? `${change.key}\t${valueText(change.value)}` : `${change.key}\t(deleted)`;
}
