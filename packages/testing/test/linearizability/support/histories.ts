import type { Operation, Outcome } from '../../../src/linearizability/index.ts';

/** An operation that was answered. */
export function ok<Input, Output>(
  client: string,
  [calledAt, returnedAt]: readonly [number, number],
  input: Input,
  output: Output,
): Operation<Input, Output> {
  return { client, input, calledAt, outcome: { type: 'ok', output, returnedAt } };
}

/** An operation that was never answered. */
export function open<Input, Output>(
  client: string,
  calledAt: number,
  input: Input,
): Operation<Input, Output> {
  return { client, input, calledAt, outcome: { type: 'unknown' } };
}

/** An operation that did not happen. */
export function failed<Input, Output>(
  client: string,
  calledAt: number,
  input: Input,
): Operation<Input, Output> {
  return { client, input, calledAt, outcome: { type: 'failed' } as Outcome<Output> };
}
