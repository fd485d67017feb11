import type { Entry } from '../raft/types.ts';
import type { HeldRange } from '../wire/messages.ts';
import type { Slice } from './inquiries.ts';
import { ENTRIES_MAX } from './pace.ts';
import { Work } from './work.ts';

/** Slices that were pulled and wait for one before them. */
const SLICES_AHEAD_MAX = 16;

/** Slices of entries that are to be pulled, handed on in order. */
export class SliceWork extends Work<Slice, HeldRange> {
  readonly #open: Slice[] = [];
  readonly #got = new Map<number, readonly Entry[]>();
  readonly #hand: (entries: readonly Entry[]) => boolean;
  readonly #last: number;
  /** The next index to be handed on. */
  next: number;

  /** `hand` returns false when it takes no more. */
  constructor({ from, to }: Slice, hand: (entries: readonly Entry[]) => boolean) {
    super();
    this.#hand = hand;
    this.#last = to;
    this.next = from;
    for (let first = from; first <= to; first += ENTRIES_MAX)
      this.#open.push({ from: first, to: Math.min(to, first + ENTRIES_MAX - 1) });
  }

  /** Takes what came of a slice, and puts the rest back; nothing of what has come before. */
  got(slice: Slice, entries: readonly Entry[]): void {
    if (this.isOver || this.#hasCome(slice)) return;
    this.#got.set(slice.from, entries);
    const end = slice.from + entries.length;
    if (end <= slice.to) this.#open.unshift({ from: end, to: slice.to });
    this.#handOn();
    // What came late makes room for others, too, and nobody's way with it ends now.
    this.change();
  }

  protected override pick(held: HeldRange): Slice | undefined {
    const isFull = this.#got.size > SLICES_AHEAD_MAX;
    const canGive = ({ from }: Slice): boolean => held.base < from && from <= held.commit;
    const place = this.#open.findIndex((slice) => canGive(slice) && (!isFull || slice.from === this.next));
    const [slice] = place < 0 ? [] : this.#open.splice(place, 1);
    // What was put back may have come late by now.
    return slice !== undefined && this.#hasCome(slice) ? this.pick(held) : slice;
  }

  protected override putBack(slice: Slice): void {
    if (!this.#hasCome(slice)) this.#open.unshift(slice);
  }

  #hasCome({ from }: Slice): boolean {
    return from < this.next || this.#got.has(from);
  }

  #handOn(): void {
    for (let ready = this.#got.get(this.next); ready !== undefined; ready = this.#got.get(this.next)) {
      this.#got.delete(this.next);
      this.next += ready.length;
      if (!this.#hand(ready)) {
        this.finish();
        return;
      }
    }
    if (this.next > this.#last) this.finish();
  }
}
