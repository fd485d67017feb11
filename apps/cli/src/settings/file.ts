import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { usage } from '../failure.ts';
import type { World } from '../world.ts';

const texts = v.array(v.string());

/** What a settings file may say; flags and the environment come first. */
export interface SettingsFile {
  readonly network?: string | undefined;
  readonly bootstrap?: readonly string[] | undefined;
  readonly listen?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly secretKeyFile?: string | undefined;
  readonly preset?: string | undefined;
  readonly mdns?: boolean | undefined;
}

const fileSchema = v.strictObject({
  network: v.optional(v.string()),
  bootstrap: v.optional(texts),
  listen: v.optional(texts),
  tags: v.optional(texts),
  secretKeyFile: v.optional(v.string()),
  preset: v.optional(v.picklist(['local', 'lan', 'wan'])),
  mdns: v.optional(v.boolean()),
});

/** Read when it is there and no other one is named. */
const DEFAULT_NAME = 'mosaik.json';

/**
 * Reads the settings file: the one that is named, else `mosaik.json` in the folder, else none. Paths in it are relative to it.
 *
 * @throws {Failure} when it cannot be read, or says something that is not known.
 */
export function readSettingsFile(named: string | undefined, { folder }: Pick<World, 'folder'>): SettingsFile {
  const path = resolve(folder, named ?? DEFAULT_NAME);
  if (named === undefined && !existsSync(path)) return {};
  const read = parse(path);
  if (typeof read === 'object' && read !== null && 'secretKey' in read)
    throw usage(
      `${path} holds a secret key`,
      'put it into a file of its own, and name that: "secretKeyFile"',
    );
  const result = v.safeParse(fileSchema, read);
  if (!result.success) {
    const [issue] = result.issues;
    throw usage(`${path}: ${v.getDotPath(issue) ?? 'settings'}: ${issue.message}`);
  }
  const { secretKeyFile, ...rest } = result.output;
  return secretKeyFile === undefined
    ? rest
    : { ...rest, secretKeyFile: resolve(dirname(path), secretKeyFile) };
}

function parse(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw usage(`cannot read ${path}: ${(cause as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw usage(`${path} is not JSON: ${(cause as Error).message}`);
  }
}
