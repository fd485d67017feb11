import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { ID_BYTES, idToBytes, type UniqueId } from './unique-id.ts';

/** Part of the construction: another context gives other ids, everywhere. */
const CONTEXT = utf8ToBytes('mosaik 2026-11-22 derived id v1');
const TEXT_PART = 0x01;
const BYTES_PART = 0x02;
/** Type byte and length. */
const FRAME_HEAD_BYTES = 5;

/** What an id can be derived from; an id as a part counts as its text. */
export type IdPart = string | Uint8Array;

/**
 * The id of something within, or made of, something else: one-way, and the same everywhere.
 *
 * The construction, for other implementations: BLAKE3 in its `derive_key` mode, 32 bytes of output, with the context
 * string `mosaik 2026-11-22 derived id v1`. The key material is the 32 bytes of `id`, followed by each part in order
 * as one type byte (`01` text, `02` bytes), the length of its content in bytes as 4 bytes big-endian, and its
 * content (text as UTF-8). So no two lists of parts give the same material: `('ab', 'c')`, `('a', 'bc')`, `('abc')`
 * and the bytes of any of these differ. Without parts the result still differs from `id`.
 */
export function deriveId<Id extends UniqueId = UniqueId>(id: UniqueId, ...parts: readonly IdPart[]): Id {
  return bytesToHex(blake3(frame(id, parts), { context: CONTEXT })) as Id;
}

function frame(id: UniqueId, parts: readonly IdPart[]): Uint8Array {
  const contents = parts.map((part) => (typeof part === 'string' ? utf8ToBytes(part) : part));
  const size = contents.reduce((sum, content) => sum + FRAME_HEAD_BYTES + content.length, ID_BYTES);
  const material = new Uint8Array(size);
  const view = new DataView(material.buffer);
  material.set(idToBytes(id), 0);
  let offset = ID_BYTES;
  for (const [index, content] of contents.entries()) {
    view.setUint8(offset, typeof parts[index] === 'string' ? TEXT_PART : BYTES_PART);
    view.setUint32(offset + 1, content.length);
    material.set(content, offset + FRAME_HEAD_BYTES);
    offset += FRAME_HEAD_BYTES + content.length;
  }
  return material;
}
