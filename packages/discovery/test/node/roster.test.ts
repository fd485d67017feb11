import { createEventStream, type PeerId } from '@mosaik/primitives';
import { createWorld } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { CatalogBook } from '../../src/catalog/book.ts';
import type { DiscoveryEvent } from '../../src/events.ts';
import { Roster } from '../../src/node/roster.ts';
import { entryOf, peerId, signed } from '../support/entries.ts';

const AT = { start: 1, update: 1 };
const LATER = { start: 1, update: 2 };

/** A roster whose clock is moved by hand. */
function setUp() {
  const world = createWorld();
  const clock = { nowMs: 0 };
  const runtime = { ...world.runtime, now: () => clock.nowMs };
  const book = new CatalogBook();
  const gone: [PeerId, string][] = [];
  const roster = new Roster({
    book,
    runtime,
    events: createEventStream<DiscoveryEvent>(),
    transport: world.host('a').transport(),
    onEntry: () => {},
    onGone: (peer, _, reason) => void gone.push([peer, reason]),
  });
  return { roster, book, clock, gone };
}

describe('the last resort', () => {
  it('drops those of whom nothing newer was heard for so long, but not what was put in by hand', async () => {
    const { roster, book, clock, gone } = setUp();
    const [silent, lively, local] = ['silent', 'lively', 'local'].map(peerId) as [PeerId, PeerId, PeerId];
    roster.accept(await signed(entryOf(silent, AT)), 'insert');
    roster.accept(await signed(entryOf(lively, AT)), 'insert');
    roster.insert(entryOf(local, AT));
    clock.nowMs = 200_000;
    roster.accept(await signed(entryOf(lively, LATER)), 'update');
    clock.nowMs = 300_000;
    roster.purge(300_000);
    expect(gone).toEqual([]);
    clock.nowMs = 300_001;
    roster.purge(300_000);
    expect(gone).toEqual([[silent, 'purged']]);
    expect(book.peers().toSorted()).toEqual([lively, local].toSorted());
    // It was gone at this version: only a newer entry brings it back.
    expect(book.tombstone(silent)).toMatchObject({ version: AT });
    clock.nowMs = 700_000;
    roster.purge(300_000);
    expect(book.tombstone(silent)).toBeUndefined();
  });
});

describe('a death', () => {
  it('of an older version than is held is none', async () => {
    const { roster, book, gone } = setUp();
    const peer = peerId('back already');
    roster.accept(await signed(entryOf(peer, LATER)), 'insert');
    roster.bury(peer, AT, 'dead');
    expect([book.size, gone]).toEqual([1, []]);
    roster.bury(peer, LATER, 'dead');
    expect([book.size, gone]).toEqual([0, [[peer, 'dead']]]);
  });
});
