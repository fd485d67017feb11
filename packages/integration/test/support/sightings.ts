import type { DatumRecord, Epoch, Gap } from '@mosaik/streams';

/** How far a consumer came in one life of a producer. */
export interface EpochSeen {
  /** What comes next; what was told as a gap is behind it. */
  readonly next: number;
  readonly data: number;
  /** Data that were told to be missing. */
  readonly missing: number;
  /** It was told that the rest is missing, and nobody knows how much that is. */
  readonly isCutOff: boolean;
}

/** What a consumer saw, as its process tells it: by life of the producer. */
export interface SightingsReport {
  readonly epochs: Readonly<Record<Epoch, EpochSeen>>;
  /** What did not follow on what came before it, the first few. */
  readonly misplaced: readonly string[];
}

const MISPLACED_MAX = 10;

/** Counts what a consumer sees, and checks that each record follows on the one before it. */
export class Sightings {
  readonly #epochs = new Map<Epoch, EpochSeen>();
  readonly #misplaced: string[] = [];

  /** Takes the next record. Producers count from 0: a datum says its place. */
  note(record: DatumRecord<{ readonly n: number }> | Gap): void {
    const first = record.type === 'gap' ? record.from : record.sequence;
    const seen = this.#epochs.get(record.epoch) ?? { next: first, data: 0, missing: 0, isCutOff: false };
    const isRight = record.type === 'gap' || record.datum.n === first;
    if ((first !== seen.next || seen.isCutOff || !isRight) && this.#misplaced.length < MISPLACED_MAX)
      this.#misplaced.push(`${JSON.stringify(record)} after ${JSON.stringify(seen)}`);
    this.#epochs.set(record.epoch, after(record, seen, first));
  }

  get report(): SightingsReport {
    return { epochs: Object.fromEntries(this.#epochs), misplaced: this.#misplaced };
  }
}

function after(record: DatumRecord<unknown> | Gap, seen: EpochSeen, first: number): EpochSeen {
  if (record.type === 'datum') return { ...seen, next: first + 1, data: seen.data + 1 };
  const { to } = record;
  if (to === undefined) return { ...seen, isCutOff: true };
  return { ...seen, next: to, missing: seen.missing + to - first };
}
