import {
  InvalidArgumentError,
  idFromBytes,
  idToBytes,
  isUniqueId,
  type Runtime,
  uniqueId,
} from '@mosaik/primitives';

const SECRET_KEY_BYTES = 32;
const REDACTED = 'SecretKey(redacted)';

/** A node's identity: the 32-byte seed of its Ed25519 key. Printing it, in whatever way, shows nothing. */
export class SecretKey {
  static {
    // What Node prints of it, in the console and in an assertion that fails; elsewhere the symbol means nothing.
    const inspect = Symbol.for('nodejs.util.inspect.custom');
    Object.defineProperty(SecretKey.prototype, inspect, { value: () => REDACTED });
  }

  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
  }

  /** A copy of the seed. */
  toBytes(): Uint8Array {
    return this.#bytes.slice();
  }

  /** The seed as 64 hexadecimal characters, to be stored where only this node reads it. */
  toHex(): string {
    return idFromBytes(this.#bytes);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }
}

/**
 * A secret key from 32 bytes, from 64 hexadecimal characters, or from any other text, which is hashed.
 * Hashed text is for demos and tests: whoever guesses the text is the node.
 *
 * @throws {InvalidArgumentError} when the bytes are not 32, or the text is empty.
 */
export function secretKey(from: Uint8Array | string | SecretKey): SecretKey {
  if (from instanceof SecretKey) return from;
  if (typeof from === 'string') return new SecretKey(bytesOfText(from));
  if (from.length !== SECRET_KEY_BYTES) {
    throw new InvalidArgumentError('secretKey', `${SECRET_KEY_BYTES} bytes, not ${from.length}`);
  }
  return new SecretKey(from);
}

/** A fresh secret key. */
export function randomSecretKey(runtime: Pick<Runtime, 'randomBytes'>): SecretKey {
  return new SecretKey(runtime.randomBytes(SECRET_KEY_BYTES));
}

function bytesOfText(text: string): Uint8Array {
  if (text === '') throw new InvalidArgumentError('secretKey', 'a text that is not empty');
  return idToBytes(isUniqueId(text) ? text : uniqueId(text));
}
