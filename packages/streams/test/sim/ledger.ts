import type { DatumRecord, Epoch, Gap } from '../../src/index.ts';

/** What travels in the swarm. */
export interface Parcel {
  /** The name of the producer's host. */
  readonly from: string;
  readonly index: number;
  /** What criteria ask for. */
  readonly kind: number;
  /** So many bytes that tell from which parcel they are. */
  readonly body?: Uint8Array;
}

/** A body of up to `bytesMax` bytes. */
export function bodyOf(index: number, bytesMax: number): Uint8Array {
  return new Uint8Array((index * 7_919) % bytesMax).fill(index);
}

/** What a producer sent in one life: the place in the list is the sequence. */
export type Sent = Map<Epoch, Parcel[]>;

/** What one life of a consumer saw, in order. */
export type Seen = readonly (DatumRecord<Parcel> | Gap)[];

/**
 * Checks what a consumer saw of one producer against what that producer sent: in order, once, as it was sent, and from
 * the first sight on without holes but for reported gaps and what its criteria left out.
 */
export function checkSeen(seen: Seen, sent: Sent, isWanted: (parcel: Parcel) => boolean): void {
  let epoch: Epoch | undefined;
  let next = 0;
  /** A gap without an end covers the rest of its epoch, and epochs that were never seen. */
  let isOpen = false;
  for (const record of seen) {
    if (record.epoch !== epoch) {
      if (epoch !== undefined && !isOpen) requireLeftOut(sent.get(epoch)?.slice(next), isWanted);
      next = epoch === undefined ? firstOf(record) : 0;
      epoch = record.epoch;
    } else if (isOpen) {
      throw new Error(`a record of epoch ${record.epoch} after its end was missed`);
    }
    isOpen = record.type === 'gap' && record.to === undefined;
    next = follow(record, sent, next, isWanted);
  }
}

function firstOf(record: DatumRecord<Parcel> | Gap): number {
  return record.type === 'gap' ? record.from : record.sequence;
}

function follow(
  record: DatumRecord<Parcel> | Gap,
  sent: Sent,
  next: number,
  isWanted: (parcel: Parcel) => boolean,
): number {
  const first = firstOf(record);
  if (first < next) throw new Error(`${record.type} at ${first}, after everything below ${next}`);
  requireLeftOut(sent.get(record.epoch)?.slice(next, first), isWanted);
  if (record.type === 'gap') return record.to ?? Number.POSITIVE_INFINITY;
  const parcel = sent.get(record.epoch)?.[record.sequence];
  const [was, came] = [parcel, record.datum].map((datum) => JSON.stringify(datum));
  if (was !== came) throw new Error(`at ${record.sequence} ${was} was sent, ${came} came`);
  return record.sequence + 1;
}

function requireLeftOut(parcels: readonly Parcel[] | undefined, isWanted: (parcel: Parcel) => boolean): void {
  const missing = parcels?.find(isWanted);
  if (missing !== undefined) throw new Error(`lost without a word: ${JSON.stringify(missing)}`);
}
