import { type Runtime, systemRuntime } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { LostContacts } from '../../src/overlay/lost-contacts.ts';
import { peerId } from '../support/entries.ts';

const HOUR_MS = 3_600_000;
let nowMs = 0;
const runtime: Runtime = { ...systemRuntime, now: () => nowMs };

function contactsOf(count: number): LostContacts {
  const contacts = new LostContacts(runtime);
  for (let index = 0; index < count; index++) contacts.add(peerId(index), [`sim://n${index}`]);
  return contacts;
}

describe('lost contacts', () => {
  it('are remembered with where they were, in the order in which they were lost', () => {
    const contacts = contactsOf(3);
    contacts.add(peerId(0), ['sim://elsewhere']);
    expect(contacts.peers()).toEqual([1, 2, 0].map(peerId));
    expect(contacts.addressesOf(peerId(0))).toEqual(['sim://elsewhere']);
    expect(contacts.addressesOf(peerId('nobody'))).toEqual([]);
  });

  it('without an address are not: there is no way back to them', () => {
    const contacts = new LostContacts(runtime);
    contacts.add(peerId('a'), []);
    expect(contacts.peers()).toEqual([]);
  });

  it('are forgotten when they are found', () => {
    const contacts = contactsOf(2);
    contacts.delete(peerId(0));
    expect(contacts.peers()).toEqual([peerId(1)]);
  });

  it('are forgotten after a day', () => {
    nowMs = 0;
    const contacts = contactsOf(1);
    nowMs = 12 * HOUR_MS;
    contacts.add(peerId('later'), ['sim://later']);
    nowMs = 24 * HOUR_MS;
    expect(contacts.peers()).toEqual([peerId(0), peerId('later')]);
    nowMs = 24 * HOUR_MS + 1;
    expect(contacts.peers()).toEqual([peerId('later')]);
  });

  it('are bounded: beyond 1,024 the one lost first is forgotten', () => {
    const contacts = contactsOf(1_025);
    expect(contacts.peers()).toHaveLength(1_024);
    expect(contacts.addressesOf(peerId(0))).toEqual([]);
    expect(contacts.addressesOf(peerId(1))).toEqual(['sim://n1']);
  });
});
