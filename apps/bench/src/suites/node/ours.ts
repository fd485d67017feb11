import { createGroups } from '@mosaik/groups';
import { createStore } from '@mosaik/store';
import { createStreams } from '@mosaik/streams';
import { startMosaikNode } from '../../mosaik-node.ts';

/** Starts a node of ours with all its parts; its address. */
export async function startOurs(bootstrap: string): Promise<string> {
  const { address, transport, discovery } = await startMosaikNode({ bootstrap });
  const streams = createStreams({ transport, discovery });
  createGroups({ transport, discovery });
  createStore({ transport, discovery, streams });
  return address;
}
