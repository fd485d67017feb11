import { idFromBytes, type UniqueId } from '@mosaik/primitives';
import fc from 'fast-check';
import type { PeerEntry, Ticket } from '../../src/entry/peer-entry.ts';

const times = fc.oneof(
  fc.nat({ max: 1_000 }),
  fc.nat({ max: 2 ** 31 - 1 }).map((ms) => 1_700_000_000_000 + ms),
);

function ids<Id extends UniqueId>(): fc.Arbitrary<Id> {
  return fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => idFromBytes<Id>(bytes));
}

const wellFormed = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: 'binary', maxLength });

const tickets: fc.Arbitrary<Ticket> = fc
  .record({
    class: ids(),
    data: fc.uint8Array({ maxLength: 64 }),
    expiresAtMs: fc.option(times, { nil: undefined }),
  })
  .map(({ expiresAtMs, ...ticket }) => (expiresAtMs === undefined ? ticket : { ...ticket, expiresAtMs }));

/** Entries as a node may make them. */
export const entries: fc.Arbitrary<PeerEntry> = fc
  .record({
    format: fc.constant(1),
    network: ids<PeerEntry['network']>(),
    peer: ids<PeerEntry['peer']>(),
    times: fc.tuple(times, times),
    addresses: fc.array(wellFormed(80), { maxLength: 8 }),
    tags: fc.array(ids<PeerEntry['tags'][number]>(), { maxLength: 8 }),
    streams: fc.array(ids<PeerEntry['streams'][number]>(), { maxLength: 8 }),
    groups: fc.array(ids<PeerEntry['groups'][number]>(), { maxLength: 8 }),
    stores: fc.array(ids<PeerEntry['stores'][number]>(), { maxLength: 8 }),
    tickets: fc.array(tickets, { maxLength: 4 }),
    names: fc.dictionary(ids(), wellFormed(32), { maxKeys: 8 }).map((names) => ({ ...names })),
    isDeparted: fc.boolean(),
  })
  .map(({ times: [a, b], ...fields }) => ({
    ...fields,
    version: { start: Math.min(a, b), update: Math.max(a, b) },
  }));
