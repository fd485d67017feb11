/** A process that keeps what it sends: `keeper.ts FOLDER`. */
import { join } from 'node:path';
import { createStore } from '@mosaik/store';
import { sqlite } from '@mosaik/store/sqlite';
import { createStreams } from '@mosaik/streams';
import { reportReady } from '../../child.ts';
import { pipelined } from '../../in-flight.ts';
import { startMosaikNode } from '../../mosaik-node.ts';
import { payloads } from '../streams/payload.ts';
import { Appended, Replayed } from './mosaik-streams.ts';

const [folder = ''] = process.argv.slice(2);
const { address, transport, discovery } = await startMosaikNode({ bootstrap: '' });
const streams = createStreams({ transport, discovery });
const store = createStore({ transport, discovery, streams });
await store.retain(Appended, { storage: sqlite(join(folder, 'appended.db')) });
await store.retain(Replayed, { storage: sqlite(join(folder, 'replayed.db')) });
const [appended, replayed] = [streams.producer(Appended), streams.producer(Replayed)];
const { create } = payloads['75B'];

reportReady(address, {
  append: (count, inFlight) => pipelined(count, inFlight, (index) => appended.send(create(index))),
  fill: (count, inFlight) => pipelined(count, inFlight, (index) => replayed.send(create(index))),
});
