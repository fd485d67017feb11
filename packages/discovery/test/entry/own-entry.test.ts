import { InvalidArgumentError, streamId, tag, uniqueId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { ENTRY_LIMITS } from '../../src/entry/entry-codec.ts';
import { OwnEntry } from '../../src/entry/own-entry.ts';
import type { PeerEntry } from '../../src/entry/peer-entry.ts';
import { readSignedEntry } from '../../src/entry/signed-entry.ts';
import { NETWORK, peerId, signed } from '../support/entries.ts';

const VERSION = { start: 1, update: 2 };

function own(): OwnEntry {
  return new OwnEntry(NETWORK, peerId('self'));
}

/** As others read it. */
async function asRead(entry: OwnEntry, addresses: string[] = []): Promise<PeerEntry> {
  const { bytes } = await signed(entry.build(VERSION, addresses));
  return readSignedEntry(bytes).entry;
}

describe('tags', () => {
  it('are added and removed once, and their names go with them', async () => {
    const entry = own();
    expect(entry.addTags(['a', 'b'])).toBe(true);
    expect(entry.addTags(['a'])).toBe(false);
    expect(await asRead(entry)).toMatchObject({ tags: [tag('a'), tag('b')], names: { [tag('a')]: 'a' } });
    expect(entry.removeTags(['a', 'c'])).toBe(true);
    expect(entry.removeTags(['a'])).toBe(false);
    expect((await asRead(entry)).tags).toEqual([tag('b')]);
  });

  it('given by id have no name', async () => {
    const entry = own();
    entry.addTags([tag('a')]);
    expect(await asRead(entry)).toMatchObject({ tags: [tag('a')], names: {} });
  });

  it('whose names are long, or no proper text, are announced with what can be said of them', async () => {
    const entry = own();
    const cut = `${'x'.repeat(ENTRY_LIMITS.nameCharacters - 1)}😀 and more`;
    entry.addTags([cut, 'half of 😀: \ud83d']);
    const { names } = await asRead(entry);
    expect(Object.values(names).every((name) => name.isWellFormed())).toBe(true);
    expect(names[tag(cut)]?.startsWith('xxx')).toBe(true);
  });
});

describe('offers', () => {
  it('are shown until the last that holds them withdraws', async () => {
    const entry = own();
    const offer = { kind: 'stream', id: streamId('prices'), name: 'prices' } as const;
    expect(entry.offer(offer)).toBe(true);
    expect(entry.offer(offer)).toBe(false);
    expect(entry.withdraw(offer.id)).toBe(false);
    expect((await asRead(entry)).streams).toEqual([offer.id]);
    expect(entry.withdraw(offer.id)).toBe(true);
    expect(entry.withdraw(offer.id)).toBe(false);
    expect((await asRead(entry)).streams).toEqual([]);
  });
});

describe('tickets', () => {
  it('are added, and removed by a predicate', async () => {
    const entry = own();
    const [red, blue] = [uniqueId('red'), uniqueId('blue')];
    entry.addTicket({ class: red, data: new Uint8Array([1]) });
    entry.addTicket({ class: blue, data: new Uint8Array([2]), expiresAtMs: 5 });
    expect(entry.removeTickets((ticket) => ticket.class === red)).toBe(true);
    expect(entry.removeTickets((ticket) => ticket.class === red)).toBe(false);
    expect((await asRead(entry)).tickets).toEqual([
      { class: blue, data: new Uint8Array([2]), expiresAtMs: 5 },
    ]);
  });
});

describe('what others would refuse is refused here, and changes nothing:', () => {
  const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `tag ${index}`);

  it('more tags than an entry has room for', async () => {
    const entry = own();
    expect(() => entry.addTags(numbered(ENTRY_LIMITS.ids + 1))).toThrow(InvalidArgumentError);
    expect((await asRead(entry)).tags).toEqual([]);
  });

  it('tags, tickets and offers that make the entry too large', async () => {
    const entry = own();
    expect(() => entry.addTags(numbered(ENTRY_LIMITS.ids))).toThrow(InvalidArgumentError);
    const ticket = { class: uniqueId('large'), data: new Uint8Array(ENTRY_LIMITS.ticketBytes) };
    for (let count = 0; count < 3; count++) entry.addTicket(ticket);
    expect(() => entry.addTicket(ticket)).toThrow(/entry/);
    for (let index = 0; ; index++) {
      try {
        entry.offer({ kind: 'stream', id: streamId(`stream ${index}`), name: `stream ${index}` });
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidArgumentError);
        break;
      }
    }
    const addresses = Array.from({ length: ENTRY_LIMITS.addresses }, () => 'x'.repeat(80));
    const read = await asRead(entry, addresses);
    expect(read.tickets).toHaveLength(3);
    expect(read.streams.length).toBeGreaterThan(50);
  });

  it('not: more names than an entry may have; the rest goes without', async () => {
    const entry = own();
    const short = Array.from({ length: 700 }, (_, index) => index.toString(36));
    entry.addTags(short);
    const read = await asRead(entry);
    expect(read.tags).toHaveLength(700);
  });

  it('more tickets than an entry has room for, and one that is too large', () => {
    const entry = own();
    const small = { class: uniqueId('small'), data: new Uint8Array(1) };
    for (let count = 0; count < ENTRY_LIMITS.tickets; count++) entry.addTicket(small);
    expect(() => entry.addTicket(small)).toThrow(InvalidArgumentError);
    const large = { class: uniqueId('large'), data: new Uint8Array(ENTRY_LIMITS.ticketBytes + 1) };
    expect(() => own().addTicket(large)).toThrow(InvalidArgumentError);
  });
});
