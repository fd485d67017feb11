import { MosaikError } from '@mosaik/primitives';
import type { CommandEffect, CommandError } from './machine/errors.ts';
import type { LogIndex } from './raft/types.ts';

/** What became of one command of a call that ended with an error. */
export type CommandOutcome<Command = unknown, Result = unknown> =
  /** It is applied: `index` is of its entry. */
  | {
      readonly command: Command;
      readonly effect: 'applied';
      readonly index: LogIndex;
      readonly result: Result;
      readonly error?: undefined;
    }
  /** It has no result: `error` says why. */
  | { readonly command: Command; readonly effect: CommandEffect; readonly error: CommandError }
  /** The call ended before it was heard of. */
  | { readonly command: Command; readonly effect: 'notApplied' | 'unknown'; readonly error?: undefined };

/** A call ended before all of its commands had results; tells what became of each. */
export abstract class CommandsError<Command = unknown, Result = unknown> extends MosaikError {
  /** Of each command of the call, in call order. */
  readonly outcomes: readonly CommandOutcome<Command, Result>[];
  /** Commands that never left this member: they are not applied, and may be sent again. In call order. */
  readonly unsent: readonly Command[];
  /** Commands that may be applied or not: look before they are sent again. In call order. */
  readonly unknown: readonly Command[];

  constructor(
    code: string,
    message: string,
    outcomes: readonly CommandOutcome<Command, Result>[],
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.outcomes = outcomes;
    this.unsent = commandsOf(outcomes, ({ effect, error }) => effect === 'notApplied' && error === undefined);
    this.unknown = commandsOf(outcomes, ({ effect }) => effect === 'unknown');
  }

  /** What became of all of them; `unknown` also when they differ. */
  get effect(): CommandEffect {
    const [first] = this.outcomes;
    if (first === undefined) return 'notApplied';
    return this.outcomes.every(({ effect }) => effect === first.effect) ? first.effect : 'unknown';
  }
}

/** All commands of a call were heard of, and not all have results. `cause` is the error of the first that has none. */
export class CommandsFailedError<Command = unknown, Result = unknown> extends CommandsError<Command, Result> {
  override readonly name = 'CommandsFailedError';
  declare readonly cause: CommandError;

  constructor(outcomes: readonly CommandOutcome<Command, Result>[]) {
    const failed = outcomes.filter(({ error }) => error !== undefined);
    const cause = failed[0]?.error;
    const message = `${failed.length} of ${outcomes.length} commands have no result; the first: ${cause?.message}`;
    super('ERR_COMMANDS_FAILED', message, outcomes, { cause });
  }
}

/** The member is closed, or is closing: what it was asked is not done. */
export class GroupClosedError<Command = unknown, Result = unknown> extends CommandsError<Command, Result> {
  override readonly name = 'GroupClosedError';

  constructor(message: string, outcomes: readonly CommandOutcome<Command, Result>[] = []) {
    super('ERR_GROUP_CLOSED', message, outcomes);
  }
}

/** More commands, or strong queries, wait in this member than are bounded for; these were not taken, nor any part of them. */
export class GroupOverloadedError<Command = unknown> extends CommandsError<Command> {
  override readonly name = 'GroupOverloadedError';

  constructor(message: string, unsent: readonly Command[] = []) {
    super('ERR_GROUP_OVERLOADED', message, outcomesOfUnsent(unsent));
  }
}

/** How a wait was given up. */
interface Abort<Command, Result> extends ErrorOptions {
  /** What becomes of the commands that had been sent. Default: nothing, none had been. */
  readonly resolved?: Promise<readonly CommandOutcome<Command, Result>[]> | undefined;
}

/** The wait for an outcome was given up; `cause` is the signal's reason. */
export class CommandAbortedError<Command = unknown, Result = unknown> extends CommandsError<Command, Result> {
  override readonly name = 'CommandAbortedError';
  readonly #resolved: Promise<readonly CommandOutcome<Command, Result>[]>;

  constructor(
    outcomes: readonly CommandOutcome<Command, Result>[],
    { cause, resolved }: Abort<Command, Result> = {},
  ) {
    super('ERR_COMMAND_ABORTED', 'the wait for the outcome of a command was aborted', outcomes, { cause });
    this.#resolved = resolved ?? Promise.resolve(outcomes);
  }

  /**
   * What became of the commands in the end, as far as it comes to be known: those that had been sent go on, and the member
   * hears of them. Resolves when each is known, or when the member ends; never rejects. A command stays `unknown` only when
   * the member ended before, or its session expired.
   */
  resolved(): Promise<readonly CommandOutcome<Command, Result>[]> {
    return this.#resolved;
  }
}

/** A command that cannot be sent, and where in its call it is. */
interface Offender<Command> {
  readonly place: number;
  readonly commands: readonly Command[];
}

/** A command is larger than a group takes; none of its call was sent. */
export class CommandTooLargeError<Command = unknown> extends CommandsError<Command> {
  override readonly name = 'CommandTooLargeError';
  /** Of the command that is too large, among those of the call. */
  readonly place: number;

  constructor(bytes: number, maxBytes: number, { place, commands }: Offender<Command>) {
    const message = `a command of ${bytes} bytes is over the limit of ${maxBytes}`;
    super('ERR_COMMAND_TOO_LARGE', message, outcomesOfUnsent(commands));
    this.place = place;
  }
}

/** The machine's codec does not take a command; none of its call was sent. `cause` is what the codec threw. */
export class CommandInvalidError<Command = unknown> extends CommandsError<Command> {
  override readonly name = 'CommandInvalidError';
  /** Of the command that is not taken, among those of the call. */
  readonly place: number;

  constructor(cause: Error, { place, commands }: Offender<Command>) {
    const message = `the command cannot be encoded: ${cause.message}`;
    super('ERR_COMMAND_INVALID', message, outcomesOfUnsent(commands), { cause });
    this.place = place;
  }
}

/** The member failed and has left the group's work; `cause` is why: the disk, a bug, or state that cannot be. */
export class GroupFailedError<Command = unknown, Result = unknown> extends CommandsError<Command, Result> {
  override readonly name = 'GroupFailedError';

  constructor(cause: Error, outcomes: readonly CommandOutcome<Command, Result>[] = []) {
    super('ERR_GROUP_FAILED', `the member has failed: ${cause.message}`, outcomes, { cause });
  }
}

/** Leadership cannot be handed over. */
export class LeadershipError extends MosaikError {
  override readonly name = 'LeadershipError';
  readonly reason: string;

  constructor(reason: string) {
    super('ERR_LEADERSHIP', `leadership cannot be handed over: ${reason}`);
    this.reason = reason;
  }
}

/** Of commands none of which has left this member. */
export function outcomesOfUnsent<Command>(commands: readonly Command[]): CommandOutcome<Command, never>[] {
  return commands.map((command) => ({ command, effect: 'notApplied' }));
}

function commandsOf<Command>(
  outcomes: readonly CommandOutcome<Command>[],
  isMeant: (outcome: CommandOutcome<Command>) => boolean,
): Command[] {
  return outcomes.filter(isMeant).map(({ command }) => command);
}
