import { DecodeError, invariant, toError } from '@mosaik/primitives';
import type { Entry, LogIndex, Term } from '../../raft/types.ts';
import { CommandMalformedError, CommandRejectedError, NondeterminismError } from '../errors.ts';
import type { DeterminismGuard } from '../guard.ts';
import type { ApplyContext, EncodedResult, MachineCodecs, MachineInstance } from '../machine.ts';
import { randomAt } from './random.ts';

/** How one command went: with its result, made or still encoded, or with what it threw. */
export type Applied<Result> =
  | { readonly kind: 'made'; readonly result: Result }
  | { readonly kind: 'encoded'; readonly encoded: EncodedResult<Result> }
  | { readonly kind: 'failed'; readonly error: Error };

/** Where commands are applied: an entry and the time it carries. */
export interface ApplyPlace {
  readonly entry: Pick<Entry, 'index' | 'term'>;
  readonly nowMs: number;
}

/** Hands commands to a machine, one by one or together, under the guard, and takes what they throw. */
export class CommandRunner<Command, Result, Query, Answer> {
  readonly #instance: MachineInstance<Command, Result, Query, Answer>;
  readonly #codecs: MachineCodecs<Command, Result, Query, Answer>;
  readonly #guard: DeterminismGuard;

  constructor(options: {
    readonly instance: MachineInstance<Command, Result, Query, Answer>;
    readonly codecs: MachineCodecs<Command, Result, Query, Answer>;
    readonly guard: DeterminismGuard;
  }) {
    this.#instance = options.instance;
    this.#codecs = options.codecs;
    this.#guard = options.guard;
  }

  /**
   * Applies encoded commands in order.
   *
   * @param firstPlace of the first of them in its entry: another one for each command of the entry.
   * @throws {NondeterminismError} under the guard.
   */
  run(encoded: readonly Uint8Array[], place: ApplyPlace, firstPlace: number): readonly Applied<Result>[] {
    if (this.#instance.applyEncoded !== undefined) {
      const context = new PlacedContext(place);
      return this.#guard.run(() =>
        encoded.map((bytes, at) => this.#applyEncoded(bytes, context.movedTo(firstPlace + at))),
      );
    }
    const commands = encoded.map((bytes) => this.#decode(bytes));
    const areAllWell = commands.every((command) => !(command instanceof CommandMalformedError));
    if (areAllWell && commands.length > 1 && this.#instance.applyBatch !== undefined) {
      const contexts = commands.map((_, at) => new PlacedContext(place).movedTo(firstPlace + at));
      return this.#guard.run(() => this.#applyBatch(commands as Command[], contexts));
    }
    const context = new PlacedContext(place);
    return this.#guard.run(() =>
      commands.map((command, at) => this.#apply(command, context.movedTo(firstPlace + at))),
    );
  }

  #applyEncoded(bytes: Uint8Array, context: ApplyContext): Applied<Result> {
    try {
      const encoded = this.#instance.applyEncoded?.(bytes, context);
      invariant(encoded !== undefined, 'applyEncoded gives a result');
      return { kind: 'encoded', encoded };
    } catch (thrown) {
      return failed(thrown instanceof DecodeError ? new CommandMalformedError(thrown.message) : thrown);
    }
  }

  #decode(bytes: Uint8Array): Command | CommandMalformedError {
    try {
      return this.#codecs.command.decode(bytes);
    } catch (thrown) {
      return new CommandMalformedError(toError(thrown).message);
    }
  }

  #apply(command: Command | CommandMalformedError, context: ApplyContext): Applied<Result> {
    if (command instanceof CommandMalformedError) return failed(command);
    try {
      const result = this.#instance.apply(command, context);
      requireAtOnce(result);
      return { kind: 'made', result };
    } catch (thrown) {
      return failed(thrown);
    }
  }

  #applyBatch(commands: readonly Command[], contexts: readonly ApplyContext[]): readonly Applied<Result>[] {
    try {
      const results = this.#instance.applyBatch?.(commands, contexts);
      invariant(results?.length === commands.length, 'applyBatch gives one result for each command');
      return results.map((result) => {
        requireAtOnce(result);
        return { kind: 'made', result };
      });
    } catch (thrown) {
      return commands.map(() => failed(thrown));
    }
  }
}

/** Whether an error is what a caller was to be told, and not a fault of the machine. */
export function isExpected(error: Error): boolean {
  return error instanceof CommandRejectedError;
}

/** How a command went that threw. */
export function failed(thrown: unknown): Applied<never> {
  // Of the whole group, and not of one command.
  if (thrown instanceof NondeterminismError) throw thrown;
  return { kind: 'failed', error: toError(thrown) };
}

function requireAtOnce(result: unknown): void {
  if (
    typeof result !== 'object' ||
    result === null ||
    !('then' in result) ||
    typeof result.then !== 'function'
  )
    return;
  throw new NondeterminismError('a promise', 'apply must be synchronous, and its result the value itself');
}

/** What a command may know. Commands that are applied one by one share it, as none may use it when it was applied. */
class PlacedContext implements ApplyContext {
  readonly index: LogIndex;
  readonly term: Term;
  readonly now: number;
  /** A function of its own, so that it can be taken out of the context. */
  readonly random: () => number;
  #place = 0;
  #draw: (() => number) | undefined;

  constructor({ entry, nowMs }: ApplyPlace) {
    this.index = entry.index;
    this.term = entry.term;
    this.now = nowMs;
    this.random = () => {
      this.#draw ??= randomAt(this.index, this.term, this.#place);
      return this.#draw();
    };
  }

  movedTo(place: number): this {
    this.#place = place;
    this.#draw = undefined;
    return this;
  }
}
