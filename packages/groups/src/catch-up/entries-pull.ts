import { createLog, type Runtime, toError } from '@mosaik/primitives';
import type { Replica } from '../driver/replica.ts';
import type { Entry, MemberId, Term } from '../raft/types.ts';
import type { HeldRange } from '../wire/messages.ts';
import { Company } from './company.ts';
import type { Inquiries, Slice } from './inquiries.ts';
import type { Paces } from './pace.ts';
import { SliceWork } from './slice-work.ts';
import type { Delivery, Source } from './source.ts';

const log = createLog('groups:catch-up');

/** What both ways of pulling need. */
export interface PullOptions {
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  readonly inquiries: Inquiries;
  readonly replica: Replica;
  readonly paces: Paces;
  readonly members: () => readonly MemberId[];
  readonly leader: MemberId;
}

interface Wanted extends Slice {
  readonly holders: readonly Holder[];
  /** Told how many the core has taken. */
  readonly onTaken: (count: number) => void;
}

/** A member that has something, and how sure it is of it. */
export interface Holder {
  readonly id: MemberId;
  readonly held: HeldRange;
}

/** Pulls committed entries from all that have them, in slices. */
export class EntriesPull {
  readonly #options: PullOptions;
  readonly #holders: readonly Holder[];
  /** The highest in which a holder said what it holds: its leader has all of it. */
  #term: Term;
  readonly #last: number;
  readonly #work: SliceWork;
  readonly #onTaken: (count: number) => void;

  constructor(options: PullOptions, { from, to, holders, onTaken }: Wanted) {
    this.#options = options;
    this.#holders = holders;
    this.#onTaken = onTaken;
    this.#term = Math.max(...holders.map(({ held }) => held.term)) as Term;
    this.#last = Math.min(to, Math.max(...holders.map(({ held }) => held.commit)));
    this.#work = new SliceWork({ from, to: this.#last }, (entries) => this.#hand(entries));
  }

  async run(): Promise<void> {
    const company = new Company<Slice, HeldRange>({
      ...this.#options,
      work: this.#work,
      // It has enough to do.
      lastResort: this.#options.leader,
      invite: (id) => this.#invite(id),
      pull: (source, slice) => this.#pull(source, slice),
      isOfUse: () => this.#options.replica.commit < this.#last,
    });
    for (const { id, held } of this.#firstAsked()) company.hire(id, held);
    await company.done();
  }

  #firstAsked(): readonly Holder[] {
    const others = this.#holders.filter(({ id }) => id !== this.#options.leader);
    return others.length > 0 ? others : this.#holders;
  }

  /** What one of a later term holds may have been committed in that term, and is handed on as of this one. */
  async #invite(id: MemberId): Promise<HeldRange | undefined> {
    const held = await this.#options.inquiries.range(id);
    // Whoever leads a later term has all that was committed before.
    if (held !== undefined && id === this.#options.leader)
      this.#term = Math.max(this.#term, held.term) as Term;
    return held !== undefined && held.term <= this.#term ? held : undefined;
  }

  async #pull(source: Source, slice: Slice): Promise<Delivery> {
    const late = (entries: readonly Entry[], afterMs: number): void =>
      source.judgeLate(this.#takeLate(slice, entries), afterMs);
    const to = Math.min(slice.to, slice.from + source.pace.entries - 1);
    const entries = await this.#options.inquiries.entries(source, { from: slice.from, to }, late);
    return entries === undefined ? 'lost' : this.#take(slice, entries);
  }

  #takeLate(slice: Slice, entries: readonly Entry[]): Delivery {
    try {
      return this.#take(slice, entries);
    } catch (thrown) {
      log('entries from %d, late: %s', slice.from, toError(thrown).message);
      this.#work.finish();
      return 'unfit';
    }
  }

  #take(slice: Slice, entries: readonly Entry[]): Delivery {
    if (entries.length === 0) return 'unfit';
    this.#work.got(slice, entries);
    return 'came';
  }

  #hand(entries: readonly Entry[]): boolean {
    const { signal, replica } = this.#options;
    if (signal.aborted || !replica.catchUp({ entries, term: this.#term })) return false;
    this.#onTaken(entries.length);
    return true;
  }
}
