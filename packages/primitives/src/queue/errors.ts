import { ClosedError, MosaikError } from '../errors.ts';

/** The queue was closed; `cause` is the reason it was closed with. */
export class QueueClosedError<T = unknown> extends ClosedError {
  override readonly name = 'QueueClosedError';
  /** The item that was to be pushed and is not in the queue; undefined where it was about taking. */
  readonly item: T | undefined;

  constructor(message: string, options: ErrorOptions & { readonly item?: T } = {}) {
    super(message, options);
    this.item = options.item;
  }
}

/** More callers would wait on the queue than `maxWaiters`. */
export class TooManyWaitersError<T = unknown> extends MosaikError {
  override readonly name = 'TooManyWaitersError';
  /** The item that was to be pushed and is not in the queue; undefined where it was about taking. */
  readonly item: T | undefined;

  constructor(maxWaiters: number, item?: T) {
    super('ERR_TOO_MANY_WAITERS', `${maxWaiters} callers wait on this queue already`);
    this.item = item;
  }
}

/** An item that would not fit into the queue even if it were empty. */
export class ItemTooLargeError<T = unknown> extends MosaikError {
  override readonly name = 'ItemTooLargeError';
  readonly item: T;
  readonly sizeBytes: number;
  readonly maxBytes: number;

  constructor(item: T, sizeBytes: number, maxBytes: number) {
    super('ERR_ITEM_TOO_LARGE', `an item of ${sizeBytes} bytes for a queue of ${maxBytes}`);
    this.item = item;
    this.sizeBytes = sizeBytes;
    this.maxBytes = maxBytes;
  }
}
