import { StorageDamagedError } from '../storage/errors.ts';
import { Life } from './life.ts';
import { openLog } from './log-book.ts';
import type { Member } from './member.ts';

/**
 * Opens the log of a member, and goes on with what is in it. One that is damaged is put aside, and the life is another member's.
 *
 * @param onBegun Told of the life before anything happens in it.
 * @throws {StorageError} and the log is closed.
 */
export async function openLife(member: Member, onBegun: (life: Life) => void): Promise<void> {
  try {
    await openOnce(member, onBegun);
  } catch (thrown) {
    if (!(thrown instanceof StorageDamagedError)) throw thrown;
    await member.damage.putAside(thrown);
    await openOnce(member, onBegun);
  }
}

async function openOnce(member: Member, onBegun: (life: Life) => void): Promise<void> {
  const { storage, id, self } = member.options;
  const life = new Life(member, await openLog({ storage, group: id, peer: self, runtime: member.runtime }));
  onBegun(life);
  try {
    await life.recover();
  } catch (thrown) {
    await life.close();
    throw thrown;
  }
}
