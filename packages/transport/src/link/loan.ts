/** Loans by the memory that is lent. Weak, as most never come back: what still has bytes of one is simply collected with it. */
const loans = new WeakMap<ArrayBufferLike, Loan>();

/**
 * Memory whose bytes are given to links, and that can be had back once all of them have left.
 *
 * A link holds what it is given until it has been written to a socket, and whoever gave it never learns when; so memory for bulk is taken
 * anew all the time and left to the garbage collector, which has to go through all of the heap to find it. A transport that
 * has copied bytes out says so here ({@link giveBack}), by where they lie. One that says nothing, such as Noise or one that hands them
 * to the other side as they are, leaves things as they were: the loan does not end, and the memory is collected.
 */
export interface Loan {
  /** Says that so many bytes of it are given away, once for each who gets them. */
  give(bytes: number): void;
  /** Says that so many of them are not in use any more. */
  returned(bytes: number): void;
  /** Nothing else will be given; the loan ends when all that was has come back. */
  close(): void;
}

/** Lends memory; `onEnd` is called when all that was given of it has come back, and the loan is closed. */
export function lend(memory: Uint8Array, onEnd: () => void): Loan {
  let givenBytes = 0;
  let isClosed = false;
  const endIfDone = (): void => {
    if (!isClosed || givenBytes !== 0) return;
    loans.delete(memory.buffer);
    onEnd();
  };
  const loan: Loan = {
    give: (bytes) => {
      givenBytes += bytes;
    },
    returned: (bytes) => {
      givenBytes -= bytes;
      endIfDone();
    },
    close: () => {
      isClosed = true;
      endIfDone();
    },
  };
  loans.set(memory.buffer, loan);
  return loan;
}

/** Whether these bytes are of memory that somebody wants back. */
export function isLent(bytes: Uint8Array): boolean {
  return loans.has(bytes.buffer);
}

/** To be called once for bytes that were given to a link, by whoever has written them out and holds them no more. */
export function giveBack(bytes: Uint8Array): void {
  loans.get(bytes.buffer)?.returned(bytes.length);
}
