/**
 * `@mosaik/groups/compliance`: what every storage of groups has to pass, as a function of a factory. It declares tests
 * with vitest. See {@link storageCompliance}.
 */
import { describe } from 'vitest';
import { entryTests } from './entries.ts';
import type { StorageFactory } from './environment.ts';
import { suiteOf } from './kit.ts';
import { openingTests } from './opening.ts';
import { snapshotTests } from './snapshots.ts';

export type { StorageEnvironment, StorageFactory, StorageSetup } from './environment.ts';

/**
 * Declares the tests that hold an implementation of `Storage` to its contract, sentence by sentence.
 *
 * @example
 * storageCompliance('memory', () => ({
 *   run: (test) => test({ runtime: systemRuntime, create: () => memory() }),
 * }));
 */
export function storageCompliance(name: string, factory: StorageFactory): void {
  const suite = suiteOf(factory());
  describe(`${name}: storage compliance`, () => {
    describe('opening', () => openingTests(suite));
    describe('entries', () => entryTests(suite));
    describe('snapshots', () => snapshotTests(suite));
  });
}
