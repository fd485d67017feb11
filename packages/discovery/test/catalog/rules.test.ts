import { networkId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { judge, type RuleContext, type Verdict } from '../../src/catalog/rules.ts';
import type { EntryVersion, PeerEntry } from '../../src/entry/peer-entry.ts';
import { entryOf, NETWORK, peerId } from '../support/entries.ts';

const NOW_MS = 1_800_000_000_000;
const DRIFT_MS = 10_000;
const PURGE_MS = 300_000;

const at = (start: number, update: number): EntryVersion => ({
  start: NOW_MS + start,
  update: NOW_MS + update,
});

interface Case {
  readonly what: string;
  readonly version: EntryVersion;
  readonly fields?: Partial<PeerEntry>;
  readonly held?: EntryVersion;
  readonly buried?: EntryVersion;
  readonly verdict: Verdict;
}

const cases: readonly Case[] = [
  { what: 'of an unknown peer', version: at(-5, -5), verdict: 'insert' },
  { what: 'newer by its update', version: at(-50, -5), held: at(-50, -6), verdict: 'update' },
  { what: 'newer by its start', version: at(-5, -5), held: at(-50, -6), verdict: 'update' },
  { what: 'that is held already', version: at(-50, -6), held: at(-50, -6), verdict: 'equal' },
  { what: 'older by its update', version: at(-50, -7), held: at(-50, -6), verdict: 'older' },
  {
    what: 'older by its start, though made later',
    version: at(-50, -1),
    held: at(-20, -20),
    verdict: 'older',
  },
  {
    what: 'of another network',
    version: at(-5, -5),
    fields: { network: networkId('another') },
    verdict: 'foreign',
  },
  { what: 'of this node', version: at(-5, -5), fields: { peer: peerId('self') }, verdict: 'self' },
  {
    what: 'of this node in another network',
    version: at(-5, -5),
    fields: { peer: peerId('self'), network: networkId('another') },
    verdict: 'foreign',
  },
  { what: 'as far ahead as clocks may differ', version: at(0, DRIFT_MS), verdict: 'insert' },
  { what: 'further ahead', version: at(0, DRIFT_MS + 1), verdict: 'future' },
  { what: 'further ahead, of a held peer', version: at(0, DRIFT_MS + 1), held: at(0, 0), verdict: 'future' },
  { what: 'as old as an entry may become', version: at(-PURGE_MS, -PURGE_MS), verdict: 'insert' },
  { what: 'older than that', version: at(-PURGE_MS - 1, -PURGE_MS - 1), verdict: 'stale' },
  { what: 'of a process that runs for long', version: at(-10 * PURGE_MS, -1), verdict: 'insert' },
  {
    what: 'that says goodbye, of a held peer',
    version: at(-50, -5),
    held: at(-50, -6),
    fields: { isDeparted: true },
    verdict: 'depart',
  },
  {
    what: 'that says goodbye, of an unknown peer',
    version: at(-50, -5),
    fields: { isDeparted: true },
    verdict: 'depart',
  },
  {
    what: 'that says goodbye in the name of an earlier life',
    version: at(-50, -5),
    held: at(-40, -40),
    fields: { isDeparted: true },
    verdict: 'older',
  },
  { what: 'of a peer buried at this version', version: at(-50, -5), buried: at(-50, -5), verdict: 'buried' },
  { what: 'of a peer buried later', version: at(-50, -6), buried: at(-50, -5), verdict: 'buried' },
  { what: 'newer than the grave', version: at(-50, -4), buried: at(-50, -5), verdict: 'insert' },
  { what: 'of a new life after the grave', version: at(-3, -3), buried: at(-50, -5), verdict: 'insert' },
  {
    what: 'that says goodbye again',
    version: at(-50, -5),
    buried: at(-50, -5),
    fields: { isDeparted: true },
    verdict: 'buried',
  },
];

describe('an entry', () => {
  it.each(cases)('$what: $verdict', ({ version, fields, held, buried, verdict }) => {
    const context: RuleContext = {
      network: NETWORK,
      self: peerId('self'),
      wallNowMs: NOW_MS,
      maxTimeDriftMs: DRIFT_MS,
      purgeAfterMs: PURGE_MS,
      held,
      buried,
    };
    const { peer = peerId('a'), ...rest } = fields ?? {};
    expect(judge(entryOf(peer, version, rest), context)).toBe(verdict);
  });
});
