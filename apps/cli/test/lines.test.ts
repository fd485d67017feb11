import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Line, lineRuns } from '../src/pub/lines.ts';
import { parseLine } from '../src/pub/parse.ts';

async function linesOf(chunks: readonly Uint8Array[]): Promise<Line[]> {
  return (await Array.fromAsync(lineRuns(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))))).flat();
}

describe('lines of an input', () => {
  const text = '\uFEFFone\n\nzwei ü\r\n三\nlast';
  const expected = ['\uFEFFone', '', 'zwei ü\r', '三', 'last'];

  it('are the same wherever its chunks are cut, also within a character', async () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      expect(await linesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
    }
    expect(await linesOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('may end with a line end, which begins no other line', async () => {
    expect(await linesOf([Buffer.from('a\nb\n')])).toEqual(['a', 'b']);
    expect(await linesOf([])).toEqual([]);
  });

  it('that are no UTF-8 stay bytes, and their neighbours text', async () => {
    const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from([0xff, 0xfe]), Buffer.from('\nb\n')]);
    expect(await linesOf([bytes])).toEqual(['a', Uint8Array.of(0xff, 0xfe), 'b']);
  });

  it('that do not fit into a datum are refused by number', async () => {
    const long = Buffer.alloc(17 * 1024 * 1024, 'x');
    await expect(linesOf([Buffer.from('a\n'), long])).rejects.toThrow('line 2 is larger than 16 MiB');
  });
});

describe('a line of NDJSON', () => {
  it('is a value, nothing when it is blank, or a problem', () => {
    expect(parseLine('{"a":1}', 'ndjson')).toEqual({ datum: { a: 1 } });
    expect(parseLine('  ', 'ndjson')).toBeUndefined();
    expect(parseLine('{"a"', 'ndjson')).toEqual({ problem: expect.any(String) });
    expect(parseLine(Uint8Array.of(0xff), 'ndjson')).toEqual({ problem: 'not UTF-8' });
    expect(parseLine('{"a"', 'lines')).toEqual({ datum: '{"a"' });
  });
});
