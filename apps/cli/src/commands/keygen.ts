import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { randomSecretKey, systemRuntime } from 'mosaik';
import { identityOf } from 'mosaik/transport/libp2p';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { Failure } from '../failure.ts';

export interface KeygenOptions {
  readonly file: string;
  readonly force?: boolean;
}

/** Makes a secret key: into a file that only its owner reads, never to the screen. */
export async function keygen(
  { world, console }: Context,
  { file, force = false }: KeygenOptions,
): Promise<void> {
  const path = resolve(world.folder, file);
  const key = randomSecretKey(systemRuntime);
  try {
    writeFileSync(path, `${key.toHex()}\n`, { mode: 0o600, flag: force ? 'w' : 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new Failure(ExitCode.Failed, `${path} is there already`, {
      cause,
      hint: 'whoever loses a key loses the identity: --force overwrites it all the same',
    });
  }
  const { peerId } = await identityOf(key);
  await console.show({ file: path, peerId }, () => `secret key in ${path}\npeer id       ${peerId}`);
}
