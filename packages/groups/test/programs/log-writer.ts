// Writes to a log until it is killed, and says on standard output what was acknowledged: `<operation> <number>` a line.
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { systemRuntime } from '@mosaik/primitives';
import { sqlite } from '../../src/sqlite/index.ts';
import type { KillPoint } from '../../src/sqlite/points.ts';
import { createLedger } from './ledger.ts';

// It will not end by itself, and what was compiled for it is to serve the next one.
flushCompileCache();

const [path = '', start = '0', point, visit = '1', deed] = process.argv.slice(2);
const killAt = point === undefined ? undefined : ({ point, visit: Number(visit), deed } as KillPoint);
const ledger = createLedger(Number(start));
const log = await sqlite(path, { killAt }).open({ group: ledger.group, runtime: systemRuntime });
// At once, and not through a stream: what was said before a kill has been said.
const say = (line: string): void => {
  while (!isSaid(line));
};

/** Who listens may be slow, and the pipe full: then it is said again. */
function isSaid(line: string): boolean {
  try {
    writeSync(1, `${line}\n`);
    return true;
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'EAGAIN') return false;
    throw thrown;
  }
}

say(`opened ${log.recovered.last.index}`);
await ledger.write(log, say);
