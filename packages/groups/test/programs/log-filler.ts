// Appends to a log until that fails, and says what was acknowledged and how it failed; to be started with little room.
import { writeSync } from 'node:fs';
import { groupId, systemRuntime } from '@mosaik/primitives';
import { sqlite } from '../../src/sqlite/index.ts';
import { entry } from '../../src/storage/compliance/kit.ts';
import type { StorageFailedError } from '../../src/storage/errors.ts';

const ENTRY_BYTES = 10_000;

const log = await sqlite(process.argv[2] ?? '').open({ group: groupId('filled'), runtime: systemRuntime });
let index = 0;
const append = async (): Promise<void> => {
  index++;
  await log.append({ entries: [entry(index, 1, ENTRY_BYTES)] });
  writeSync(1, `entry ${index}\n`);
};
for (const attempt of ['first', 'second']) {
  try {
    while (true) await append();
  } catch (thrown) {
    const { code, reason } = thrown as StorageFailedError;
    writeSync(1, `${attempt} ${code} ${reason}\n`);
  }
}
await log.close();
writeSync(1, 'closed\n');
