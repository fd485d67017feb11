import { resolve } from 'node:path';
import { type Address, type Preset, presets, type SecretKey, secretKey } from 'mosaik';
import { usage } from '../failure.ts';
import type { World } from '../world.ts';
import { address } from './address.ts';
import { readSettingsFile } from './file.ts';
import { readSecretKey } from './secret.ts';

/** The flags that all commands have, as they come from the command line. */
export interface CommonFlags {
  readonly network?: string;
  readonly bootstrap?: readonly string[];
  readonly listen?: readonly string[];
  readonly tag?: readonly string[];
  readonly key?: string;
  readonly secretKey?: string;
  readonly preset?: string;
  readonly mdns?: boolean;
  readonly config?: string;
  readonly timeout?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** How a command takes part in a network. */
export interface Settings {
  readonly network: string;
  readonly bootstrap: readonly Address[];
  readonly listen: readonly Address[] | undefined;
  readonly tags: readonly string[];
  readonly secretKey: SecretKey | undefined;
  readonly preset: Preset | undefined;
  readonly mdns: boolean;
  /** How long a command waits for what it needs. */
  readonly timeoutMs: number;
}

const DEFAULT_NETWORK = 'mosaik';
const DEFAULT_TIMEOUT_SECONDS = 10;

/**
 * Settings from flags, else the environment, else a file, else defaults.
 *
 * @throws {Failure} when one of them cannot be used.
 */
export function settingsOf(flags: CommonFlags, world: World, warn: (text: string) => void): Settings {
  const { env } = world;
  const file = readSettingsFile(flags.config ?? given(env['MOSAIK_CONFIG']), world);
  const bootstrap = flags.bootstrap ?? listIn(env['MOSAIK_BOOTSTRAP']) ?? file.bootstrap ?? [];
  const listen = flags.listen ?? listIn(env['MOSAIK_LISTEN']) ?? file.listen;
  return {
    network: flags.network ?? given(env['MOSAIK_NETWORK']) ?? file.network ?? DEFAULT_NETWORK,
    bootstrap: bootstrap.map(address),
    listen: listen?.map(address),
    tags: flags.tag ?? listIn(env['MOSAIK_TAGS']) ?? file.tags ?? [],
    secretKey: keyOf(flags, file.secretKeyFile, { world, warn }),
    preset: presetOf(flags.preset ?? given(env['MOSAIK_PRESET']) ?? file.preset),
    mdns: flags.mdns ?? file.mdns ?? false,
    timeoutMs: seconds(flags.timeout ?? given(env['MOSAIK_TIMEOUT']) ?? `${DEFAULT_TIMEOUT_SECONDS}`) * 1000,
  };
}

function keyOf(
  flags: CommonFlags,
  inFile: string | undefined,
  { world, warn }: { readonly world: World; readonly warn: (text: string) => void },
): SecretKey | undefined {
  if (flags.secretKey !== undefined) {
    warn(
      '--secret-key can be seen by every user of this machine, and is kept in the history: use --key FILE',
    );
    if (flags.key !== undefined) throw usage('--key and --secret-key cannot both be given');
    if (flags.secretKey === '') throw usage('--secret-key is empty');
    return secretKey(flags.secretKey);
  }
  const path = flags.key ?? given(world.env['MOSAIK_SECRET_KEY_FILE']) ?? inFile;
  return path === undefined
    ? undefined
    : readSecretKey(resolve(world.folder, path), { env: world.env, warn });
}

function presetOf(text: string | undefined): Preset | undefined {
  if (text === undefined || Object.hasOwn(presets, text)) return text as Preset | undefined;
  throw usage(`there is no preset "${text}"`, `there are ${Object.keys(presets).join(', ')}`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 86_400) return value;
  throw usage(`"${text}" is no time`, '--timeout takes seconds, above 0 and up to a day');
}

/** A variable that is set to nothing is not set. */
function given(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

/** Of words separated by commas or spaces. */
function listIn(text: string | undefined): readonly string[] | undefined {
  return given(text)?.split(/[\s,]+/);
}
