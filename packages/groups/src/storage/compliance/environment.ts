import type { Runtime } from '@mosaik/primitives';
import type { Storage } from '../storage.ts';

/** Where one test of the suite takes place. */
export interface StorageEnvironment {
  readonly runtime: Runtime;
  /** Makes a storage where none was before. What is left of it is cleaned up after the test. */
  create(): Storage;
  /** Another storage of the same place, as another process would make it; needed when the setup says `canShare`. */
  again?(storage: Storage): Storage;
  /**
   * Ends the process of a storage with nothing closed, at this very moment, and returns the storage of the next one;
   * needed when the setup says `canCrash`. What has not resolved before may or may not be there.
   */
  crash?(storage: Storage): Promise<Storage>;
}

/** An implementation of `Storage`, as its compliance suite needs it. */
export interface StorageSetup {
  /** Runs a test in an environment of its own and cleans up after it. */
  run(test: (environment: StorageEnvironment) => Promise<void>): Promise<void>;
  readonly canShare?: boolean;
  readonly canCrash?: boolean;
  /** Real time for one test, in milliseconds. Default 30000. */
  readonly timeoutMs?: number;
}

/** Makes a setup; called once for each suite. */
export type StorageFactory = () => StorageSetup;
