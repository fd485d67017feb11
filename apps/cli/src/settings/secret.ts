import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { idToBytes, isUniqueId, SecretKey } from 'mosaik';
import { usage } from '../failure.ts';
import type { World } from '../world.ts';

/** A key file holds 64 hexadecimal digits; more is something else. */
const FILE_BYTES_MAX = 4096;
/** Permissions of anybody but the owner. */
const OTHERS = 0o077;

/**
 * Reads a secret key from a file, as `mosaik keygen` writes it.
 *
 * @throws {Failure} when there is none in it; what is in it is not repeated.
 */
export function readSecretKey(path: string, from: SecretSource): SecretKey {
  const text = readSecret(path, from);
  if (isUniqueId(text)) return new SecretKey(idToBytes(text));
  throw usage(`${path} holds no secret key`, 'make one with: mosaik keygen FILE');
}

/** Where secrets come from, and who is told that others can read them. */
export interface SecretSource {
  readonly env: World['env'];
  readonly warn: (text: string) => void;
}

/** The text of a file that only its owner should read, without the white space around it. */
export function readSecret(path: string, { env, warn }: SecretSource): string {
  try {
    const { mode, size } = statSync(path);
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0 && !isCredential(path, env))
      warn(`${path} can be read by others: chmod 600 ${path}`);
    if (size <= FILE_BYTES_MAX) return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw usage(`cannot read ${path}: ${(cause as Error).message}`, 'make a key with: mosaik keygen FILE');
  }
  throw usage(`${path} is too large for a secret`);
}

/** systemd gives a service its credentials by an access list, which shows as permissions of a group. */
function isCredential(path: string, env: World['env']): boolean {
  return dirname(path) === env['CREDENTIALS_DIRECTORY'];
}
