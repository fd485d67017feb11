import { expect, it } from 'vitest';
import { suites } from '../src/suites/all.ts';

/** Those that results are compared by over time: they stay, whatever is added. */
const STABLE = [
  ...['64KiB', '100B', 'rtt-p50', 'rtt-p99-under-bulk'].map((name) => `link/${name}`),
  ...['1to1-75B', '1to8-75B', '8to1-75B', '1to1-64KiB'].map((name) => `streams/${name}`),
  ...['rtt-p50', 'rtt-p99', 'slow-consumer'].map((name) => `streams/${name}`),
  ...['memory-pipelined', 'memory-p50', 'sqlite-pipelined', 'sqlite-p50'].map((name) => `groups/${name}`),
  ...['strong-query', 'failover-ms'].map((name) => `groups/${name}`),
  ...['append-fsync', 'replay', 'fold-join'].map((name) => `store/${name}`),
  ...['join-1000', 'sync-bytes'].map((name) => `discovery/${name}`),
  ...['start-ms', 'idle-cpu', 'rss'].map((name) => `node/${name}`),
];

const names = suites.flatMap(({ results }) => results);

it('results keep their names', () => {
  expect(STABLE.filter((name) => !names.includes(name))).toEqual([]);
});

it('those are measured without being asked for, and an extra is a result', () => {
  const extras = suites.flatMap((suite) => suite.extras ?? []);
  expect(STABLE.filter((name) => extras.includes(name))).toEqual([]);
  expect(extras.filter((name) => !names.includes(name))).toEqual([]);
});

it('each result has a name of its own, which begins with that of its suite', () => {
  expect(names).toEqual([...new Set(names)]);
  for (const suite of suites)
    expect(suite.results.filter((name) => !name.startsWith(`${suite.name}/`))).toEqual([]);
});

it('streams are beside both peers in each shape and size', () => {
  const shapes = ['1to1', '1to8', '8to1'].flatMap((shape) =>
    ['75B', '1KiB', '64KiB'].map((size) => `streams/${shape}-${size}`),
  );
  const expected = [...shapes, 'streams/rtt-p50', 'streams/rtt-p99'].flatMap((name) => [
    name,
    `${name}-libp2p`,
  ]);
  expect(expected.filter((name) => !names.includes(name))).toEqual([]);
});
