import { createDiscovery, type Discovery } from '@mosaik/discovery';
import { createWorld, type World } from '@mosaik/testing';

/** The signed entries of a peer, before and after it changed. */
interface Versions {
  readonly older: Uint8Array;
  readonly newer: Uint8Array;
}

/** Bytes of one comparison, both ways. */
export interface Comparison {
  readonly bytes: number;
  /** What it would take to send all entries of one side. */
  readonly wholeBytes: number;
}

/** Compares two catalogs of `count` entries, of which `differences` are newer on the one side or on the other. */
export async function compareCatalogs(count: number, differences: number): Promise<Comparison> {
  const world = createWorld({ seed: count });
  return world.run(async () => {
    const writer = world.host('writer');
    const entries: Versions[] = [];
    for (let index = 0; index < count; index++) {
      const transport = writer.transport({ secretKey: `peer ${index}` });
      entries.push(await entriesOf(world, await createDiscovery({ transport }), index < differences));
      await transport.close();
    }
    const [near, far] = await connectedPair(world);
    for (const [index, { older, newer }] of entries.entries()) {
      await near.feed(index % 2 === 0 ? newer : older);
      await far.feed(index % 2 === 0 ? older : newer);
    }
    const { bytesIn, bytesOut } = await near.syncWith(far.me.peer);
    return {
      bytes: bytesIn + bytesOut,
      wholeBytes: entries.reduce((sum, { older }) => sum + older.length, 0),
    };
  });
}

async function entriesOf(world: World, discovery: Discovery, isToChange: boolean): Promise<Versions> {
  const older = discovery.signedMe.slice();
  if (isToChange) discovery.addTags('changed');
  await world.sleep(1);
  const newer = discovery.signedMe.slice();
  await discovery.close();
  return { older, newer };
}

/** Two nodes that are connected, and content with that: nobody is behind the entries they are given. */
async function connectedPair(world: World): Promise<readonly [Discovery, Discovery]> {
  const create = (name: string): Promise<Discovery> =>
    createDiscovery({ transport: world.host(name).transport(), degree: 1, syncIntervalMs: 3_600_000 });
  const pair = [await create('near'), await create('far')] as const;
  await pair[0].dial('sim://far');
  await world.until(() => pair.every(({ catalog }) => catalog.size === 1));
  return pair;
}
