import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Builds what has changed of our packages. */
export async function buildPackages(): Promise<void> {
  await promisify(execFile)(process.execPath, [`${ROOT}tools/run.mjs`, 'build'], { cwd: ROOT });
}
