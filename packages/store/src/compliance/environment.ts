import type { LogStore } from '../log/log-storage.ts';

/** Where one test of the suite takes place. */
export interface LogStoreEnvironment {
  /** Makes a store where none was before. What is left of it is cleaned up after the test. */
  create(): LogStore;
  /** Another store of the same place, as another process would make it; needed when the setup says `canShare`. */
  again?(store: LogStore): LogStore;
  /**
   * Ends the process of a store with nothing closed, at this very moment, and returns the store of the next one; needed
   * when the setup says `canCrash`. What has not resolved before may or may not be there.
   */
  crash?(store: LogStore): Promise<LogStore>;
}

/** An implementation of `LogStore`, as its compliance suite needs it. */
export interface LogStoreSetup {
  /** Runs a test in an environment of its own and cleans up after it. */
  run(test: (environment: LogStoreEnvironment) => Promise<void>): Promise<void>;
  /** Whether a place can be opened by another store, after the first was closed and, to be refused, before. */
  readonly canShare?: boolean;
  readonly canCrash?: boolean;
  /** Real time for one test, in milliseconds. Default 30000. */
  readonly timeoutMs?: number;
}

/** Makes a setup; called once for each suite. */
export type LogStoreFactory = () => LogStoreSetup;
