import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is removed with all that is in it: when it is disposed of, or when we end before. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
}

const MEMORY = '/dev/shm';

/** Whether the machine offers a file system in memory, where a sync costs nothing. */
export const hasMemoryFolder: boolean = existsSync(MEMORY);

/** A new folder: on disk where temporary files are (see TMPDIR), or in memory. */
export async function createFolder(where: 'disk' | 'memory' = 'disk'): Promise<Folder> {
  const parent = where === 'memory' && hasMemoryFolder ? MEMORY : tmpdir();
  const path = await mkdtemp(join(parent, 'mosaik-bench-'));
  const atExit = (): void => rmSync(path, { recursive: true, force: true });
  process.on('exit', atExit);
  return {
    path,
    async [Symbol.asyncDispose]() {
      process.off('exit', atExit);
      await rm(path, { recursive: true, force: true });
    },
  };
}
