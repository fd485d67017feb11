import { describe, expect, it } from 'vitest';
import { Replica, type ReplicaOptions } from '../../src/driver/replica.ts';
import type { Raft } from '../../src/raft/raft.ts';
import type { Term } from '../../src/raft/types.ts';
import type { SnapshotStage } from '../../src/storage/storage.ts';

const TERM = 1 as Term;
const stage = { meta: {} } as SnapshotStage;

/** A replica whose core does as told with what it is offered, and what it failed with. */
function replicaOf(offered: () => boolean): { replica: Replica; failures: Error[] } {
  const failures: Error[] = [];
  const options = {
    raft: { catchUp: offered, installSnapshot: offered } as unknown as Raft,
    applier: { applied: { index: 0, term: 0 } },
    observer: { beforeOutput: () => {}, onFailed: (error: Error) => failures.push(error) },
  };
  return { replica: new Replica(options as unknown as ReplicaOptions), failures };
}

const offers: [string, (replica: Replica) => boolean][] = [
  ['entries', (replica) => replica.catchUp({ entries: [], term: TERM })],
  ['a snapshot', (replica) => replica.installSnapshot(stage, TERM)],
];

describe.each(offers)('%s of others', (_, offer) => {
  it('that contradict the core fail the member', () => {
    const { replica, failures } = replicaOf(() => {
      throw new Error('impossible');
    });
    expect(offer(replica)).toBe(false);
    expect(failures).toMatchObject([{ message: 'impossible' }]);
    expect(replica.isOver).toBe(true);
  });

  it('are of no use to one that is over', () => {
    let count = 0;
    const { replica } = replicaOf(() => ++count > 0);
    replica.stop();
    expect(offer(replica)).toBe(false);
    expect(count).toBe(0);
  });
});
