import type { Peers } from './peers/peers.ts';
import type { Result } from './result.ts';

export interface SuiteContext {
  /** How many times each measurement is taken, ours and the peer's in turns. */
  readonly runs: number;
  /** The systems of others that this machine has. */
  readonly peers: Peers;
  /** Says what is being done, on a line that the next one may replace. */
  readonly progress: (text: string) => void;
  /** Whether a result of this name was asked for. */
  readonly wants: (name: string) => boolean;
}

/** A group of measurements that share a set-up; selected by `--only`. */
export interface Suite {
  readonly name: string;
  readonly about: string;
  /** The names of its results, each `suite/measurement`. */
  readonly results: readonly string[];
  run(context: SuiteContext): Promise<Result[]>;
}
