import { describe, expect, it } from 'vitest';
import { isWanted, readOptions, selectedOf, UsageError, usageOf } from '../src/options.ts';
import { resultOf } from '../src/result.ts';
import { runSuites } from '../src/run.ts';
import type { Suite } from '../src/suite.ts';

const peers = { nats: undefined, etcd: undefined };

/** A suite whose results take no time, and one of which cannot be had. */
const suite: Suite = {
  name: 'a',
  about: 'a test',
  results: ['a/1', 'a/2', 'a/3'],
  async run(context) {
    for (const name of this.results) {
      await context.measure([name], async () => {
        if (name === 'a/2') throw new Error('no luck');
        return [resultOf({ name, unit: 'x', peerName: 'them' }, [{ ours: 1, peer: 1 }])];
      });
    }
  },
};

describe('a session', () => {
  it('goes on after a measurement that fails, and tells of it', async () => {
    const { results, failures } = await runSuites([suite], peers, { only: ['a'], runs: 1 });
    expect(results.map(({ name }) => name)).toEqual(['a/1', 'a/3']);
    expect(failures).toEqual([expect.stringContaining('a/2: Error: no luck')]);
  });

  it('has no lines for what neither side has', async () => {
    const empty: Suite = {
      ...suite,
      run: (context) =>
        context.measure(['a/1'], async () => [
          resultOf({ name: 'a/1', unit: 'x', peerName: 'them' }, [{ ours: undefined, peer: undefined }]),
        ]),
    };
    expect(await runSuites([empty], peers, { only: ['a'], runs: 1 })).toEqual({ results: [], failures: [] });
  });

  it('takes what was asked for', async () => {
    const { results, failures } = await runSuites([suite], peers, { only: ['a/3'], runs: 1 });
    expect(results.map(({ name }) => name)).toEqual(['a/3']);
    expect(failures).toEqual([]);
  });
});

describe('the options', () => {
  it('name suites and results that there are', () => {
    const options = { task: 'measure', only: ['a', 'a/2'], all: false, runs: 3, json: undefined };
    expect(readOptions(['--only', 'a', '--only', 'a/2', '--runs', '3'], [suite])).toEqual(options);
    expect(readOptions(['--only', 'a,a/2', '--runs', '3'], [suite])).toEqual(options);
    for (const args of [['--only', 'b'], ['--only', 'a,b'], ['--runs', '0'], ['--runs', '1.5'], ['--fast']])
      expect(() => readOptions(args, [suite])).toThrow(UsageError);
  });

  it('are of one task, and the gate has its own selection', () => {
    expect(readOptions(['--compare', '--runs', '1'], [suite])).toMatchObject({ task: 'compare', runs: 1 });
    expect(readOptions(['--record'], [suite])).toMatchObject({ task: 'record', runs: undefined });
    for (const args of [
      ['--compare', '--record'],
      ['--compare', '--only', 'a'],
      ['--record', '--json', 'file'],
      ['--record', '--all'],
      ['--only', 'a', '--all'],
    ])
      expect(() => readOptions(args, [suite])).toThrow(UsageError);
  });

  it('mean a result by its own name or by its whole suite', () => {
    expect(isWanted('ab/1', { only: ['a'] })).toBe(false);
    expect(isWanted('a/1', { only: ['a'] })).toBe(true);
    expect(isWanted('a/1', { only: ['a/10'] })).toBe(false);
    expect(isWanted('a/1', { only: [] })).toBe(false);
  });

  it('select all but the extras, unless something else is asked for', () => {
    const suites = [
      { ...suite, extras: ['a/2'] },
      { ...suite, name: 'b', results: ['b/1'] },
    ];
    expect(selectedOf(suites, { only: [], all: false })).toEqual(['a/1', 'a/3', 'b/1']);
    expect(selectedOf(suites, { only: [], all: true })).toEqual(['a/1', 'a/2', 'a/3', 'b/1']);
    expect(selectedOf(suites, { only: ['a/2'], all: false })).toEqual(['a/2']);
    expect(usageOf(suites)).toContain('a/1 a/3\n    (a/2)');
  });
});
