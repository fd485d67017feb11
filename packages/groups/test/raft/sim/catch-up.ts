import type { CatchUpNeed } from '../../../src/raft/raft.ts';
import type { Entry, LogIndex } from '../../../src/raft/types.ts';
import type { Counts, SimMember } from './member.ts';
import { linkOf, type Network } from './network.ts';
import { entryAt } from './oracle.ts';
import type { Random } from './random.ts';

interface CatchUpOptions {
  readonly members: readonly SimMember[];
  readonly network: Network;
  readonly random: Random;
  readonly counts: Counts;
}

/** Gets what a member lacks from one that has it, as a driver does: entries, or a snapshot where these are gone. */
export function catchUp(member: SimMember, need: CatchUpNeed, options: CatchUpOptions): void {
  const { members, network, random } = options;
  if (member.isCatchingUp) return;
  const sources = members.filter(
    (other) =>
      other !== member &&
      other.raft !== undefined &&
      other.raft.status.commit >= need.from &&
      !network.cut.has(linkOf(other.id, member.id)) &&
      !network.cut.has(linkOf(member.id, other.id)),
  );
  const source = random.pick(sources);
  if (!source?.raft) return;
  member.isCatchingUp = true;
  const deliver =
    source.disk.snapshot.meta.index >= need.from ? pullSnapshot(source) : pullEntries(source, need);
  member.later(random.int(1, 20), () => {
    member.isCatchingUp = false;
    options.counts.catchUps++;
    deliver(member);
  });
}

function pullEntries(source: SimMember, need: CatchUpNeed): (member: SimMember) => void {
  const { term, commit } = source.raft!.status;
  const entries: Entry[] = [];
  for (let index = need.from; index <= Math.min(commit, need.to); index++) {
    const entry = entryAt(source.disk.log, index);
    if (!entry || entry.term !== entryAt(source.log, index)?.term) break;
    entries.push(entry);
  }
  return (member) => member.input((raft) => raft.catchUp({ entries, term }));
}

/** A snapshot is written to the side before the core is asked; what comes first wins. */
function pullSnapshot(source: SimMember): (member: SimMember) => void {
  const { term } = source.raft!.status;
  const { snapshot } = source.disk;
  return (member) => {
    member.disk.staged.set(snapshot.meta.index, snapshot);
    member.later(2, () =>
      member.input((raft) => {
        if (raft.status.commit < (snapshot.meta.index as LogIndex)) raft.installSnapshot(snapshot.meta, term);
      }),
    );
  };
}
