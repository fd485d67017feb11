import { execFileSync } from 'node:child_process';

/** `npm run sim` takes as many seeds as are promised; `npm test` a sample. */
export const isLong: boolean = process.env['MOSAIK_SIM'] === 'long';

/** `MOSAIK_SEED=n` runs just that one. */
const only = process.env['MOSAIK_SEED'];

/** Seeds to run: half of them the same each time, half as the commit has it, so that new ones are tried all the time. */
export function seedsToRun(count: number): number[] {
  if (only !== undefined) return [Number(only)];
  const half = Math.ceil(count / 2);
  const start = 1_000_000 + seedOfCommit() * 10_000;
  const fixed = Array.from({ length: half }, (_, place) => place + 1);
  return [...fixed, ...Array.from({ length: count - half }, (_, place) => start + place)];
}

function seedOfCommit(): number {
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' });
    return Number.parseInt(commit.slice(0, 4), 16);
  } catch {
    return 0;
  }
}
