import {
  cborCodec,
  encodeCanonical,
  encodeCbor,
  idToBytes,
  type NetworkId,
  type PeerId,
} from '@mosaik/primitives';
import { type Protocol, protocol, type Transport } from '@mosaik/transport';

/** What discovery says on the wire, written by hand from docs/wire.md: for nodes that do not keep to it. */

/** Catalog sync, without a codec that would object to what is said. */
export const RawSync: Protocol<unknown> = protocol({
  name: 'discovery/sync',
  codec: cborCodec({ int64: 'number' }),
  maxFrameBytes: 4 * 1024 * 1024,
});

export interface RawEntry {
  readonly peer: PeerId;
  readonly network: NetworkId;
  readonly start: number;
  readonly update: number;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A signed entry, by the key of `by`, whatever it claims. */
export async function signedEntry(by: Transport, entry: RawEntry): Promise<Uint8Array> {
  const payload = encodeCanonical({
    v: 1,
    n: idToBytes(entry.network),
    p: idToBytes(entry.peer),
    s: entry.start,
    u: entry.update,
    a: [],
    t: [],
    st: [],
    g: [],
    so: [],
    k: [],
    nm: {},
    d: false,
    ...entry.fields,
  });
  const context = new TextEncoder().encode('mosaik peer entry 1\n');
  const data = new Uint8Array([...context, ...payload]);
  return encodeCanonical([payload, await by.local.sign(data)]);
}

/** An announcement, as it is gossiped. */
export function announcement(entry: Uint8Array): Uint8Array {
  return encodeCbor([1, entry]);
}

/** A rumour of a death, as it is gossiped. */
export function death(peer: PeerId, version: { start: number; update: number }, by: PeerId): Uint8Array {
  return encodeCbor([3, idToBytes(peer), version.start, version.update, idToBytes(by)]);
}
