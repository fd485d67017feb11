import type { Network } from 'mosaik';
import type { Context } from '../context.ts';
import { join } from '../node/join.ts';
import { plural } from '../output/format.ts';
import { interrupted } from '../waiting.ts';

const DEFAULT_LISTEN = ['/ip4/0.0.0.0/tcp/4747'];

/** A node that is only there: others find each other through it. Until Ctrl-C. */
export async function bootstrap(context: Context): Promise<void> {
  const { console, settings, world } = context;
  const listen = settings.listen ?? DEFAULT_LISTEN;
  await using network = await join(context, { listen });
  if (settings.secretKey === undefined)
    console.note(
      'without --key FILE this node is another one each time it starts (mosaik keygen makes a key)',
    );
  await console.show(
    { network: settings.network, peerId: network.local.peerId, addresses: network.local.addresses.value },
    () => introduction(context, network),
  );
  const endTelling = tellOfPeers(context, network);
  await interrupted(world.interrupted);
  endTelling();
  console.note('leaving');
}

function introduction({ settings, console }: Context, network: Network): string {
  const addresses = network.local.addresses.value;
  return [
    `network ${console.style('bold', settings.network)}, this node is ${network.local.peerId}`,
    'others join with one of',
    ...addresses.map((address) => `  --bootstrap ${address}`),
  ].join('\n');
}

/** Returns what ends it. */
function tellOfPeers({ console }: Context, network: Network): () => void {
  let known = 0;
  return network.discovery.watch().subscribe(({ size }) => {
    if (size !== known) console.note(`${plural(size, 'other node')} in the network`);
    known = size;
  });
}
