import { idToBytes, type NetworkId, networkId, type PeerId, uniqueId } from '@mosaik/primitives';
import { blake3 } from '@noble/hashes/blake3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { EntryVersion, PeerEntry, SignedEntry } from '../../src/entry/peer-entry.ts';
import { type Sign, signEntry, type Verify } from '../../src/entry/signed-entry.ts';

export const NETWORK: NetworkId = networkId('tests');

/** The id of a peer of tests. */
export function peerId(name: string | number): PeerId {
  return uniqueId(`peer ${name}`);
}

export function entryOf(
  peer: PeerId,
  version: EntryVersion,
  fields: Partial<Omit<PeerEntry, 'peer' | 'version'>> = {},
): PeerEntry {
  return {
    format: 1,
    network: NETWORK,
    peer,
    version,
    addresses: [],
    tags: [],
    streams: [],
    groups: [],
    stores: [],
    tickets: [],
    names: {},
    isDeparted: false,
    ...fields,
  };
}

/** A signature that only {@link verify} knows to check: who holds the peer's id can make it, which is enough here. */
export function signerOf(peer: PeerId): Sign {
  return async (data) => signatureOf(peer, data);
}

export const verify: Verify = async (peer, data, signature) => {
  const right = signatureOf(peer, data);
  return right.every((byte, index) => byte === signature[index]);
};

function signatureOf(peer: PeerId, data: Uint8Array): Uint8Array {
  return blake3(concatBytes(utf8ToBytes('key of '), idToBytes(peer), data), { dkLen: 64 });
}

export function signed(entry: PeerEntry): Promise<SignedEntry> {
  return signEntry(entry, signerOf(entry.peer));
}

/** A signed entry with a signature by somebody else. */
export function forged(entry: PeerEntry): Promise<SignedEntry> {
  return signEntry(entry, signerOf(peerId('forger')));
}
