import { AbortedError, CriteriaError, InvalidArgumentError, MosaikError, TimeoutError } from 'mosaik';
import { ExitCode } from './exit-code.ts';

/** Something that a user is told in a sentence, without a stack. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;
  /** What can be done about it. */
  readonly hint: string | undefined;

  constructor(exitCode: ExitCode, message: string, options: ErrorOptions & { readonly hint?: string } = {}) {
    super(message, options);
    this.exitCode = exitCode;
    this.hint = options.hint;
  }
}

/** A mistake in what the user typed, or wrote into a file. */
export function usage(message: string, hint?: string): Failure {
  return new Failure(ExitCode.Usage, message, hint === undefined ? {} : { hint });
}

/** What was thrown, as what the user is told; undefined for what is a bug of ours. */
export function explain(thrown: unknown): Failure | undefined {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof TimeoutError)
    return new Failure(ExitCode.TimedOut, thrown.message, { cause: thrown });
  if (thrown instanceof InvalidArgumentError || thrown instanceof CriteriaError) return usage(thrown.message);
  if (thrown instanceof AbortedError)
    return new Failure(ExitCode.Interrupted, thrown.message, { cause: thrown });
  if (thrown instanceof MosaikError) return new Failure(ExitCode.Failed, thrown.message, { cause: thrown });
  if (isSystemError(thrown)) return new Failure(ExitCode.Failed, thrown.message, { cause: thrown });
  return undefined;
}

/** A file that is not there, a port that is taken: `code` and `syscall` are Node's mark of these. */
function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && 'syscall' in thrown && 'code' in thrown;
}
