// The steps of `npm run check`. Each is one program; all run, whatever the others say.

export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** What to do when it fails, where that is not plain from its output. */
  readonly hint?: string;
  /** Runs before or after all others, and beside none of them. */
  readonly alone?: 'first' | 'last';
  /** Its output is worth seeing also when it passes, and while it runs. */
  readonly isShown?: boolean;
}

const turbo = [
  'turbo',
  'run',
  '--continue=dependencies-successful',
  '--output-logs=errors-only',
  '--log-prefix=none',
] as const;

export interface CheckOptions {
  readonly fix: boolean;
  /** With the regression gate of the benchmarks, which takes minutes and a machine that does nothing else. */
  readonly perf: boolean;
}

const perf: Step = {
  name: 'perf',
  command: ['node', 'apps/bench/src/main.ts', '--compare'],
  hint: 'what is worse, was so twice: see docs/performance.md and profile; other work on the machine disturbs',
  alone: 'last',
  isShown: true,
};

export function stepsOf(options: CheckOptions): readonly Step[] {
  return [
    {
      name: 'lint',
      command: options.fix
        ? ['biome', 'check', '--write', '--colors=off', '--error-on-warnings']
        : ['biome', 'ci', '--colors=off', '--error-on-warnings'],
      hint: '`npm run check -- --fix` formats and applies the safe fixes',
      // It rewrites files that the other steps read.
      ...(options.fix ? { alone: 'first' as const } : {}),
    },
    { name: 'types', command: [...turbo, 'types'] },
    { name: 'layers', command: ['node', 'tools/layers/main.ts'] },
    {
      name: 'unused',
      command: ['knip', '--no-progress', '--no-config-hints'],
      hint: 'remove what nothing uses; declare what is imported in the package.json beside it',
    },
    { name: 'packages', command: [...turbo, 'build', 'publint'] },
    ...(options.perf ? [perf] : []),
  ];
}
