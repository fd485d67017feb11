import { type GroupId, groupId } from '@mosaik/primitives';
import type { Entry, LogIndex, MemberId, SnapshotMeta, Term } from '../../src/raft/types.ts';
import type { LogStorage } from '../../src/storage/storage.ts';

/** Several writes under way at once. */
const WINDOW = 8;
const SNAPSHOT_EVERY = 40;
/** Of a run that is not killed. */
const ROUNDS = 400;

/** What a writer writes, and how it is known again: everything follows from an index and a life of the writer. */
export interface Ledger {
  readonly group: GroupId;
  write(log: LogStorage, say: (line: string) => void): Promise<void>;
}

export function createLedger(life: number): Ledger {
  return { group: groupId('killed'), write: (log, say) => writeOn(log, life, say) };
}

/** Entries of a life have its term. */
export function entryAt(index: number, life: number): Entry {
  const data = Uint8Array.from(
    { length: 10 + ((index * 37) % 300) },
    (_, at) => (index * 7 + life * 13 + at) & 0xff,
  );
  return { index: index as LogIndex, term: (life + 1) as Term, kind: 'command', data };
}

export function chunksAt(index: number): Uint8Array[] {
  return [0, 1, 2].map((position) => new Uint8Array(3_000).fill((index + position) & 0xff));
}

/** Appends, truncates, takes snapshots and prunes, and says what was acknowledged. */
async function writeOn(log: LogStorage, life: number, say: (line: string) => void): Promise<void> {
  await log.append({ hardState: { term: (life + 1) as Term, vote: `voter-${life}` as MemberId } });
  say(`term ${life + 1}`);
  let next = log.recovered.last.index + 1;
  // What follows what was not acknowledged may be taken back.
  const truncateFrom = Math.max(
    next - 2,
    log.recovered.base.index + 1,
    (log.recovered.snapshot?.index ?? 0) + 1,
  );
  if (truncateFrom < next) {
    say(`truncating ${truncateFrom}`);
    await log.append({ truncateFrom: truncateFrom as LogIndex, entries: [entryAt(truncateFrom, life)] });
    say(`entry ${truncateFrom}`);
    next = truncateFrom + 1;
  }
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      Array.from({ length: WINDOW }, async () => {
        const index = next++;
        await log.append({ entries: [entryAt(index, life)], commit: (index - 1) as LogIndex });
        say(`entry ${index}`);
      }),
    );
    if (round % (SNAPSHOT_EVERY / WINDOW) === 0) await snapshotAt(log, next - 1, say);
  }
}

async function snapshotAt(log: LogStorage, index: number, say: (line: string) => void): Promise<void> {
  const term = log.termAt(index as LogIndex) as Term;
  const meta: SnapshotMeta = { index: index as LogIndex, term, configuration: { voters: [], learners: [] } };
  await using stage = await log.stageSnapshot(meta);
  for (const chunk of chunksAt(index)) await stage.write(chunk);
  await stage.commit();
  say(`snapshot ${index}`);
  await log.prune((index - 5) as LogIndex);
  say(`pruned ${index - 5}`);
}
