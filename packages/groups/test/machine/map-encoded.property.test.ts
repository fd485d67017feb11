import { DecodeError, decodeCbor, encodeCbor } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createApplier } from '../../src/machine/applier.ts';
import { CommandRejectedError } from '../../src/machine/errors.ts';
import type { ApplyContext } from '../../src/machine/machine.ts';
import { keyValue, type MapCommand } from '../../src/machine/ready/map.ts';
import { readPut } from '../../src/machine/ready/put-bytes.ts';
import { commandEntry, open, run } from './support.ts';

function contextAt(index: number): ApplyContext {
  return { index: index as never, term: 1 as never, now: 0, random: () => 0 };
}

const key = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'é', 'x'.repeat(23), 'x'.repeat(24), 'x'.repeat(5_000)),
  fc.string({ maxLength: 30 }),
);
const value = fc.oneof(
  fc.anything({ maxDepth: 2, withDate: true, withBigInt: true, withTypedArray: true, withMap: true }),
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom<unknown>(undefined, null, true, 0, -1, 2 ** 40, 1.5, 'text', new Uint8Array(70_000)),
);
const command: fc.Arbitrary<MapCommand<unknown>> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ put: key, value }) },
  fc.record({ delete: key }),
  fc.record({ compareAndSet: key, expected: value, value }, { requiredKeys: ['compareAndSet'] }),
);

/** What a call gives, or what it throws. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (thrown) {
    return thrown instanceof CommandRejectedError ? `rejected: ${thrown.reason}` : String(thrown);
  }
}

function encodable(one: MapCommand<unknown>): Uint8Array | undefined {
  try {
    const bytes = encodeCbor(one);
    decodeCbor(bytes);
    return bytes;
  } catch {
    return undefined;
  }
}

describe('the replicated map, from bytes', () => {
  it('does what it does from commands, and writes the results that it gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 20 }), async (commands) => {
        const machine = keyValue();
        const [plain, encoded] = [machine.create(), machine.create()];
        for (const [at, one] of commands.entries()) {
          const bytes = encodable(one);
          if (bytes === undefined) continue;
          const context = contextAt(at + 1);
          const expected = outcomeOf(() => plain.apply(decodeCbor(bytes) as MapCommand<unknown>, context));
          expect(outcomeOf(() => encoded.applyEncoded?.(bytes, context).value())).toEqual(expected);
        }
        const entriesOf = (one: typeof plain) => one.query({ from: '' }, { index: 0 as never });
        expect(entriesOf(encoded)).toEqual(entriesOf(plain));
      }),
      { numRuns: 300 },
    );
  });

  it('has results that are as long as they say, and decode to what they are', () => {
    const { codecs, create } = keyValue<unknown>();
    const map = create();
    for (const [at, one] of [
      { put: 'a', value: 1 },
      { put: 'a', value: new Uint8Array(100).fill(1) },
      { compareAndSet: 'a', expected: 2, value: 3 },
      { delete: 'a' },
      { delete: 'a' },
    ].entries()) {
      const result = map.applyEncoded?.(codecs.command.encode(one as never), contextAt(at + 1));
      const bytes = result?.encode() ?? new Uint8Array(0);
      expect(bytes.length).toBe(result?.byteLength);
      expect(codecs.result.decode(bytes)).toEqual(result?.value());
      expect(bytes).toEqual(encodeCbor(result?.value()));
    }
  });

  it('knows a put by its shape, and keeps no memory of the command', () => {
    const bytes = encodeCbor({ put: 'key-1', value: new Uint8Array(64).fill(7) });
    expect(readPut(bytes)?.key).toBe('key-1');
    expect(decodeCbor(readPut(bytes)?.value as Uint8Array)).toEqual(new Uint8Array(64).fill(7));
    const map = keyValue<Uint8Array>().create();
    map.applyEncoded?.(bytes, contextAt(1));
    bytes.fill(0);
    expect(map.query({ get: 'key-1' }, { index: 1 as never }).entries[0]?.value).toEqual(
      new Uint8Array(64).fill(7),
    );
  });

  it('takes nothing for a put that cannot be decoded, whatever comes', () => {
    const samples = [
      { put: 'a', value: new Uint8Array(300) },
      { put: 'b', value: 300 },
      { put: 'c', value: { d: [1.5, 'é'] } },
    ];
    const changed = fc
      .tuple(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.nat(40),
      )
      .map(([sample, changes, cut]) => {
        const bytes = encodeCbor(sample).slice();
        for (const [at, byte] of changes) bytes[at % Math.min(bytes.length, 20)] = byte;
        return cut > 30 ? bytes.subarray(0, bytes.length - (cut - 30)) : bytes;
      });
    fc.assert(
      fc.property(changed, (bytes) => {
        try {
          const put = readPut(bytes);
          if (put !== undefined) expect(() => decodeCbor(bytes)).not.toThrow();
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it('fails a command that is malformed, and goes on', () => {
    const applier = createApplier({ machine: keyValue(), guard: true });
    const broken = encodeCbor({ put: 'a', value: new Uint8Array(20) }).slice(0, 20);
    const entry = commandEntry(1, [
      open(),
      { ...run(1, 1, []), commands: [broken, encodeCbor({ put: 'a', value: 1 })] } as never,
    ]);
    applier.apply([entry]);
    expect(applier.outcomeOf(1, 1)).toMatchObject({ error: { code: 'ERR_COMMAND_MALFORMED' } });
    expect(applier.outcomeOf(1, 2)).toMatchObject({ kind: 'applied', result: { done: true } });
  });
});
