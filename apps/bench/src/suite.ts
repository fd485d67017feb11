import type { Growth } from './growth.ts';
import type { Peers } from './peers/peers.ts';
import type { Result } from './result.ts';

export interface SuiteContext {
  /** How many times each measurement is taken, ours and the peer's in turns. */
  readonly runs: number;
  /** The systems of others that this machine has. */
  readonly peers: Peers;
  /** Says what is being done. */
  progress(text: string): void;
  /** Whether any of these results was asked for. */
  wants(...names: readonly string[]): boolean;
  /**
   * Takes the results of these names, if any of them was asked for. When that fails it says so, and the others go on; the
   * whole then ends as a failure.
   */
  measure(names: readonly string[], work: () => Promise<readonly Result[]>): Promise<void>;
}

/** A group of measurements that share a set-up; selected by `--only`. */
export interface Suite {
  readonly name: string;
  readonly about: string;
  /** The names of its results, each `suite/measurement`. */
  readonly results: readonly string[];
  /** Those of them that only are measured when they are asked for: by name, with their suite, or with all. */
  readonly extras?: readonly string[];
  /** Tables of how some of them grow; in the table of everything these are left out. */
  readonly growth?: readonly Growth[];
  /** Takes those results that the context wants, through its `measure`. */
  run(context: SuiteContext): Promise<void>;
}
