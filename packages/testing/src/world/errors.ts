import { MosaikError } from '@mosaik/primitives';

/** A simulation could not go on, or did what it must not; the message names the seed that shows it again. */
export class SimulationError extends MosaikError {
  override readonly name: string = 'SimulationError';
}

/** Nothing will ever happen again in the world, and the test still waits. */
export class DeadlockError extends SimulationError {
  override readonly name = 'DeadlockError';

  constructor(waiting: readonly string[]) {
    const still = waiting.length === 0 ? 'nothing that the world knows of' : waiting.join('; ');
    super(
      'ERR_SIMULATION_DEADLOCK',
      'no event is left, and the test has not settled: it waits for something that nobody will do, or for real I/O, ' +
        `which does not progress in a simulation. Still there: ${still}`,
    );
  }
}

/** The run went beyond `maxVirtualMs` or `maxEvents`. */
export class LimitExceededError extends SimulationError {
  override readonly name = 'LimitExceededError';

  constructor(limit: string, waiting: readonly string[]) {
    super(
      'ERR_SIMULATION_LIMIT',
      `the test has not settled within ${limit}. Still there: ${waiting.join('; ')}`,
    );
  }
}

/** Code under test used the real clock, real timers or real chance, or left a rejection unhandled. */
export class LeakError extends SimulationError {
  override readonly name = 'LeakError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_SIMULATION_LEAK', message, options);
  }
}

/** Adds to an error how to see it again. The same error object goes on, so that its type and fields stay. */
export function withSeed(error: Error, seed: string, atMs: number): Error {
  const note = `(simulation seed ${seed}, at ${Math.round(atMs)} ms)`;
  if (error.message.includes(note)) return error;
  try {
    error.message = `${error.message} ${note}`;
    return error;
  } catch {
    return new SimulationError('ERR_SIMULATION', `${error.message} ${note}`, { cause: error });
  }
}
