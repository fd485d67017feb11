import { DecodeError } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SESSION_LIMITS, SessionTable } from '../../src/machine/applier/session-table.ts';
import { decodeThrown, encodeThrown } from '../../src/machine/applier/thrown.ts';
import {
  type CommandRecord,
  decodeEntry,
  decodeRecords,
  encodeEntry,
  encodeRecord,
} from '../../src/machine/commands.ts';
import { CommandRejectedError } from '../../src/machine/errors.ts';
import {
  checked,
  decodeEntries,
  decodeHead,
  encodeEntries,
  encodeHead,
  withChecksum,
} from '../../src/sqlite/layout.ts';
import { entries, metaAt } from '../../src/storage/compliance/kit.ts';
import { hashChunk, manifestOf } from '../../src/storage/manifest.ts';
import { decodeMark, encodeMark, frameRecord, readRecords } from '../../src/storage/simulated/records.ts';
import { decodeSnapshot, encodeSnapshot } from '../../src/storage/snapshot-codec.ts';

const RUNS = process.env['MOSAIK_SIM'] === 'long' ? 20_000 : 1_000;
const bytes = fc.uint8Array({ maxLength: 60 });
const safe = fc.maxSafeNat();

const record: fc.Arbitrary<CommandRecord> = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }) }),
  fc.record({ kind: fc.constant('close' as const), session: safe }),
  fc
    .tuple(safe, fc.integer({ min: 1, max: 2 ** 50 }), fc.nat(), fc.array(bytes, { maxLength: 5 }))
    .map(([session, sequence, settled, commands]) => ({
      kind: 'run' as const,
      session,
      sequence,
      settled: settled % sequence,
      commands,
    })),
);

/** Valid encodings, of which some are changed. */
const samples: Record<string, { decode: (bytes: Uint8Array) => unknown; sample: Uint8Array }> = {
  'entries of commands': {
    decode: decodeEntry,
    sample: encodeEntry(1_700_000_000_000, [
      encodeRecord({ kind: 'open', nonce: new Uint8Array(16) }),
      encodeRecord({
        kind: 'run',
        session: 7,
        sequence: 300,
        settled: 20,
        commands: [Uint8Array.of(1, 2, 3)],
      }),
    ]),
  },
  records: { decode: decodeRecords, sample: encodeRecord({ kind: 'close', session: 300 }) },
  'session tables': { decode: (raw) => SessionTable.decode(raw, SESSION_LIMITS), sample: someTable() },
  'what was thrown': {
    decode: decodeThrown,
    sample: encodeThrown(new CommandRejectedError('no', 'not now')),
  },
  heads: { decode: decodeHead, sample: someHead() },
  'runs of entries': { decode: (raw) => [...decodeEntries(raw)], sample: encodeEntries(entries(1, 5)) },
  snapshots: {
    decode: decodeSnapshot,
    sample: encodeSnapshot({ meta: metaAt(9), manifest: manifestOf(3, [hashChunk(Uint8Array.of(1, 2, 3))]) }),
  },
  checksums: { decode: checked, sample: withChecksum(Uint8Array.of(1, 2, 3)) },
  'records on a disk': {
    decode: readRecords,
    sample: frameRecord(1, { kind: 'batch', batch: { entries: entries(1, 3) } }),
  },
  'marks on a disk': { decode: decodeMark, sample: encodeMark(12_345) },
};

function someTable(): Uint8Array {
  const table = new SessionTable(SESSION_LIMITS);
  table.open({ index: 5 as never, nowMs: 1_000 });
  table.get(1)?.settle({ kind: 'applied', index: 5 as never, encoded: Uint8Array.of(1, 2) }, SESSION_LIMITS);
  return table.encode();
}

function someHead(): Uint8Array {
  return encodeHead({
    group: 'ab'.repeat(32) as never,
    incarnation: 'cd'.repeat(16) as never,
    sequence: 77,
    hardState: { term: 5 as never, vote: 'ann' as never },
    base: { index: 3 as never, term: 2 as never },
    lastIndex: 9 as never,
    commit: 8 as never,
    snapshot: 4,
  });
}

describe.each(Object.entries(samples))('the decoder of %s', (_name, { decode, sample }) => {
  const survives = (raw: Uint8Array) => {
    try {
      decode(raw);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(DecodeError);
    }
  };

  it('reads its sample', () => {
    expect(() => decode(sample)).not.toThrow();
  });

  it('throws a DecodeError and nothing else, whatever the bytes', () => {
    fc.assert(fc.property(bytes, survives), { numRuns: RUNS });
    fc.assert(
      fc.property(fc.nat(sample.length), fc.uint8Array({ maxLength: 9 }), (at, noise) => {
        survives(
          Uint8Array.from([...sample.subarray(0, at), ...noise, ...sample.subarray(at + noise.length)]),
        );
        survives(sample.subarray(0, at));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the decoder of entries of commands', () => {
  it('reads what was written', () => {
    fc.assert(
      fc.property(safe, fc.array(record, { maxLength: 8 }), (nowMs, records) => {
        const decoded = decodeEntry(encodeEntry(nowMs, records.map(encodeRecord)));
        expect(decoded).toEqual({ nowMs, records });
        expect(decodeRecords(Uint8Array.from(Buffer.concat(records.map(encodeRecord))))).toEqual(records);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the decoder of runs of entries', () => {
  it('finds every bit that is flipped', () => {
    const whole = encodeEntries(entries(120, 130, 7));
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const flipped = Uint8Array.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => [...decodeEntries(flipped)]).toThrow(DecodeError);
    }
  });
});
