import type { Connection as Libp2pConnection } from '@libp2p/interface';
import { type PeerId, type Runtime, sleep } from '@mosaik/primitives';
import { fromLibp2pPeerId } from './identity.ts';

/** Our id of whoever is at the other end. */
export function peerOf(raw: Libp2pConnection): PeerId {
  const peer = fromLibp2pPeerId(raw.remotePeer);
  if (peer === undefined) throw new Error('a peer without an Ed25519 key');
  return peer;
}

/** Closes a connection, the hard way when the other side does not play along. */
export async function closeConnection(raw: Libp2pConnection): Promise<void> {
  if (raw.status !== 'open') return;
  await raw.close().catch((error: Error) => raw.abort(error));
}

/** Ends a connection at once. */
export function dropConnection(raw: Libp2pConnection, reason: string): void {
  if (raw.status === 'open') raw.abort(new Error(reason));
}

/** Waits for `work`, but no longer than `timeoutMs`. */
export async function atMost(runtime: Runtime, timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const patience = new AbortController();
  const giveUp = sleep(runtime, timeoutMs, { signal: patience.signal }).catch(() => {});
  await Promise.race([work, giveUp]);
  patience.abort();
}
