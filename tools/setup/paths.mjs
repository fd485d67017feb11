// Where things are. Everything the setup writes is below `.toolchain/` or a `node_modules/`, both ignored by git.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const toolchain = join(root, '.toolchain');
export const pins = join(root, 'tools', 'pins');
export const lockFile = join(toolchain, 'setup.lock');
export const logFile = join(toolchain, 'setup.log');
/** What Node has compiled, see NODE_COMPILE_CACHE: an entry for each file, made anew when the file has changed. */
export const compileCache = join(toolchain, 'compile-cache');
export const binaries = join(root, 'node_modules', '.bin');
