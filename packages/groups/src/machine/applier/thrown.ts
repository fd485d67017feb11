import { DecodeError, textCodec } from '@mosaik/primitives';
import { ByteReader, ByteWriter } from '../../bytes.ts';
import {
  type CommandError,
  CommandFailedError,
  CommandMalformedError,
  CommandRejectedError,
} from '../errors.ts';

const REJECTED = 0;
const FAILED = 1;
const MALFORMED = 2;

/** What a command threw, as it is kept for its caller: only a rejection keeps its words, which the machine chose. */
export function encodeThrown(error: Error): Uint8Array {
  if (error instanceof CommandMalformedError) return Uint8Array.of(MALFORMED);
  if (!(error instanceof CommandRejectedError)) return Uint8Array.of(FAILED);
  const writer = new ByteWriter(64);
  writer.byte(REJECTED);
  writer.sized(textCodec.encode(error.reason));
  writer.sized(textCodec.encode(error.message));
  return writer.finish();
}

/** @throws {DecodeError} and nothing else. */
export function decodeThrown(bytes: Uint8Array): CommandError {
  const reader = new ByteReader(bytes);
  const error = readThrown(reader);
  reader.end();
  return error;
}

function readThrown(reader: ByteReader): CommandError {
  const kind = reader.byte();
  if (kind === FAILED) return new CommandFailedError();
  if (kind === MALFORMED) return new CommandMalformedError();
  if (kind !== REJECTED) throw new DecodeError('malformed', `an error of kind ${kind}`);
  const reason = textCodec.decode(reader.sized());
  return new CommandRejectedError(reason, textCodec.decode(reader.sized()));
}
