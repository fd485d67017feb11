import { MosaikError } from '@mosaik/primitives';
import { type CheckOptions, checkLinearizable } from './check.ts';
import type { Operation } from './history.ts';
import type { Model } from './model.ts';
import type { Linearizable, Undecided, Verdict, Violation } from './verdict.ts';

/** How much of the order before a violation is told. */
const PREFIX_SHOWN = 12;
const VALUE_SHOWN_MAX = 200;

/** A history is not linearizable, or it could not be told whether it is: see `verdict`. */
export class LinearizabilityError extends MosaikError {
  override readonly name = 'LinearizabilityError';
  readonly verdict: Violation<unknown, unknown, unknown> | Undecided;

  constructor(verdict: Violation<unknown, unknown, unknown> | Undecided) {
    super('ERR_NOT_LINEARIZABLE', describeVerdict(verdict));
    this.verdict = verdict;
  }
}

/**
 * Holds a history to a model.
 *
 * @throws {LinearizabilityError} when the history is not linearizable, and when that could not be decided within `maxSteps`;
 *   its message tells the operation that cannot be explained and what came before.
 * @throws {InvalidArgumentError} as {@link checkLinearizable}.
 */
export function assertLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: Iterable<Operation<Input, Output>>,
  options?: CheckOptions,
): Linearizable<Input, Output> {
  const verdict = checkLinearizable(model, history, options);
  if (verdict.verdict !== 'linearizable') throw new LinearizabilityError(verdict);
  return verdict;
}

/** A verdict in words, for people. */
export function describeVerdict(verdict: Verdict<unknown, unknown, unknown>): string {
  switch (verdict.verdict) {
    case 'linearizable':
      return `linearizable (${verdict.steps} steps)`;
    case 'unknown':
      return `not decided within ${verdict.steps} steps: ${verdict.keys.map(keyName).join(', ')}`;
    case 'violation':
      return describeViolation(verdict);
  }
}

function describeViolation({
  key,
  culprit,
  prefix,
  state,
  concurrent,
}: Violation<unknown, unknown, unknown>): string {
  const omitted = prefix.length - PREFIX_SHOWN;
  return [
    `not linearizable: nothing explains the answer to an operation on ${keyName(key)}:`,
    `  ${describeOperation(culprit)}`,
    'the longest explanation of what was answered before:',
    ...(omitted > 0 ? [`  … ${omitted} operations`] : []),
    ...prefix.slice(-PREFIX_SHOWN).map((operation) => `  ${describeOperation(operation)}`),
    `  which leaves ${text(state)}`,
    ...(concurrent.length > 0 ? ['under way besides, and not part of that explanation:'] : []),
    ...concurrent.map((operation) => `  ${describeOperation(operation)}`),
  ].join('\n');
}

/** An operation on a line: who, what, what came of it, and when. */
function describeOperation({
  client,
  input,
  calledAt,
  calledAtMs,
  outcome,
}: Operation<unknown, unknown>): string {
  const at = calledAtMs === undefined ? '' : `, called at ${calledAtMs.toFixed(1)} ms`;
  const [answer, end] = outcome.type === 'ok' ? [text(outcome.output), outcome.returnedAt] : ['?', ''];
  return `${client}: ${text(input)} → ${answer}  [${calledAt}…${end}${at}]`;
}

function keyName(key: string): string {
  return key === '' ? 'the object' : `"${key}"`;
}

function text(value: unknown): string {
  const json = JSON.stringify(value, (_name, member: unknown) => readable(member)) ?? String(value);
  return json.length > VALUE_SHOWN_MAX ? `${json.slice(0, VALUE_SHOWN_MAX)}…` : json;
}

function readable(member: unknown): unknown {
  if (typeof member === 'bigint') return `${member}n`;
  if (member instanceof Map) return Object.fromEntries(member);
  if (member instanceof Set || member instanceof Uint8Array) return [...member];
  return member;
}
