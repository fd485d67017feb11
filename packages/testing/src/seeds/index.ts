/**
 * `@mosaik/testing/seeds`: which seeds a simulation runs, by what whoever runs the tests asks for, and how to run the one
 * again that failed. For tests with vitest. See {@link eachSeed}.
 */
import { toError } from '@mosaik/primitives';
import { expect } from 'vitest';
import { readEnvironment, type SimulationEnvironment } from './environment.ts';
import { replayCommand } from './replay.ts';

/** How many seeds a simulation takes unless whoever runs it says. */
export interface SeedsOptions {
  /** In a run of all tests. */
  readonly count: number;
  /** When simulations run at full length (`MOSAIK_SIM=long`); ten times as many unless given. */
  readonly long?: number;
  /**
   * Of the seeds that all simulations are asked to run, how many this one does, at least one: from 0 to 1, default 1. For one
   * whose seeds take many times as long as those of a swarm. Where this one alone is asked, it runs them all.
   */
  readonly share?: number;
}

/** Whether simulations are to take the times and numbers of the promises, not samples of them. */
export const isLongSimulation: boolean = readEnvironment().isLong;

/**
 * The seeds to run: consecutive numbers from the first one on, which in this workspace follows from the commit.
 *
 * @throws {Error} when an environment variable is not the number that it should be.
 */
export function seedsOf(
  options: SeedsOptions,
  environment: SimulationEnvironment = readEnvironment(),
): readonly number[] {
  const length = countOf(options, environment);
  return Array.from({ length }, (_, index) => environment.firstSeed + index);
}

function countOf(
  { count, long = 10 * count, share = 1 }: SeedsOptions,
  { seeds, isOfAll, isLong }: SimulationEnvironment,
): number {
  if (seeds === undefined) return isLong ? long : count;
  return isOfAll ? Math.ceil(seeds * share) : seeds;
}

/**
 * Runs a simulation with one seed after the other. An error says which seed it was and the command that runs just that one
 * again, and goes on as what it was.
 *
 * @example
 * it('loses nothing', () => eachSeed({ count: 20 }, async (seed) => {
 *   const world = createWorld({ seed });
 *   await world.run(() => scenario(world));
 * }));
 */
export async function eachSeed(
  options: SeedsOptions,
  run: (seed: number) => Promise<void>,
  environment: SimulationEnvironment = readEnvironment(),
): Promise<void> {
  for (const seed of seedsOf(options, environment)) {
    try {
      await run(seed);
    } catch (thrown) {
      throw withReplay(toError(thrown), seed, environment);
    }
  }
}

function withReplay(error: Error, seed: number, { isLong }: SimulationEnvironment): Error {
  const { currentTestName, testPath } = expect.getState();
  const command = replayCommand({ seed, isLong, test: currentTestName, file: testPath });
  const note = `seed ${seed}; again: ${command}`;
  try {
    error.message = `${error.message}\n${note}`;
    return error;
  } catch {
    return new Error(`${error.message}\n${note}`, { cause: error });
  }
}
