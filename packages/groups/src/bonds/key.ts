import {
  deriveId,
  type GroupId,
  InvalidArgumentError,
  idFromBytes,
  idToBytes,
  isUniqueId,
  type UniqueId,
  uniqueId,
} from '@mosaik/primitives';

const KEY_BYTES = 32;
const REDACTED = 'GroupKey(redacted)';

/** The secret that members of a group share. Printing it, in whatever way, shows nothing. */
export class GroupKey {
  static {
    // What Node prints of it, in the console and in an assertion that fails; elsewhere the symbol means nothing.
    const inspect = Symbol.for('nodejs.util.inspect.custom');
    Object.defineProperty(GroupKey.prototype, inspect, { value: () => REDACTED });
  }

  readonly #id: UniqueId;

  constructor(bytes: Uint8Array) {
    this.#id = idFromBytes(bytes);
  }

  /** 32 bytes for one purpose; says nothing of the key, nor of those for other purposes. */
  derive(purpose: string, ...parts: readonly string[]): UniqueId {
    return deriveId(this.#id, purpose, ...parts);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }
}

/**
 * A group key from 32 bytes, from 64 hexadecimal characters, or from any other text, which is hashed.
 *
 * The id of the group is derived from it and public: a text that can be guessed can be found by trying. Text is for
 * demos and tests.
 *
 * @throws {InvalidArgumentError} when the bytes are not 32, or the text is empty.
 */
export function groupKey(from: Uint8Array | string | GroupKey): GroupKey {
  if (from instanceof GroupKey) return from;
  if (typeof from === 'string') return new GroupKey(bytesOfText(from));
  if (from.length !== KEY_BYTES) {
    throw new InvalidArgumentError('key', `${KEY_BYTES} bytes, not ${from.length}`);
  }
  return new GroupKey(from);
}

function bytesOfText(text: string): Uint8Array {
  if (text === '') throw new InvalidArgumentError('key', 'a text that is not empty');
  return idToBytes(isUniqueId(text.toLowerCase()) ? uniqueId(text) : uniqueId(`mosaik group key ${text}`));
}

/** What the members of a group must agree upon: two nodes that do not are in two groups. */
export interface GroupTerms {
  /** How many bonded members found the group. */
  readonly founders: number;
  /** What the state machine is, its version included. */
  readonly machineSignature: string;
  /** How state is brought to members that lag. */
  readonly syncSignature: string;
  /** Names the rules by which a peer with the key may be a member; empty when all may. See `ticketTerms`. */
  readonly ticketRules: string;
}

/** The id of a group: derived from the key, one way, and from everything that matters for its safety. */
export function groupIdOf(key: GroupKey, terms: GroupTerms): GroupId {
  const { founders, machineSignature, syncSignature, ticketRules } = terms;
  return key.derive('group id', `${founders}`, machineSignature, syncSignature, ticketRules) as GroupId;
}
