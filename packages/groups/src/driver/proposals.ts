import { Ring } from '../client/ring.ts';
import { encodeEntry } from '../machine/commands.ts';
import type { ProposeResult } from '../raft/raft.ts';

/**
 * Bytes of commands in one entry, about; what is more goes into the next. Small enough that while one entry is applied the
 * next are on their way, and large enough that what each costs besides its commands is little.
 */
const ENTRY_BYTES = 16 * 1024;
/** Bytes that wait to be proposed; beyond, records are not taken. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/**
 * Entries that were proposed and not applied yet, above which commands wait for company: with many in flight another
 * small entry would only add its cost, not come through any sooner.
 */
const ENTRIES_IN_FLIGHT = 4;

interface ProposalsOptions {
  readonly propose: (entries: readonly Uint8Array[]) => ProposeResult;
  readonly wallNow: () => number;
  /** The highest index that was applied. */
  readonly applied: () => number;
}

/** What a leader has been given and not proposed yet: puts the records of many members into few entries. */
export class Proposals {
  readonly #options: ProposalsOptions;
  readonly #records = new Ring<Uint8Array>();
  #bytes = 0;
  #lastProposed = 0;

  constructor(options: ProposalsOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a record, or several in a row; false when there is no room. */
  add(records: Uint8Array): boolean {
    if (this.#bytes >= WAITING_BYTES_MAX) return false;
    this.#records.push(records);
    this.#bytes += records.length;
    return true;
  }

  /** Proposes what waits, unless it is better held back. */
  flush(): void {
    while (this.#bytes > 0 && this.#isDue()) if (!this.#proposeOne()) return;
  }

  /** This member does not lead any more: whoever sent them sends them again, to who does. */
  clear(): void {
    this.#records.drain();
    this.#bytes = 0;
    this.#lastProposed = 0;
  }

  #isDue(): boolean {
    if (this.#bytes >= ENTRY_BYTES) return true;
    return this.#lastProposed - this.#options.applied() < ENTRIES_IN_FLIGHT;
  }

  #proposeOne(): boolean {
    const taken: Uint8Array[] = [];
    let bytes = 0;
    for (let place = 0; place < this.#records.length && bytes < ENTRY_BYTES; place++) {
      const record = this.#records.at(place) as Uint8Array;
      taken.push(record);
      bytes += record.length;
    }
    const nowMs = Math.max(0, Math.floor(this.#options.wallNow()));
    const result = this.#options.propose([encodeEntry(nowMs, taken)]);
    // Overloaded, or leadership is being handed over: they wait here, until that is over or another one leads.
    if (!result.ok) return false;
    this.#lastProposed = result.index + result.count - 1;
    for (const _ of taken) this.#records.shift();
    this.#bytes -= bytes;
    return true;
  }
}
