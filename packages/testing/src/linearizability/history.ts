import { MosaikError, type Runtime } from '@mosaik/primitives';

/**
 * How an operation ended, as its client knows it.
 *
 * - `ok`: it was answered. It took effect at some moment between its call and its answer.
 * - `failed`: it certainly had no effect, and never will. A time-out is not that.
 * - `unknown`: never answered. It took effect at some moment after its call, however late, or never.
 */
export type Outcome<Output> =
  | { readonly type: 'ok'; readonly output: Output; readonly returnedAt: number }
  | { readonly type: 'failed' }
  | { readonly type: 'unknown' };

/**
 * An operation that a client asked for. `calledAt` and `returnedAt` are on one scale, of which only the order matters: an
 * operation precedes another if it returned at a smaller number than the other was called at.
 */
export interface Operation<Input, Output> {
  readonly client: string;
  readonly input: Input;
  readonly calledAt: number;
  readonly outcome: Outcome<Output>;
  /** When it was called by the clock of the recorder, in milliseconds; for the reader, the check ignores it. */
  readonly calledAtMs?: number;
}

/** An operation under way. It ends once; until then its outcome is `unknown`. */
export interface PendingOperation<Output> {
  /** It was answered. @throws {OperationEndedError} when it has ended before. */
  ok(output: Output): void;
  /** It certainly had no effect. @throws {OperationEndedError} when it has ended before. */
  fail(): void;
  /** Nobody will know. @throws {OperationEndedError} when it has ended before. */
  unknown(): void;
}

/** Records what clients asked for and what they were told. */
export interface History<Input, Output> {
  /** All operations so far, in the order of their calls. */
  readonly operations: readonly Operation<Input, Output>[];
  /**
   * A client asks for something; to be called right before the request leaves. A client may have several operations under
   * way, and may go on after one whose outcome it does not know.
   */
  invoke(client: string, input: Input): PendingOperation<Output>;
  /**
   * Records an operation around `work`: answered with what it resolves to; when it rejects, `failed` if `isFailure` says
   * that the error proves that nothing happened, else `unknown`. Resolves or rejects as `work` does.
   */
  record(client: string, input: Input, work: RecordedWork<Output>): Promise<Output>;
}

/** What {@link History.record} is given. */
export interface RecordedWork<Output> {
  run(): Promise<Output>;
  /** True if the error proves that the operation had no effect and never will; false for all unless given. */
  isFailure?(error: unknown): boolean;
}

/** An operation was told to end twice. */
export class OperationEndedError extends MosaikError {
  override readonly name = 'OperationEndedError';

  constructor(client: string, before: string) {
    super('ERR_OPERATION_ENDED', `the operation of ${client} has already ended as "${before}"`);
  }
}

/**
 * A recorder for the clients of one process, simulated or real. The order of events is the order of the calls to it, so that
 * two events at the same time of a virtual clock still have one.
 */
export function createHistory<Input, Output>(runtime?: Pick<Runtime, 'now'>): History<Input, Output> {
  const operations: Recorded<Input, Output>[] = [];
  let position = 0;
  const invoke = (client: string, input: Input): PendingOperation<Output> => {
    const operation: Recorded<Input, Output> = {
      client,
      input,
      calledAt: position++,
      outcome: { type: 'unknown' },
      ...(runtime === undefined ? {} : { calledAtMs: runtime.now() }),
    };
    operations.push(operation);
    return pending(operation, () => position++);
  };
  return {
    operations,
    invoke,
    async record(client, input, { run, isFailure }) {
      const operation = invoke(client, input);
      try {
        const output = await run();
        operation.ok(output);
        return output;
      } catch (error) {
        if (isFailure?.(error)) operation.fail();
        else operation.unknown();
        throw error;
      }
    },
  };
}

interface Recorded<Input, Output> extends Operation<Input, Output> {
  outcome: Outcome<Output>;
}

function pending<Input, Output>(
  operation: Recorded<Input, Output>,
  nextPosition: () => number,
): PendingOperation<Output> {
  let hasEnded = false;
  const end = (outcome: Outcome<Output>): void => {
    if (hasEnded) throw new OperationEndedError(operation.client, operation.outcome.type);
    hasEnded = true;
    operation.outcome = outcome;
  };
  return {
    ok: (output) => end({ type: 'ok', output, returnedAt: nextPosition() }),
    fail: () => end({ type: 'failed' }),
    unknown: () => end({ type: 'unknown' }),
  };
}
