import { DecodeError, decodeCbor, encodeCanonical, type PeerId } from '@mosaik/primitives';
import { decodeEntry, encodeEntry } from './entry-codec.ts';
import type { PeerEntry, SignedEntry } from './peer-entry.ts';

/** The largest signed entry, in bytes; a larger one is refused before it is looked at. */
export const MAX_ENTRY_BYTES = 65_536;

const SIGNATURE_BYTES = 64;

/** What is in it is only looked at: views are enough. */
const ENVELOPE = { maxBytes: MAX_ENTRY_BYTES, maxDepth: 2, maxItems: 8, copyBytes: false } as const;

/** What is signed begins with this, so that a signature over an entry means nothing anywhere else. */
const CONTEXT = new TextEncoder().encode('mosaik peer entry 1\n');

/** Signs for this node. */
export type Sign = (data: Uint8Array) => Promise<Uint8Array>;

/** Checks a signature of any peer. */
export type Verify = (peer: PeerId, data: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/** An entry that was read but whose signature nobody has checked yet. */
export interface UnverifiedEntry extends SignedEntry {
  readonly verify: (verify: Verify) => Promise<boolean>;
}

/** Signs an entry of this node's own. */
export async function signEntry(entry: PeerEntry, sign: Sign): Promise<SignedEntry> {
  const payload = encodeEntry(entry);
  const signature = await sign(withContext(payload));
  return { entry, bytes: encodeCanonical([payload, signature]) };
}

/**
 * Reads a signed entry; the signature is not checked, which costs a hundred times as much: do that last.
 *
 * @throws {DecodeError} when it is too large, not decodable, or not an entry.
 */
export function readSignedEntry(bytes: Uint8Array): UnverifiedEntry {
  const envelope = decodeCbor(bytes, ENVELOPE);
  if (!Array.isArray(envelope) || envelope.length !== 2) throw malformed('an array of entry and signature');
  const [payload, signature] = envelope;
  if (!(payload instanceof Uint8Array)) throw malformed('the entry as bytes');
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) {
    throw malformed(`a signature of ${SIGNATURE_BYTES} bytes`);
  }
  const entry = decodeEntry(payload);
  return { entry, bytes, verify: (verify) => verify(entry.peer, withContext(payload), signature) };
}

function withContext(payload: Uint8Array): Uint8Array {
  const data = new Uint8Array(CONTEXT.length + payload.length);
  data.set(CONTEXT);
  data.set(payload, CONTEXT.length);
  return data;
}

function malformed(expected: string): DecodeError {
  return new DecodeError('schema', `a signed entry is ${expected}`);
}
