import { resolve } from 'node:path';
import { keyValue, memory, shortId } from 'mosaik';
import { sqlite } from 'mosaik/groups/sqlite';
import type { Context } from '../context.ts';
import { usage } from '../failure.ts';
import { advertisedName, keyOf, type MapOptions, mapName } from '../kv/map.ts';
import { type MapGroup, serveReads } from '../kv/read-server.ts';
import { join } from '../node/join.ts';
import { interrupted } from '../waiting.ts';

export interface KvServeOptions extends MapOptions {
  /** A file for the log; in memory without it. */
  readonly file?: string;
  readonly founders: number;
}

/** A member of a replicated map: keeps a copy, votes, may lead, and answers readers. Until Ctrl-C. */
export async function kvServe(context: Context, options: KvServeOptions): Promise<void> {
  const { world, console } = context;
  const map = mapName(options.map);
  const key = keyOf(context, options);
  const { founders, file } = options;
  // The votes in a log are those of the identity that cast them: another one could not go on with it.
  if (file !== undefined && context.settings.secretKey === undefined)
    throw usage(
      'a log in a file belongs to the node that wrote it: --file needs --key',
      'make a key with: mosaik keygen FILE',
    );
  const storage = file === undefined ? memory() : sqlite(resolve(world.folder, file));
  await using network = await join(context);
  const group = await network.groups.join({
    key,
    name: advertisedName(map, founders),
    machine: keyValue<unknown>(),
    storage,
    consensus: { founders },
  });
  const { damagedLog } = group.stats;
  if (damagedLog !== undefined)
    console.warn(`the log was damaged: it is put aside as ${damagedLog}, and this member begins anew`);
  using _reads = serveReads(network, { map, key, group });
  const { peerId, addresses } = network.local;
  await console.show(
    { map, group: group.id, durability: group.durability, peerId, addresses: addresses.value },
    () =>
      `serving the map ${map} (${group.durability}) as ${shortId(peerId)}, at ${addresses.value.join(', ')}`,
  );
  const endTelling = tellOfLeaders(context, group);
  await interrupted(world.interrupted);
  endTelling();
  console.note('leaving');
}

function tellOfLeaders({ console }: Context, group: MapGroup): () => void {
  let last: string | undefined;
  let reverted = 0;
  return group.log().subscribe(() => {
    const { leader, term } = group.stats;
    const text = leader === undefined ? 'no leader' : `${shortId(leader)} leads in term ${term}`;
    if (text !== last) console.note(text);
    last = text;
    for (const { commands } of group.reverted().slice(reverted))
      console.warn(`this member's history lost against an older one, with ${commands.length} commands`);
    reverted = group.reverted().length;
  });
}
