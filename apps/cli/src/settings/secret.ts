import { readFileSync, statSync } from 'node:fs';
import { idToBytes, isUniqueId, SecretKey } from 'mosaik';
import { usage } from '../failure.ts';

/** A key file holds 64 hexadecimal digits; more is something else. */
const FILE_BYTES_MAX = 4096;
/** Permissions of anybody but the owner. */
const OTHERS = 0o077;

/**
 * Reads a secret key from a file, as `mosaik keygen` writes it.
 *
 * @throws {Failure} when there is none in it; what is in it is not repeated.
 */
export function readSecretKey(path: string, warn: (text: string) => void): SecretKey {
  const text = readSecret(path, warn);
  if (isUniqueId(text)) return new SecretKey(idToBytes(text));
  throw usage(`${path} holds no secret key`, 'make one with: mosaik keygen FILE');
}

/** The text of a file that only its owner should read, without the white space around it. */
export function readSecret(path: string, warn: (text: string) => void): string {
  try {
    const { mode, size } = statSync(path);
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
      warn(`${path} can be read by others: chmod 600 ${path}`);
    if (size <= FILE_BYTES_MAX) return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw usage(`cannot read ${path}: ${(cause as Error).message}`, 'make a key with: mosaik keygen FILE');
  }
  throw usage(`${path} is too large for a secret`);
}
