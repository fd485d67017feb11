/** A process that keeps what it sends: `keeper.ts FOLDER`. */
import { join } from 'node:path';
import { createStore, memory } from '@mosaik/store';
import { sqlite } from '@mosaik/store/sqlite';
import { createStreams } from '@mosaik/streams';
import { reportReady } from '../../child.ts';
import { pipelined } from '../../in-flight.ts';
import { startMosaikNode } from '../../mosaik-node.ts';
import { payloads } from '../streams/payload.ts';
import { Appended, Folded, Replayed } from './mosaik-streams.ts';
import { volumes } from './volumes.ts';

const [folder = ''] = process.argv.slice(2);
const { address, transport, discovery } = await startMosaikNode({ bootstrap: '' });
const streams = createStreams({ transport, discovery });
const store = createStore({ transport, discovery, streams });
await store.retain(Appended, { storage: sqlite(join(folder, 'appended.db')) });
await store.retain(Replayed, { storage: sqlite(join(folder, 'replayed.db')) });
await store.retain(Folded, { storage: memory() });
const [appended, replayed] = [streams.producer(Appended), streams.producer(Replayed)];
const folded = streams.producer(Folded);
const view = store.fold(Folded, volumes(1));
const { create } = payloads['75B'];

reportReady(address, {
  append: (count, inFlight) => pipelined(count, inFlight, (index) => appended.send(create(index))),
  // In memory, as what is measured of a fold is not the disk.
  appendInMemory: (count, inFlight) => pipelined(count, inFlight, (index) => folded.send(create(index))),
  fold: async () => await view.when().reaches(folded.position.next).wait(),
  fill: (count, inFlight) => pipelined(count, inFlight, (index) => replayed.send(create(index))),
});
