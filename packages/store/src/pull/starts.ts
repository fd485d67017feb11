import type { Sequence } from '@mosaik/streams';
import type { LogOffer } from '../wire/messages.ts';

/** The first offset that anybody keeps. */
export function firstOf(offers: readonly LogOffer[]): Sequence {
  return Math.min(...offers.map(({ first }) => first));
}

/** Where the log ends: as its producer says, or who is furthest. */
export function endOf(offers: readonly LogOffer[]): Sequence {
  return offers.find(({ isOwn }) => isOwn)?.next ?? Math.max(...offers.map(({ next }) => next));
}

/** The first offset that was kept at the time that was asked for, or later; the end when there is none. */
export function sinceOf(offers: readonly LogOffer[]): Sequence {
  // Who has nothing so late says where it ends, which may be far before the end of the log.
  const found = offers.flatMap(({ since, next }) => (since !== undefined && since < next ? [since] : []));
  return Math.min(endOf(offers), ...found);
}
