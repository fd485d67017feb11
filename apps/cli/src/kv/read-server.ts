import type { Group, GroupKey, MapAnswer, MapCommand, MapQuery, MapResult, Network } from 'mosaik';
import { InvalidArgumentError, withTimeout } from 'mosaik';
import { CloseCode, type Link } from 'mosaik/transport';
import { NONCE_BYTES, proofOf, type ReadMessage, readProtocol } from './reading.ts';

/** A question takes this long at most, with the wait for a leader. */
const PATIENCE_MS = 30_000;

export type MapGroup = Group<MapCommand<unknown>, MapResult<unknown>, MapQuery, MapAnswer<unknown>>;

export interface Served {
  readonly map: string;
  readonly key: GroupKey;
  readonly group: MapGroup;
}

/** Answers those who read the map and have its key, until disposed. */
export function serveReads(network: Network, served: Served): Disposable {
  return network.transport.accept(readProtocol, (link) => answer(network, link, served));
}

async function answer(network: Network, link: Link<ReadMessage>, { map, key, group }: Served): Promise<void> {
  const limit = { what: 'a reader', timeoutMs: PATIENCE_MS };
  await withTimeout(network.runtime, limit, async (signal) => {
    const nonce = network.runtime.randomBytes(NONCE_BYTES);
    await link.send({ type: 'nonce', nonce }, { signal });
    const ask = await link.receive({ signal });
    if (ask?.type !== 'ask') return link.close(CloseCode.Malformed, 'not a question');
    if (ask.map !== map) return link.close(CloseCode.NotFound, 'another map');
    if (ask.proof !== proofOf(key, { nonce, reader: link.peer, member: network.local.peerId }))
      return link.close(CloseCode.NotAllowed, 'another key');
    try {
      const { result, at } = await group.query(ask.query, ask.consistency, { signal });
      await link.send({ type: 'answer', entries: result.entries, more: result.more, at }, { signal });
    } catch (thrown) {
      if (thrown instanceof InvalidArgumentError) return link.close(CloseCode.Malformed, thrown.message);
      throw thrown;
    }
    await link.close();
  });
}
