import {
  decodeCbor,
  type Inspection,
  inspectionProtocol,
  type Network,
  type PeerId,
  type PeerInfo,
  toError,
  validateSync,
  withTimeout,
} from 'mosaik';
import { inspectionSchema } from './inspection-schema.ts';

const TIMEOUT_MS = 2_000;
/** Nodes that are asked at once. */
const AT_ONCE = 16;
/** Nodes that are asked at all: a picture of more is not read by anybody. */
const PEERS_MAX = 256;

/** A node, what the catalog says of it, and what it said itself, if it did. */
export interface Surveyed {
  readonly peer: PeerInfo;
  readonly inspection: Inspection | undefined;
  /** Why it did not say anything. */
  readonly problem: string | undefined;
}

/**
 * Asks a node how it stands.
 *
 * @throws {MosaikError} when it cannot be reached, or answers something else.
 */
export function inspect(network: Network, peer: PeerId, signal?: AbortSignal): Promise<Inspection> {
  const limit = { what: `asking ${peer.slice(0, 10)}`, timeoutMs: TIMEOUT_MS, signal };
  return withTimeout(network.runtime, limit, async (within) => {
    await using link = await network.transport.open(peer, inspectionProtocol, { signal: within });
    const answer = await link.receive({ signal: within });
    return validateSync(inspectionSchema, decodeCbor(answer ?? new Uint8Array()));
  });
}

/** Asks all nodes of the catalog, up to 256, in the order of their ids. */
export async function survey(network: Network, signal?: AbortSignal): Promise<readonly Surveyed[]> {
  const peers = [...network.discovery.catalog].slice(0, PEERS_MAX);
  const surveyed: Surveyed[] = [];
  const next = peers.entries();
  const work = async (): Promise<void> => {
    for (const [at, peer] of next) surveyed[at] = await look(network, peer, signal);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return surveyed;
}

async function look(network: Network, peer: PeerInfo, signal: AbortSignal | undefined): Promise<Surveyed> {
  try {
    return { peer, inspection: await inspect(network, peer.peer, signal), problem: undefined };
  } catch (thrown) {
    return { peer, inspection: undefined, problem: toError(thrown).message };
  }
}
