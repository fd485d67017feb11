import { resolve } from 'node:path';
import { stream } from 'mosaik';
import { memory } from 'mosaik/store';
import { sqlite } from 'mosaik/store/sqlite';
import type { Context } from '../context.ts';
import { join } from '../node/join.ts';
import { plural } from '../output/format.ts';
import { interrupted } from '../waiting.ts';

export interface KeepOptions {
  readonly stream: string;
  /** `memory`, or a file. */
  readonly file: string;
}

/** Keeps copies of what is kept of a stream elsewhere, and serves them, also when their producers are gone. Until Ctrl-C. */
export async function keep(context: Context, { stream: name, file }: KeepOptions): Promise<void> {
  const { world, console } = context;
  await using network = await join(context);
  const storage = file === 'memory' ? memory() : sqlite(resolve(world.folder, file));
  const retained = await network.store.retain(stream<unknown>(name), { storage, mirror: true });
  await console.show(
    { stream: name, durability: retained.durability, logs: retained.logs.length },
    () => `keeping ${name} (${retained.durability}), ${plural(retained.logs.length, 'log')} there already`,
  );
  await interrupted(world.interrupted);
  console.note(`${plural(retained.stats.datums, 'datum')} copied`);
}
