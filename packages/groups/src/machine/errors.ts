import { MosaikError } from '@mosaik/primitives';

/** Whether a command took effect. `unknown`: it may have, in whole or in part; look before it is sent again. */
export type CommandEffect = 'applied' | 'notApplied' | 'unknown';

/** Why one command has no result. */
export abstract class CommandError extends MosaikError {
  /** Whether the command took effect all the same. */
  abstract readonly effect: CommandEffect;
  /** The command, for whoever sent it; undefined inside the machine. */
  readonly command: unknown = undefined;
}

/**
 * A command that the machine refused: thrown by `apply`, and thrown again, the same on all members, to whoever sent the
 * command. Nothing else that `apply` throws reaches the caller with its text, as texts differ between platforms. The command
 * has had its turn and changed nothing, as `apply` checks first and changes after.
 */
export class CommandRejectedError extends CommandError {
  override readonly name = 'CommandRejectedError';
  override readonly effect = 'notApplied';
  /** The machine's own word for why, such as `insufficient-funds`. */
  readonly reason: string;

  constructor(reason: string, message?: string) {
    super('ERR_COMMAND_REJECTED', message ?? reason);
    this.reason = reason;
  }
}

/** `apply` threw what it should not have; how it did is in the log of each member. What it had changed stays. */
export class CommandFailedError extends CommandError {
  override readonly name = 'CommandFailedError';
  override readonly effect = 'unknown';

  constructor(message = 'the machine failed on this command') {
    super('ERR_COMMAND_FAILED', message);
  }
}

/** The bytes of a command are not what the machine's codec takes; it was not applied. */
export class CommandMalformedError extends CommandError {
  override readonly name = 'CommandMalformedError';
  override readonly effect = 'notApplied';

  constructor(message = 'the command could not be decoded by the members of the group') {
    super('ERR_COMMAND_MALFORMED', message);
  }
}

/**
 * The session of a command is gone: it was idle for too long, or too many others came. Whether the command was applied
 * before is not known any more; it will not be from here on.
 */
export class SessionExpiredError extends CommandError {
  override readonly name = 'SessionExpiredError';
  override readonly effect = 'unknown';
  readonly session: number;

  constructor(session: number) {
    super(
      'ERR_SESSION_EXPIRED',
      `session ${session} has expired: whether the command was applied is unknown`,
    );
    this.session = session;
  }
}

/** The command was applied, once, and its result is not kept any more. */
export class ResultForgottenError extends CommandError {
  override readonly name = 'ResultForgottenError';
  override readonly effect = 'applied';

  constructor(session: number, sequence: number) {
    super(
      'ERR_RESULT_FORGOTTEN',
      `command ${sequence} of session ${session} was applied; its result is gone`,
    );
  }
}

/** A machine read the clock, drew chance, set a timer or did I/O while it applied; names what to use instead. */
export class NondeterminismError extends MosaikError {
  override readonly name = 'NondeterminismError';
  /** What was used, as one would write it. */
  readonly what: string;

  constructor(what: string, instead: string) {
    super('ERR_NONDETERMINISM', `${what} inside apply differs between members: ${instead}`);
    this.what = what;
  }
}

/** A snapshot that is not of this machine, or not one at all. */
export class SnapshotFormatError extends MosaikError {
  override readonly name = 'SnapshotFormatError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_SNAPSHOT_FORMAT', message, options);
  }
}
