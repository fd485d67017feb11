import {
  DecodeError,
  type MosaikError,
  toError,
  validateSync,
  type WaitOptions,
  waitFor,
} from '@mosaik/primitives';
import type { StreamDefinition } from '../definition.ts';
import { DatumRefusedError, UnsentError } from '../errors.ts';
import { checkDatumSize } from '../wire/block.ts';

/** Shared by all sends that found room: taking a datum costs no promise of its own. */
const TAKEN: Promise<void> = Promise.resolve();

/** Sends that may wait at once; more is a caller that does not await. */
const WAITING_MAX = 16_384;

/** Where data go that were taken in. */
export interface IntakeTarget<In> {
  /** Undefined while data can be taken; else the error a datum is handed back with. */
  readonly obstacle: <T>(datum: T) => (MosaikError & { readonly datum: T }) | undefined;
  /** Whether there is none, at less cost. */
  readonly isOpen: boolean;
  /** Whether the obstacle is for good. */
  readonly isOver: boolean;
  /** Takes a datum; callers that can wait go on when the promise resolves. */
  readonly put: (encoded: Uint8Array, datum: In) => Promise<void> | undefined;
  /** Takes a datum by encoding it where it is to lie; returns its length. Throws what the codec throws. */
  readonly encode: (datum: In) => number;
  /** To be called after {@link IntakeTarget.encode}; like {@link IntakeTarget.put}. */
  readonly taken: (datum: In, bytes: number) => Promise<void> | undefined;
  readonly setWanted: (isWanted: boolean) => void;
}

/** Checks and encodes data, and lets those wait that come too early, in the order in which they came. */
export class Intake<In> {
  readonly #definition: StreamDefinition<In, unknown>;
  readonly #target: IntakeTarget<In>;
  readonly #waiting = new Set<() => void>();
  #isOpen = false;

  constructor(definition: StreamDefinition<In, unknown>, target: IntakeTarget<In>) {
    this.#definition = definition;
    this.#target = target;
  }

  send(datum: In, options: WaitOptions = {}): Promise<void> {
    try {
      if (!this.#isOpen || this.#waiting.size > 0 || options.signal?.aborted === true) {
        return this.#wait(this.#encode(datum), datum, options);
      }
      return this.#take(datum) ?? TAKEN;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  trySend(datum: In): void {
    const obstacle = this.#target.obstacle(datum);
    if (obstacle === undefined) {
      void this.#take(datum);
      return;
    }
    // What cannot be sent at all is told before what cannot be sent now.
    this.#encode(datum);
    if (!this.#target.isOver) this.#target.setWanted(true);
    throw obstacle;
  }

  /** Looks anew whether data can be taken. */
  update(): void {
    this.#isOpen = this.#target.isOpen;
    for (const wake of this.#waiting) {
      if (!this.#isOpen && !this.#target.isOver) break;
      wake();
    }
    if (this.#waiting.size > 0) this.#target.setWanted(true);
    else if (this.#isOpen) this.#target.setWanted(false);
  }

  #wait(encoded: Uint8Array, datum: In, { signal }: WaitOptions): Promise<void> {
    const { isOver, obstacle, setWanted, put } = this.#target;
    if (isOver) return Promise.reject(obstacle(datum) as Error);
    if (this.#waiting.size >= WAITING_MAX) return Promise.reject(tooManyWaiting(datum));
    const waited = waitFor<Promise<void>>('sending to a stream', signal, (resolve, reject) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        if (this.#target.isOver) {
          reject(obstacle(datum) as Error);
          return;
        }
        resolve(put(encoded, datum) ?? TAKEN);
      };
      this.#waiting.add(wake);
      return () => void this.#waiting.delete(wake);
    });
    setWanted(true);
    return waited.then((taken) => taken);
  }

  /** Checks and encodes a datum that can be taken. */
  #take(datum: In): Promise<void> | undefined {
    const { schema } = this.#definition;
    let bytes: number;
    try {
      if (schema !== undefined) validateSync(schema, datum);
      bytes = this.#target.encode(datum);
    } catch (thrown) {
      throw refused(datum, thrown);
    }
    return this.#target.taken(datum, bytes);
  }

  #encode(datum: In): Uint8Array {
    const { schema, codec } = this.#definition;
    try {
      if (schema !== undefined) validateSync(schema, datum);
      const encoded = codec.encode(datum);
      checkDatumSize(encoded.length);
      return encoded;
    } catch (thrown) {
      throw refused(datum, thrown);
    }
  }
}

function refused<T>(datum: T, thrown: unknown): DatumRefusedError<T> {
  const error = toError(thrown);
  const issues = error instanceof DecodeError ? error.issues : [];
  return new DatumRefusedError(datum, error.message, { cause: error, issues });
}

function tooManyWaiting<T>(datum: T): UnsentError<T> {
  return new UnsentError(
    'ERR_TOO_MANY_WAITING',
    `${WAITING_MAX} sends already wait for room in this stream: await each of them`,
    datum,
  );
}
