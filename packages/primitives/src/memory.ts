/**
 * Gives the memory that `bytes` lie in back at once: all views of it are empty afterwards.
 *
 * Memory of that kind is outside of V8's heap, and V8 collects all of its heap each time some 30 MB of it have been taken since: many
 * times a second where bulk goes through. Who knows that nobody has a view of it any more spares it that.
 */
export function freeMemory(bytes: Uint8Array): void {
  (bytes.buffer as ArrayBuffer).transfer(0);
}

/**
 * Takes the memory that `bytes` lie in over, to use it again: all views of it are empty afterwards, but for the one returned, which
 * is of all of it, with what it held.
 */
export function reuseMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array((bytes.buffer as ArrayBuffer).transfer());
}
