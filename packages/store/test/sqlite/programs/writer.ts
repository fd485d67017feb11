// Writes to a store until it is killed, and says on standard output what was acknowledged: `<operation> <number>` a line.
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { sqlite } from '../../../src/sqlite/index.ts';
import type { Point } from '../../../src/sqlite/points.ts';
import { writeOn } from './ledger.ts';

// It will not end by itself, and what was compiled for it is to serve the next one.
flushCompileCache();

const [path = '', point, visit = '1'] = process.argv.slice(2);
const killAt = point === undefined ? undefined : { point: point as Point, visit: Number(visit) };
const store = sqlite(path, { killAt, checkpointBytes: 1_000_000 });
// At once, and not through a stream: what was said before a kill has been said.
await writeOn(store, (line) => void writeSync(1, `${line}\n`));
