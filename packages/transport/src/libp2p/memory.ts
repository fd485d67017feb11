import { freeMemory } from '@mosaik/primitives';

/** Yamux puts so many bytes before the data of a frame. */
const FRAME_HEADER_BYTES = 12;

/** Below this it costs more to give memory back than to have it collected. */
const RETURNED_BYTES_MIN = 4_096;

/** Memory that holds what was read from a socket, and nothing else. */
const reads = new WeakSet<ArrayBufferLike>();

/**
 * Says that the memory of `bytes` was made for them alone, and that nobody who is shown them writes to it.
 *
 * Node takes fresh memory, outside of V8's heap, for whatever it reads, and V8 collects all of its heap each time some 30 MB of that
 * have come together: many times a second where bulk arrives. What is copied elsewhere anyway need not wait for that.
 */
export function ownRead(bytes: Uint8Array): void {
  if (bytes.length >= RETURNED_BYTES_MIN && bytes.length === bytes.buffer.byteLength) reads.add(bytes.buffer);
}

/**
 * Gives the memory of a read back at once. To be called by who was given `bytes`, of a frame of Yamux, and keeps no view of them:
 * it is then that nobody does, if they are all of the read but for the head of their own frame. Any other memory is left as it is.
 */
export function returnRead(bytes: Uint8Array): void {
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset > FRAME_HEADER_BYTES || byteOffset + length !== buffer.byteLength || !reads.has(buffer))
    return;
  reads.delete(buffer);
  freeMemory(bytes);
}
