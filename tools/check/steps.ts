// The steps of `npm run check`. Each is one program; all run, whatever the others say.

export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** What to do when it fails, where that is not plain from its output. */
  readonly hint?: string;
}

const turbo = [
  'turbo',
  'run',
  '--continue=dependencies-successful',
  '--output-logs=errors-only',
  '--log-prefix=none',
] as const;

export function stepsOf(options: { readonly fix: boolean }): readonly Step[] {
  return [
    {
      name: 'lint',
      command: options.fix
        ? ['biome', 'check', '--write', '--colors=off', '--error-on-warnings']
        : ['biome', 'ci', '--colors=off', '--error-on-warnings'],
      hint: '`npm run check -- --fix` formats and applies the safe fixes',
    },
    { name: 'types', command: [...turbo, 'types'] },
    { name: 'layers', command: ['node', 'tools/layers/main.ts'] },
    {
      name: 'unused',
      command: ['knip', '--no-progress', '--no-config-hints'],
      hint: 'remove what nothing uses; declare what is imported in the package.json beside it',
    },
    { name: 'packages', command: [...turbo, 'build', 'publint'] },
  ];
}
