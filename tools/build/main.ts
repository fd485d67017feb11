// `npm run build`: compiles every published package to its `dist`, in dependency order, what is unchanged from the cache.

import { spawn } from 'node:child_process';

const child = spawn('turbo', ['run', 'build', '--output-logs=new-only', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
