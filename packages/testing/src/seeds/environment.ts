/** What whoever runs the tests asks of simulations, by environment variables: see docs/internals/testing.md. */
export interface SimulationEnvironment {
  /** Simulations take the times and numbers of seeds of the promises, not samples of them: `MOSAIK_SIM=long`. */
  readonly isLong: boolean;
  /** The first seed: `MOSAIK_SEED`, 1 unless given. */
  readonly firstSeed: number;
  /** How many seeds each simulation takes instead of its own number: `MOSAIK_SEEDS`. */
  readonly seeds: number | undefined;
  /** These are asked of all simulations at once, of which each takes its share: `MOSAIK_SEEDS_OF=all`. */
  readonly isOfAll: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the environment; where a platform has none, nothing was asked. */
export function readEnvironment(variables: Variables = variablesOfProcess()): SimulationEnvironment {
  return {
    isLong: variables['MOSAIK_SIM'] === 'long',
    firstSeed: wholeNumber(variables, 'MOSAIK_SEED') ?? 1,
    seeds: wholeNumber(variables, 'MOSAIK_SEEDS'),
    isOfAll: variables['MOSAIK_SEEDS_OF'] === 'all',
  };
}

/** A wrong number must not end in a simulation of nothing, which would pass. */
function wholeNumber(variables: Variables, name: string): number | undefined {
  const text = variables[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Error(`${name} is to be a whole number, not "${text}"`);
}

function variablesOfProcess(): Variables {
  const { process } = globalThis as { process?: { env?: Variables } };
  return process?.env ?? {};
}
