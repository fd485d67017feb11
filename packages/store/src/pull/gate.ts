import { DecodeError } from '@mosaik/primitives';
import { type Sequence, scanBlock } from '@mosaik/streams';
import type { KeptBlock } from '../log/log-storage.ts';
import { isRun } from '../log/rules.ts';
import { decodeNumber, Kind } from '../wire/messages.ts';

/** What a holder sends of a log, checked. */
export type Piece =
  /** Data below `from` are not wanted. */
  | { readonly type: 'block'; readonly block: KeptBlock; readonly from: Sequence }
  /** The holder does not have what lies between. */
  | { readonly type: 'skipped'; readonly from: Sequence; readonly to: Sequence }
  /** The holder has sent everything below. */
  | { readonly type: 'reached'; readonly next: Sequence };

/**
 * Checks what one holder sends of one log, message by message: each block must begin where the one before ended, and what is
 * left out must be said. So nothing that came through here can be out of order, twice, or missing without a word.
 */
export class Gate {
  #position: Sequence;
  #timeMs: number | undefined;
  /** The first block, and one after a place that was left out, may begin before what is wanted of it. */
  #mayBeginBefore = true;

  constructor(from: Sequence) {
    this.#position = from;
  }

  get position(): Sequence {
    return this.#position;
  }

  /**
   * Undefined for a message that says nothing by itself, or that a newer holder may say.
   *
   * @throws {DecodeError} when the holder does not keep to the protocol.
   */
  take(message: Uint8Array): Piece | undefined {
    switch (message[0]) {
      case Kind.Block:
        return this.#block(message);
      case Kind.Time:
        this.#setTime(decodeNumber(message));
        return undefined;
      case Kind.Skipped:
        return this.#skip(decodeNumber(message));
      case Kind.Reached:
        return this.#reach(decodeNumber(message));
      default:
        return undefined;
    }
  }

  #block(message: Uint8Array): Piece {
    const block = scanBlock(message);
    const from = this.#position;
    if (!isRun(block)) throw malformed('a block that leaves out places');
    if (this.#timeMs === undefined) throw malformed('a block without a time');
    const isInPlace = block.first === from || (this.#mayBeginBefore && block.first < from);
    if (!isInPlace || block.next <= from) throw malformed(`a block at ${block.first}, not at ${from}`);
    this.#position = block.next;
    this.#mayBeginBefore = false;
    return { type: 'block', block: { ...block, timeMs: this.#timeMs }, from };
  }

  #setTime(timeMs: number): void {
    if (this.#timeMs !== undefined && timeMs < this.#timeMs) throw malformed('time goes back');
    this.#timeMs = timeMs;
  }

  #skip(to: Sequence): Piece {
    const from = this.#position;
    if (to <= from) throw malformed(`places are left out up to ${to}, before ${from}`);
    this.#position = to;
    this.#mayBeginBefore = true;
    return { type: 'skipped', from, to };
  }

  #reach(next: Sequence): Piece {
    if (next !== this.#position) throw malformed(`the end at ${next}, not at ${this.#position}`);
    return { type: 'reached', next };
  }
}

function malformed(what: string): DecodeError {
  return new DecodeError('malformed', what);
}
