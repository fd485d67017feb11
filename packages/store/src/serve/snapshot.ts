import type { Link } from '@mosaik/transport';
import {
  type AskSnapshot,
  CHUNK_BYTES,
  encodeChunk,
  encodeSnapshotHead,
  type SnapshotOffer,
} from '../wire/snapshots.ts';

/** Sends the head of the newest snapshot, and the chunks that were asked for if it is the one that was meant. */
export async function serveSnapshot(
  {
    link,
    request,
    offer,
  }: {
    readonly link: Link<Uint8Array>;
    readonly request: AskSnapshot;
    readonly offer: SnapshotOffer | undefined;
  },
  signal: AbortSignal,
): Promise<void> {
  await link.sendEncoded(encodeSnapshotHead(offer?.head), { signal });
  if (offer === undefined || !isSame(offer.head.hash, request.hash)) return;
  for (let index = request.from; index < Math.min(request.to, offer.head.chunks.length); index++) {
    const chunk = offer.data.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    await link.sendEncoded(encodeChunk(chunk), { signal });
  }
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.every((byte, index) => byte === b[index]);
}
