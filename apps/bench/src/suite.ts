import type { Result } from './result.ts';

export interface SuiteContext {
  /** How many times each measurement is taken, ours and the peer's in turns. */
  readonly runs: number;
  /** Says what is being done, on a line that the next one may replace. */
  readonly progress: (text: string) => void;
}

/** A group of measurements that share a set-up; selected by `--only`. */
export interface Suite {
  readonly name: string;
  readonly about: string;
  run(context: SuiteContext): Promise<Result[]>;
}
