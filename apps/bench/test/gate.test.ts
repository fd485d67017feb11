import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boundsOf, compare, isPassed } from '../src/gate/compare.ts';
import { differencesOf, readRecords, recordsOf, settingOf, writeRecords } from '../src/gate/records.ts';
import { SELECTION } from '../src/gate/selection.ts';
import { formatCompared } from '../src/gate/table.ts';
import { resultOf } from '../src/result.ts';
import { suites } from '../src/suites/all.ts';

const recorded = { steady: [2, 2.02, 1.98], noisy: [1, 1.5, 1.2] };
const verdictOf = (name: keyof typeof recorded | 'new', ...ratios: number[]) =>
  compare(
    [name],
    recorded,
    ratios.map((ratio) => ({ name, ratio })),
  )[0]?.verdict;

describe('noise', () => {
  it('is a tenth at least, beyond the worst and the best session', () => {
    expect(boundsOf([2, 2.02, 1.98]).low).toBeCloseTo(1.98 / 1.1);
    expect(boundsOf([2, 2.02, 1.98]).high).toBeCloseTo(2.02 * 1.1);
  });

  it('is as wide as the sessions were apart, where that is more', () => {
    expect(boundsOf([1, 1.5]).low).toBeCloseTo(1 / 1.5);
    expect(boundsOf([1, 1.5]).high).toBeCloseTo(1.5 * 1.5);
  });
});

describe('a ratio', () => {
  it('is worse or better only beyond noise', () => {
    expect(verdictOf('steady', 1.81)).toBe('as recorded');
    expect(verdictOf('steady', 1.79)).toBe('worse');
    expect(verdictOf('steady', 2.21)).toBe('as recorded');
    expect(verdictOf('steady', 2.23)).toBe('better');
    expect(verdictOf('noisy', 0.7)).toBe('as recorded');
    expect(verdictOf('noisy', 0.6)).toBe('worse');
  });

  it('counts as the best that was measured', () => {
    expect(verdictOf('steady', 1, 2)).toBe('as recorded');
    expect(verdictOf('steady', 1, 1.2)).toBe('worse');
  });

  it('may be of something new, or of something that has no peer here', () => {
    expect(verdictOf('new', 1)).toBe('not recorded');
    expect(verdictOf('steady')).toBe('not measured');
    expect(verdictOf('steady', Number.NaN)).toBe('not measured');
  });
});

describe('the gate', () => {
  const passes = (...measured: { name: string; ratio: number }[]): boolean =>
    isPassed(compare(['steady', 'noisy'], recorded, measured));

  it('lets pass what is not worse', () => {
    expect(passes({ name: 'steady', ratio: 2 }, { name: 'noisy', ratio: 9 })).toBe(true);
    expect(passes({ name: 'steady', ratio: 2 })).toBe(true);
  });

  it('stops one that is worse among any that are better', () => {
    expect(passes({ name: 'steady', ratio: 1 }, { name: 'noisy', ratio: 9 })).toBe(false);
  });

  it('does not pass for having compared nothing', () => {
    expect(passes()).toBe(false);
    expect(isPassed(compare(['new'], recorded, [{ name: 'new', ratio: 1 }]))).toBe(false);
  });

  it('shows what is worse last, with what was to be expected', () => {
    const compared = compare(['noisy', 'steady'], recorded, [
      { name: 'noisy', ratio: 0.1 },
      { name: 'steady', ratio: 2 },
    ]);
    const lines = formatCompared(compared).split('\n');
    expect(lines.at(-2)).toMatch(/noisy.*1\.00 … 1\.50.*0\.667.*0\.100.*✗ worse/);
    expect(lines.at(-3)).toMatch(/steady.*as recorded/);
  });

  it('selects results that there are', () => {
    const known = suites.flatMap(({ results }) => results);
    expect(SELECTION.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe('the records', () => {
  const setting = settingOf({ nats: undefined, etcd: undefined });
  const resultsOf = (...ratios: readonly (readonly [string, number])[]) =>
    ratios.map(([name, ratio]) =>
      resultOf({ name, unit: 'x', peerName: 'them' }, [{ ours: ratio, peer: 1 }]),
    );

  it('have a ratio of each session, of what all sessions could measure', () => {
    const { ratios } = recordsOf(
      [resultsOf(['a', 1], ['b', 1]), resultsOf(['a', 1.23456], ['b', Number.NaN])],
      { recordedOn: '2026-01-01', setting, runs: 5 },
    );
    expect(ratios).toEqual({ a: [1, 1.235] });
  });

  it('survive their file, and say when it is another', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mosaik-gate-'));
    try {
      const file = join(folder, 'recorded.json');
      expect(() => readRecords(file)).toThrow(/nothing was recorded yet/);
      const records = recordsOf([resultsOf(['a', 1])], { recordedOn: '2026-01-01', setting, runs: 5 });
      writeRecords(records, file);
      expect(readRecords(file)).toEqual(records);
      for (const bad of ['{}', '[]', '{"ratios":{"a":[]},"setting":{},"recordedOn":""}', 'null']) {
        writeFileSync(file, bad);
        expect(() => readRecords(file)).toThrow(/is not what/);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('tell when they are of another machine', () => {
    expect(differencesOf(setting, setting)).toEqual([]);
    expect(differencesOf({ ...setting, cores: 64 }, { ...setting, cores: 2 })).toEqual(['cores: 64, not 2']);
  });
});
