import { MosaikError, shortId } from '@mosaik/primitives';
import type { Epoch, Sequence } from '@mosaik/streams';
import type { LogIdentity } from './log/log-storage.ts';

/** An offset was asked for that the producer has not reached: there is nothing there, and old data are not given for it. */
export class OffsetAheadError extends MosaikError {
  override readonly name = 'OffsetAheadError';
  readonly identity: LogIdentity;
  readonly offset: Sequence;
  /** Where the log ends; undefined where the holder did not say. */
  readonly next: Sequence | undefined;

  constructor(identity: LogIdentity, offset: Sequence, next: Sequence | undefined) {
    const end = next === undefined ? '' : `, which is ${next}`;
    super(
      'ERR_OFFSET_AHEAD',
      `offset ${offset} of the log ${identity.log} of ${shortId(identity.producer)} lies beyond its end${end}`,
    );
    this.identity = identity;
    this.offset = offset;
    this.next = next;
  }
}

/** The log that a cursor points into is gone: its producer has begun another one, and nobody has kept the old one. */
export class LogReplacedError extends MosaikError {
  override readonly name = 'LogReplacedError';
  /** What the cursor points into. */
  readonly identity: LogIdentity;
  readonly offset: Sequence;
  /** The log that the producer writes now. */
  readonly present: Epoch;

  constructor(identity: LogIdentity, offset: Sequence, present: Epoch) {
    super(
      'ERR_LOG_REPLACED',
      `the log ${identity.log} of ${shortId(identity.producer)} is gone: its producer writes ${present} now, and nobody has kept what came before`,
    );
    this.identity = identity;
    this.offset = offset;
    this.present = present;
  }
}

/** A cursor that cannot be used: it is not one, or is one of another stream. */
export class CursorError extends MosaikError {
  override readonly name = 'CursorError';

  constructor(message: string) {
    super('ERR_CURSOR', `cursor: ${message}`);
  }
}
