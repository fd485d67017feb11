/**
 * `@mosaik/store/compliance`: what everything that keeps logs has to pass, as a function of a factory. It declares tests
 * with vitest. See {@link logStoreCompliance}.
 */
import { describe } from 'vitest';
import { appendTests, readTests } from './appending.ts';
import type { LogStoreFactory } from './environment.ts';
import { suiteOf } from './kit.ts';
import { keepingTests, listingTests, openingTests, processTests } from './opening.ts';
import { findTests, trimTests } from './trimming.ts';

export type { LogStoreEnvironment, LogStoreFactory, LogStoreSetup } from './environment.ts';

/**
 * Declares the tests that hold an implementation of `LogStore` to its contract, sentence by sentence.
 *
 * @example
 * logStoreCompliance('memory()', () => ({ run: (test) => test({ create: () => memory() }) }));
 */
export function logStoreCompliance(name: string, factory: LogStoreFactory): void {
  const suite = suiteOf(factory());
  describe(`${name}: compliance`, () => {
    describe('opening', () => openingTests(suite));
    describe('listing', () => listingTests(suite));
    describe('keeping', () => keepingTests(suite));
    describe('processes', () => processTests(suite));
    describe('appending', () => appendTests(suite));
    describe('reading', () => readTests(suite));
    describe('trimming', () => trimTests(suite));
    describe('finding', () => findTests(suite));
  });
}
