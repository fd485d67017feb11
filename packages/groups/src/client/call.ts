import { invariant, unreachable } from '@mosaik/primitives';
import { CommandAbortedError, type CommandOutcome, CommandsFailedError } from '../errors.ts';
import { type CommandError, ResultForgottenError, SessionExpiredError } from '../machine/errors.ts';
import type { LogIndex } from '../raft/types.ts';
import type { PendingCommand, SessionOutcome } from './session.ts';

/** A command with a result of its own. */
export interface Settled {
  readonly index: LogIndex;
  readonly result: unknown;
}

/** Makes the error of what ended a call, from what became of its commands. */
export type Ending = (outcomes: readonly CommandOutcome[]) => Error;

/** A call of one command, which is all in one: most are. */
export class SingleCall implements PendingCommand {
  readonly bytes: Uint8Array;
  readonly settled: Promise<Settled>;
  isCancelled = false;
  isSent = false;
  readonly #command: unknown;
  #resolve!: (settled: Settled) => void;
  #reject!: (error: Error) => void;

  constructor(command: unknown, bytes: Uint8Array) {
    this.#command = command;
    this.bytes = bytes;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  settle(outcome: SessionOutcome): void {
    if (outcome.kind === 'applied') {
      this.#resolve({ index: outcome.index, result: outcome.result });
      return;
    }
    invariant(outcome.kind !== 'unsent', 'a command that nobody gives up is sent');
    this.#reject(errorOf(outcome, this.#command));
  }

  /** It is over before it was settled. */
  end(ending: Ending): void {
    this.#reject(ending([openOutcome(this.#command, this.isSent)]));
  }
}

/**
 * A call of many commands: heard of when each of them is settled, or when it is ended before.
 *
 *     waiting ─ all settled ─▶ over
 *             ─ given up ─▶ given up ─ all settled, ended ─▶ over
 *             ─ ended ─▶ over
 */
export class ManyCall {
  readonly settled: Promise<readonly Settled[]>;
  readonly pending: readonly PendingCommand[];
  readonly #commands: readonly unknown[];
  readonly #results: (Settled | undefined)[];
  /** Of those without a result, by place. */
  #errors: Map<number, CommandError> | undefined;
  #left: number;
  #onOver: () => void = () => {};
  /** Told what became of all, when that has been given up. */
  #resolveLater: ((outcomes: readonly CommandOutcome[]) => void) | undefined;
  #resolve!: (settled: readonly Settled[]) => void;
  #reject!: (error: Error) => void;

  constructor(commands: readonly unknown[], encoded: readonly Uint8Array[]) {
    this.#commands = commands;
    this.#results = new Array(commands.length).fill(undefined);
    this.#left = commands.length;
    this.pending = encoded.map((bytes, place) => new CommandOfMany(bytes, place, this));
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Calls back when nothing more is heard of it. */
  whenOver(onOver: () => void): void {
    this.#onOver = onOver;
  }

  /** One of its commands is settled. Those after it go on, whatever became of it: each is a command of its own. */
  settle(place: number, outcome: SessionOutcome): void {
    if (outcome.kind === 'applied') this.#results[place] = { index: outcome.index, result: outcome.result };
    else if (outcome.kind !== 'unsent') this.#fail(place, outcome);
    if (--this.#left > 0) return;
    this.#onOver();
    if (this.#resolveLater !== undefined) this.#resolveLater(this.#outcomes());
    else if (this.#errors === undefined) this.#resolve(this.#results as Settled[]);
    else this.#reject(new CommandsFailedError(this.#outcomes()));
  }

  /** Nobody waits any more. What was sent goes on, and is told to whoever asks the error for it. */
  giveUp(cause: unknown): void {
    const resolved = new Promise<readonly CommandOutcome[]>((resolve) => {
      this.#resolveLater = resolve;
    });
    this.#reject(new CommandAbortedError(this.#outcomes(), { cause, resolved }));
  }

  /** Nothing more will be heard. */
  end(ending: Ending): void {
    this.#onOver();
    if (this.#resolveLater !== undefined) this.#resolveLater(this.#outcomes());
    else this.#reject(ending(this.#outcomes()));
  }

  #fail(place: number, outcome: Failure): void {
    this.#errors ??= new Map();
    this.#errors.set(place, errorOf(outcome, this.#commands[place]));
  }

  #outcomes(): CommandOutcome[] {
    return this.#commands.map((command, place) => {
      const result = this.#results[place];
      if (result !== undefined) return { command, effect: 'applied', ...result };
      const error = this.#errors?.get(place);
      if (error !== undefined) return { command, effect: error.effect, error };
      return openOutcome(command, this.pending[place]?.isSent === true);
    });
  }
}

class CommandOfMany implements PendingCommand {
  readonly bytes: Uint8Array;
  isCancelled = false;
  isSent = false;
  readonly #place: number;
  readonly #call: ManyCall;

  constructor(bytes: Uint8Array, place: number, call: ManyCall) {
    this.bytes = bytes;
    this.#place = place;
    this.#call = call;
  }

  settle(outcome: SessionOutcome): void {
    this.#call.settle(this.#place, outcome);
  }
}

type Failure = Exclude<SessionOutcome, { kind: 'applied' | 'unsent' }>;

/** Why a command has no result; the error is of whoever sent it alone. */
function errorOf(outcome: Failure, command: unknown): CommandError {
  return Object.assign(causeOf(outcome), { command });
}

function causeOf(outcome: Failure): CommandError {
  switch (outcome.kind) {
    case 'failed':
      return outcome.error;
    case 'expired':
      return new SessionExpiredError(outcome.session);
    case 'forgotten':
      return new ResultForgottenError(outcome.session, outcome.sequence);
    default:
      return unreachable(outcome);
  }
}

/** Of a command that was not heard of. */
function openOutcome(command: unknown, isSent: boolean): CommandOutcome {
  return { command, effect: isSent ? 'unknown' : 'notApplied' };
}
