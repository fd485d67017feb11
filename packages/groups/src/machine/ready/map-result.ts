import { decodeCbor, encodeCbor } from '@mosaik/primitives';
import type { EncodedResult } from '../machine.ts';

/** What became of a key. */
export interface MapResult<Value> {
  /** Whether the command changed, or confirmed, what it was for: false for a comparison that failed, a delete of nothing. */
  readonly done: boolean;
  /** The value before; absent where there was none. */
  readonly before?: Value;
}

const DONE = encodeCbor({ done: true });
const NOT_DONE = encodeCbor({ done: false });
const BEFORE = encodeCbor('before');
/** The head of a map of two entries. */
const TWO = 0xa2;

/** A {@link MapResult} whose value before is as the cell held it. */
export class EncodedMapResult<Value> implements EncodedResult<MapResult<Value>> {
  readonly #isDone: boolean;
  readonly #before: Uint8Array | undefined;

  constructor(isDone: boolean, before: Uint8Array | undefined) {
    this.#isDone = isDone;
    this.#before = before;
  }

  get byteLength(): number {
    const before = this.#before;
    return before === undefined ? this.#head.length : this.#head.length + BEFORE.length + before.length;
  }

  encode(): Uint8Array {
    const head = this.#head;
    const before = this.#before;
    if (before === undefined) return head;
    const bytes = new Uint8Array(this.byteLength);
    bytes.set(head);
    bytes[0] = TWO;
    bytes.set(BEFORE, head.length);
    bytes.set(before, head.length + BEFORE.length);
    return bytes;
  }

  value(): MapResult<Value> {
    const done = this.#isDone;
    return this.#before === undefined ? { done } : { done, before: decodeCbor(this.#before) as Value };
  }

  get #head(): Uint8Array {
    return this.#isDone ? DONE : NOT_DONE;
  }
}
