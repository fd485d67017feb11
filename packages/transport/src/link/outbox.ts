import { HEADER_BYTES, writeHeader } from './frame.ts';
import { giveBack } from './loan.ts';

/**
 * What one channel write carries at most: a Noise message holds 65,519 bytes of plaintext (65,535 less the tag), 12 of
 * them are Yamux's header. Filled exactly, 64 KiB of small messages cost one encrypted frame.
 */
export const FRAME_BYTES = 65_507;

/** So much of a frame may stay empty, if the record that follows then arrives in one piece. */
export const SPARE_BYTES: number = FRAME_BYTES / 4;

/** Up to here a message is copied behind its neighbours; above, the copy costs more than a list entry. */
const COPY_BYTES = 8_192;

const SLAB_BYTES = 65_536;
/** Idle links send little: their slabs start small and double while they fill within a turn. */
const FIRST_SLAB_BYTES = 1_024;

/**
 * Messages on their way out, as one sequence of bytes that is cut into frames only when it leaves.
 *
 * Small messages are copied into a slab behind each other; large ones are taken by reference. Bytes of a slab are
 * written once and never again, because the layers below keep references to what they have not sent yet.
 */
export class Outbox {
  readonly #pieces: Uint8Array[] = [];
  /** Headers whose payload is the piece after them: both should leave in one frame. */
  readonly #heads = new Set<Uint8Array>();
  #firstPiece = 0;
  #bytes = 0;
  #slab = new Uint8Array(0);
  #slabStart = 0;
  #slabEnd = 0;
  #nextSlabBytes = FIRST_SLAB_BYTES;

  /** Bytes that wait to leave, headers included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends a data record. */
  append(payload: Uint8Array): void {
    const isSmall = payload.length <= COPY_BYTES;
    if (!isSmall) this.#sealSlab();
    this.#reserve(HEADER_BYTES + (isSmall ? payload.length : 0));
    writeHeader(this.#slab, this.#slabEnd, payload.length);
    this.#slabEnd += HEADER_BYTES;
    if (isSmall) {
      this.#slab.set(payload, this.#slabEnd);
      this.#slabEnd += payload.length;
      // Who lends memory lends much of it; most small messages have just their own.
      if (payload.buffer.byteLength > COPY_BYTES) giveBack(payload);
    } else {
      this.#sealHead(payload);
      this.#pieces.push(payload);
    }
    this.#bytes += HEADER_BYTES + payload.length;
  }

  /** Appends bytes that are a record already. */
  appendRecord(record: Uint8Array): void {
    this.#sealSlab();
    this.#pieces.push(record);
    this.#bytes += record.length;
  }

  /** Takes what the next frame carries: up to {@link FRAME_BYTES}, in order. */
  takeFrame(): Uint8Array[] {
    this.#sealSlab();
    const frame: Uint8Array[] = [];
    let room = FRAME_BYTES;
    while (room > 0 && this.#firstPiece < this.#pieces.length) {
      const piece = this.#pieces[this.#firstPiece] as Uint8Array;
      if (frame.length > 0 && this.#isBetterOff(piece, room)) break;
      if (piece.length <= room) {
        frame.push(piece);
        this.#firstPiece++;
        room -= piece.length;
      } else {
        frame.push(piece.subarray(0, room));
        this.#pieces[this.#firstPiece] = piece.subarray(room);
        room = 0;
      }
    }
    this.#bytes -= FRAME_BYTES - room;
    this.#compact();
    return frame;
  }

  clear(): void {
    this.#heads.clear();
    this.#pieces.length = 0;
    this.#firstPiece = 0;
    this.#slab = new Uint8Array(0);
    this.#slabStart = 0;
    this.#slabEnd = 0;
    this.#bytes = 0;
  }

  #reserve(bytes: number): void {
    if (this.#slab.length - this.#slabEnd >= bytes) return;
    this.#sealSlab();
    const isFilling = this.#pieces.length > this.#firstPiece;
    this.#nextSlabBytes = isFilling ? Math.min(this.#nextSlabBytes * 4, SLAB_BYTES) : this.#nextSlabBytes;
    this.#slab = new Uint8Array(Math.max(this.#nextSlabBytes, bytes));
    this.#slabStart = 0;
    this.#slabEnd = 0;
  }

  /**
   * Whether what begins with `piece` should wait for a frame of its own: a record that arrives in one frame is read
   * where it lies, one that is cut has to be put together in other memory.
   */
  #isBetterOff(piece: Uint8Array, room: number): boolean {
    if (!this.#heads.delete(piece)) return false;
    const bytes = piece.length + (this.#pieces[this.#firstPiece + 1]?.length ?? 0);
    return bytes > room && bytes <= FRAME_BYTES && room <= SPARE_BYTES;
  }

  /** The header that was just written becomes a piece of its own; only if a frame can hold the record as a whole. */
  #sealHead(payload: Uint8Array): void {
    this.#sealSlab();
    const head = this.#pieces.at(-1);
    if (head !== undefined && HEADER_BYTES + payload.length <= FRAME_BYTES) this.#heads.add(head);
  }

  #sealSlab(): void {
    if (this.#slabEnd === this.#slabStart) return;
    this.#pieces.push(this.#slab.subarray(this.#slabStart, this.#slabEnd));
    this.#slabStart = this.#slabEnd;
  }

  /** What has left is let go of, amortised O(1); a link under steady load is never empty. */
  #compact(): void {
    if (this.#firstPiece * 2 < this.#pieces.length) return;
    this.#pieces.splice(0, this.#firstPiece);
    this.#firstPiece = 0;
  }
}
