/** The other process: answers as a mosaik link (`ours`) or as a bare stream (`bare`), and reports its address. */
import { reportReady } from '../../child.ts';
import { serveBare, startBare } from './bare.ts';
import { serveOurs, startOurs } from './ours.ts';

async function start(kind: string | undefined): Promise<string> {
  if (kind === 'ours') {
    const transport = await startOurs('bench responder');
    serveOurs(transport);
    return transport.local.addresses.value[0] ?? '';
  }
  const node = await startBare();
  await serveBare(node);
  return node.getMultiaddrs()[0]?.toString() ?? '';
}

reportReady(await start(process.argv[2]));
