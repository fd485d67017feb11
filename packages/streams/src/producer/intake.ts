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
import { MESSAGE_BYTES_MAX } from '../wire/protocol.ts';

/** Shared by all sends that found room: taking a datum costs no promise of its own. */
const TAKEN: Promise<void> = Promise.resolve();

/** Sends that may wait at once; more is a caller that does not await. */
const WAITING_MAX = 16_384;

/** What is left of a message beside its heads. */
const DATUM_BYTES_MAX = MESSAGE_BYTES_MAX - 64;

/** Where data go that were taken in. */
export interface IntakeTarget {
  /** Undefined while data can be taken; else the error a datum is handed back with. */
  readonly obstacle: <T>(datum: T) => (MosaikError & { readonly datum: T }) | undefined;
  /** Whether there is none, at less cost. */
  readonly isOpen: boolean;
  /** Whether the obstacle is for good. */
  readonly isOver: boolean;
  /** Takes a datum; callers that can wait go on when the promise resolves. */
  readonly put: (encoded: Uint8Array, datum: unknown) => Promise<void> | undefined;
  readonly setWanted: (isWanted: boolean) => void;
}

/** Checks and encodes data, and lets those wait that come too early, in the order in which they came. */
export class Intake<In> {
  readonly #definition: StreamDefinition<In, unknown>;
  readonly #target: IntakeTarget;
  readonly #waiting = new Set<() => void>();
  #isOpen = false;

  constructor(definition: StreamDefinition<In, unknown>, target: IntakeTarget) {
    this.#definition = definition;
    this.#target = target;
  }

  send(datum: In, options: WaitOptions = {}): Promise<void> {
    let encoded: Uint8Array;
    try {
      encoded = this.#encode(datum);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    if (!this.#isOpen || this.#waiting.size > 0 || options.signal?.aborted === true) {
      return this.#wait(encoded, datum, options);
    }
    return this.#target.put(encoded, datum) ?? TAKEN;
  }

  trySend(datum: In): void {
    const encoded = this.#encode(datum);
    const obstacle = this.#target.obstacle(datum);
    if (obstacle !== undefined) {
      if (!this.#target.isOver) this.#target.setWanted(true);
      throw obstacle;
    }
    void this.#target.put(encoded, datum);
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

  #encode(datum: In): Uint8Array {
    const { schema, codec } = this.#definition;
    try {
      if (schema !== undefined) validateSync(schema, datum);
      const encoded = codec.encode(datum);
      if (encoded.length <= DATUM_BYTES_MAX) return encoded;
    } catch (thrown) {
      const error = toError(thrown);
      const issues = error instanceof DecodeError ? error.issues : [];
      throw new DatumRefusedError(datum, error.message, { cause: error, issues });
    }
    throw new DatumRefusedError(datum, `a datum takes at most ${DATUM_BYTES_MAX} bytes encoded`);
  }
}

function tooManyWaiting<T>(datum: T): UnsentError<T> {
  return new UnsentError(
    'ERR_TOO_MANY_WAITING',
    `${WAITING_MAX} sends already wait for room in this stream: await each of them`,
    datum,
  );
}
