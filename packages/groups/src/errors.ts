import { MosaikError } from '@mosaik/primitives';

/** The member is closed, or is closing: what it was asked is not done. */
export class GroupClosedError<Command = unknown> extends MosaikError {
  override readonly name = 'GroupClosedError';
  /** Commands that never left this member: they are not applied, and may be sent again elsewhere. In call order. */
  readonly unsent: readonly Command[];
  /** Commands whose outcome was still open: each may be applied or not. In call order. */
  readonly unknown: readonly Command[];

  constructor(message: string, commands: CommandsLeft<Command> = {}, options?: ErrorOptions) {
    super('ERR_GROUP_CLOSED', message, options);
    this.unsent = commands.unsent ?? [];
    this.unknown = commands.unknown ?? [];
  }
}

/** More commands wait in this member than are bounded for; these were not taken, nor any part of them. */
export class GroupOverloadedError<Command = unknown> extends MosaikError {
  override readonly name = 'GroupOverloadedError';
  readonly unsent: readonly Command[];

  constructor(waiting: number, unsent: readonly Command[]) {
    super('ERR_GROUP_OVERLOADED', `${waiting} commands wait already: await those sent before`);
    this.unsent = unsent;
  }
}

/** The wait for an outcome was given up. */
export class CommandAbortedError<Command = unknown> extends MosaikError {
  override readonly name = 'CommandAbortedError';
  /** The commands, if none of them had been sent: then none is applied. */
  readonly unsent: readonly Command[];
  /** Those that had been sent: each may be applied or not. */
  readonly unknown: readonly Command[];

  constructor(commands: CommandsLeft<Command>, options?: ErrorOptions) {
    super('ERR_COMMAND_ABORTED', 'the wait for the outcome of a command was aborted', options);
    this.unsent = commands.unsent ?? [];
    this.unknown = commands.unknown ?? [];
  }
}

/** A command is larger than a group takes; it was not sent. */
export class CommandTooLargeError<Command = unknown> extends MosaikError {
  override readonly name = 'CommandTooLargeError';
  readonly unsent: readonly Command[];

  constructor(bytes: number, maxBytes: number, unsent: readonly Command[]) {
    super('ERR_COMMAND_TOO_LARGE', `a command of ${bytes} bytes is over the limit of ${maxBytes}`);
    this.unsent = unsent;
  }
}

/** The member failed and has left the group's work; `cause` is why: the disk, a bug, or state that cannot be. */
export class GroupFailedError<Command = unknown> extends MosaikError {
  override readonly name = 'GroupFailedError';
  readonly unsent: readonly Command[];
  readonly unknown: readonly Command[];

  constructor(cause: Error, commands: CommandsLeft<Command> = {}) {
    super('ERR_GROUP_FAILED', `the member has failed: ${cause.message}`, { cause });
    this.unsent = commands.unsent ?? [];
    this.unknown = commands.unknown ?? [];
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

/** What is left of commands that will not be heard of here. */
export interface CommandsLeft<Command> {
  readonly unsent?: readonly Command[];
  readonly unknown?: readonly Command[];
}
