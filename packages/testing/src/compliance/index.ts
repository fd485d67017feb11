/**
 * `@mosaik/testing/compliance`: what every implementation of a seam has to pass, as functions of a factory. They declare
 * tests with vitest. See {@link transportCompliance}.
 */
import { describe } from 'vitest';
import { badInputTests } from './bad-input.ts';
import { connectionTests } from './connections.ts';
import { endTests } from './ends.ts';
import type { TransportFactory } from './environment.ts';
import { flowTests } from './flow.ts';
import { identityTests } from './identity.ts';
import { suiteOf } from './kit.ts';
import { messageTests } from './messages.ts';
import { openingTests } from './opening.ts';
import { topicTests } from './topics.ts';

export type {
  CreateTransportOptions,
  TransportEnvironment,
  TransportFactory,
  TransportSetup,
} from './environment.ts';

/**
 * Declares the tests that hold an implementation of `Transport` to its contract, sentence by sentence.
 *
 * @example
 * transportCompliance('simulated transport', () => ({
 *   canKill: true,
 *   run: (test) => inWorld(createWorld({ seed: 1 }), test),
 * }));
 */
export function transportCompliance(name: string, factory: TransportFactory): void {
  const suite = suiteOf(factory());
  describe(`${name}: transport compliance`, () => {
    describe('messages', () => messageTests(suite));
    describe('backpressure', () => flowTests(suite));
    describe('ends', () => endTests(suite));
    describe('bad input', () => badInputTests(suite));
    describe('opening and accepting', () => openingTests(suite));
    describe('connections', () => connectionTests(suite));
    describe('identity', () => identityTests(suite));
    describe('topics', () => topicTests(suite));
  });
}
