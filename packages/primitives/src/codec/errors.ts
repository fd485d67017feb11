import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MosaikError } from '../errors.ts';

/**
 * Why bytes were refused: `malformed` is not what the format allows, `limit` is more than the receiver takes,
 * `schema` is well-formed but of another shape than agreed.
 */
export type DecodeFailure = 'malformed' | 'limit' | 'schema';

/** What is known of a failure to decode, besides its message. */
export interface DecodeErrorDetails extends ErrorOptions {
  readonly offset?: number | undefined;
  readonly issues?: readonly StandardSchemaV1.Issue[] | undefined;
}

/** Bytes that cannot be decoded; the only error a decoder throws, whatever it is given. */
export class DecodeError extends MosaikError {
  override readonly name = 'DecodeError';
  readonly reason: DecodeFailure;
  /** Position of the offending byte, where it is known. */
  readonly offset: number | undefined;
  /** What the schema found; empty unless `reason` is `schema`. */
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(reason: DecodeFailure, message: string, details: DecodeErrorDetails = {}) {
    super('ERR_DECODE', message, details);
    this.reason = reason;
    this.offset = details.offset;
    this.issues = details.issues ?? [];
  }
}

/** A value that cannot be encoded; `path` leads to the part at fault, and is empty where that is unknown. */
export class EncodeError extends MosaikError {
  override readonly name = 'EncodeError';
  readonly path: readonly (string | number)[];

  constructor(message: string, path: readonly (string | number)[] = [], options?: ErrorOptions) {
    super('ERR_ENCODE', path.length === 0 ? message : `${message} (at ${path.join('.')})`, options);
    this.path = path;
  }
}
