import { spawnSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import { seedOfCommit, takeSeedOptions } from '../seeds.mjs';
import { taskNamed } from '../tasks.mjs';

const tools = { node: 'node', pnpm: 'pnpm' };

describe('the options about seeds', () => {
  it('go to the simulations by the environment, the rest to the runner', () => {
    const args = ['--project', 'groups', '--seeds', '500', '-t', 'swarm', '--seed=77'];
    expect(takeSeedOptions(args)).toEqual({
      env: { MOSAIK_SEEDS: '500', MOSAIK_SEED: '77' },
      rest: ['--project', 'groups', '-t', 'swarm'],
    });
  });

  it('without a seed take one that is the same on each run', () => {
    const { env } = takeSeedOptions([]);
    expect(env).toEqual({ MOSAIK_SEED: expect.stringMatching(/^\d+$/) });
    expect(takeSeedOptions([]).env).toEqual(env);
  });

  it.each([['--seeds', '0'], ['--seeds'], ['--seed', '-1'], ['--seed', 'x'], ['--seeds=1.5']])(
    'are refused when they make no sense: %s %s',
    (...args) => {
      expect(() => takeSeedOptions(args)).toThrow(/takes a whole number from [01] on/);
    },
  );
});

test('the seed of a commit is a number that follows from its hash', () => {
  expect(seedOfCommit('0000ffff1111111111111111111111111111111a\n')).toBe(0xffff);
  expect(seedOfCommit('')).toBe(1);
  expect(seedOfCommit('fatal: not a git repository')).toBe(1);
});

describe('the simulations', () => {
  const run = (...args: string[]) => taskNamed('sim').command(tools, args);

  it('are all run at full length', () => {
    const { args, env } = run('--seeds', '3');
    expect(args).toContain('packages/discovery/test/sim');
    expect(env).toMatchObject({ MOSAIK_SIM: 'long', MOSAIK_SEEDS: '3' });
  });

  it('are only those of the places that are named, if any', () => {
    expect(run('tools/setup', '-t', 'x').args.slice(2)).toEqual(['tools/setup', '-t', 'x']);
  });

  it('share the seeds, unless places are named', () => {
    expect(run('--seeds', '3').env).toMatchObject({ MOSAIK_SEEDS_OF: 'all' });
    expect(run('--seeds', '3', 'tools/setup').env).not.toHaveProperty('MOSAIK_SEEDS_OF');
    const test = (...args: string[]) => taskNamed('test').command(tools, args);
    expect(test('--seeds', '3', '--project', 'groups').env).toMatchObject({ MOSAIK_SEEDS_OF: 'all' });
    expect(test('--seeds', '3', 'tools/setup').env).not.toHaveProperty('MOSAIK_SEEDS_OF');
  });

  it.each(['--help', '-h'])('are explained by %s', (option) => {
    const { command, args } = run('--seeds', '3', option);
    const { stdout } = spawnSync(command === 'node' ? process.execPath : command, args, { encoding: 'utf8' });
    expect(stdout).toMatch(/^Runs the simulations at full length\.\n/);
    expect(stdout).toContain('`npm run sim -- --seeds 1000` runs 1,000 seeds of each swarm');
  });
});
