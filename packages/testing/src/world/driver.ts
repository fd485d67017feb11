import { toError } from '@mosaik/primitives';
import type { Scheduler } from '../clock/scheduler.ts';
import { installGuard, type Leak, nextTurn } from '../guard.ts';
import { DeadlockError, LeakError, LimitExceededError, SimulationError, withSeed } from './errors.ts';
import type { Waits } from './waits.ts';

/** Bounds of a run; what goes beyond fails it. */
export interface RunOptions {
  /** Virtual milliseconds that this run may take. Default one hour. */
  readonly maxVirtualMs?: number;
  /** Events that this run may take. Default 100 million, minutes of real time. */
  readonly maxEvents?: number;
  /** Fails the run when it fires, e.g. the signal of the test runner's context. */
  readonly signal?: AbortSignal;
}

const DEFAULT_MAX_VIRTUAL_MS = 3_600_000;
const DEFAULT_MAX_EVENTS = 100_000_000;

/**
 * Turns of the event loop that are asked for at once. The platform runs all microtasks between two of them, as it must
 * be; and 128 at once cost a seventh of what they cost one by one (6.1 against 0.9 million a second, Node 24).
 */
const TURNS_AT_ONCE = 128;

/** What a driver drives. */
export interface Drivable {
  readonly seed: string;
  readonly scheduler: Scheduler;
  readonly waits: Waits;
  /** What there is, for the message of a deadlock. */
  describe(): readonly string[];
}

/** The seed of the world that runs in this process: the guard changes globals, so there can be but one. */
let runningSeed: string | undefined;

/** Runs `test` while driving the world's events; see `World.run`. */
export async function drive<T>(world: Drivable, test: () => Promise<T>, options: RunOptions): Promise<T> {
  if (runningSeed !== undefined) {
    const message = `a world runs already in this process (seed ${runningSeed}): runs cannot be nested or concurrent`;
    throw new SimulationError('ERR_SIMULATION_BUSY', message);
  }
  runningSeed = world.seed;
  try {
    return await new Run<T>(world, test, options).outcome;
  } catch (thrown) {
    throw withSeed(toError(thrown), world.seed, world.scheduler.nowMs);
  } finally {
    runningSeed = undefined;
  }
}

/** One run: an event a turn, until the test settles or something is wrong. */
class Run<T> {
  readonly outcome: Promise<T>;
  readonly #world: Drivable;
  readonly #options: RunOptions;
  readonly #endMs: number;
  readonly #endEvents: number;
  readonly #restore: () => void;
  readonly #finish: { resolve: (value: T) => void; reject: (error: Error) => void };
  #turnsAhead = 0;
  #settled: { readonly value: T } | undefined;
  #failure: Error | undefined;

  constructor(world: Drivable, test: () => Promise<T>, options: RunOptions) {
    this.#world = world;
    this.#options = options;
    this.#endMs = world.scheduler.nowMs + (options.maxVirtualMs ?? DEFAULT_MAX_VIRTUAL_MS);
    this.#endEvents = world.scheduler.dispatched + (options.maxEvents ?? DEFAULT_MAX_EVENTS);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.outcome = promise;
    this.#finish = { resolve, reject };
    this.#restore = installGuard({
      leaked: (leak) => this.#fail(leakError(leak)),
      rejected: (reason) => this.#fail(rejectionError(reason)),
    });
    this.#start(test);
    this.#askForTurns();
  }

  #start(test: () => Promise<T>): void {
    // A turn of its own: what the test does first runs under the same conditions as what it does later.
    Promise.resolve()
      .then(test)
      .then(
        (value) => {
          this.#settled = { value };
        },
        (thrown) => this.#fail(toError(thrown)),
      );
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }

  #askForTurns(): void {
    this.#turnsAhead = TURNS_AT_ONCE;
    for (let turn = 0; turn < TURNS_AT_ONCE; turn++) nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnsAhead--;
    if (!this.#isOver) this.#advance();
    if (this.#turnsAhead > 0) return;
    if (this.#isOver) this.#end();
    else this.#askForTurns();
  };

  get #isOver(): boolean {
    return this.#failure !== undefined || this.#settled !== undefined;
  }

  #advance(): void {
    const { scheduler, waits } = this.#world;
    try {
      // Whoever waits for a condition goes on before anything else happens.
      if (waits.check()) return;
      if (!scheduler.step()) throw new DeadlockError(this.#world.describe());
      this.#requireWithinLimits();
    } catch (thrown) {
      this.#fail(toError(thrown));
    }
  }

  #requireWithinLimits(): void {
    const { scheduler } = this.#world;
    const { maxVirtualMs = DEFAULT_MAX_VIRTUAL_MS, maxEvents = DEFAULT_MAX_EVENTS, signal } = this.#options;
    if (scheduler.nowMs > this.#endMs) throw this.#limit(`${maxVirtualMs} virtual ms`);
    if (scheduler.dispatched > this.#endEvents) throw this.#limit(`${maxEvents} events`);
    if (signal?.aborted) throw this.#limit('the time its signal allowed');
  }

  #limit(what: string): LimitExceededError {
    return new LimitExceededError(what, this.#world.describe());
  }

  #end(): void {
    this.#restore();
    if (this.#failure) this.#finish.reject(this.#failure);
    else if (this.#settled) this.#finish.resolve(this.#settled.value);
  }
}

function leakError({ what, stack }: Leak): LeakError {
  const hint = 'code in a simulation takes time and chance from its Runtime';
  return new LeakError(`${what} of the real world was used: ${hint}\n${stack}\n`);
}

function rejectionError(reason: unknown): LeakError {
  const cause = toError(reason);
  return new LeakError(`a promise was rejected and nobody handled it: ${cause.message}`, { cause });
}
