/** A process that replays a stream from its beginning: `mosaik-reader.ts ADDRESS`. */
import { performance } from 'node:perf_hooks';
import { createStore } from '@mosaik/store';
import { createStreams } from '@mosaik/streams';
import { reportReady } from '../../child.ts';
import { startMosaikNode } from '../../mosaik-node.ts';
import { Folded, Replayed } from './mosaik-streams.ts';
import { volumes } from './volumes.ts';

const [bootstrap = ''] = process.argv.slice(2);
const { address, transport, discovery } = await startMosaikNode({ bootstrap });
const streams = createStreams({ transport, discovery });
const store = createStore({ transport, discovery, streams });

async function replay(count: number): Promise<number> {
  const startedAt = performance.now();
  await using records = store.replay(Replayed, { from: 'start' });
  let left = count;
  for await (const batch of records.batches()) {
    left -= batch.length;
    if (left <= 0) break;
  }
  return count / ((performance.now() - startedAt) / 1000);
}

/** The milliseconds until a view covers so many data, with the snapshot of the keeper or without. */
async function join(count: number, version: number): Promise<number> {
  const startedAt = performance.now();
  await using view = store.fold(Folded, volumes(version));
  await view.when().reaches(count);
  const isFromSnapshot = view.stats.restored > 0;
  if (isFromSnapshot !== (version === 1))
    throw new Error('the snapshot was used where it should not, or not');
  return performance.now() - startedAt;
}

// Ready when it is connected, as a client of a server is: to find the keeper is not what is measured.
while (discovery.catalog.size === 0) await new Promise((resolve) => setTimeout(resolve, 20));
reportReady(address, { replay, join });
