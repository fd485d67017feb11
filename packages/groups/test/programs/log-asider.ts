// Puts a log aside, and is killed at the `visit`th of its files.
import { sqlite } from '../../src/sqlite/index.ts';
import { ASIDE_POINT } from '../../src/sqlite/points.ts';

const [path = '', visit = '1'] = process.argv.slice(2);
await sqlite(path, { killAt: { point: ASIDE_POINT, visit: Number(visit) } }).setAside('damaged');
