import type { Message } from '../../../src/raft/messages.ts';
import type { Entry, LogIndex, MemberId, SnapshotMeta, Term } from '../../../src/raft/types.ts';
import { equalBytes } from '../../../src/storage/manifest.ts';

/** What is promised: the properties of Raft (figure 3 of the paper), and what clients and machines see of them. */
export type Promised =
  | 'election safety'
  | 'one vote a term'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'equal states'
  | 'exactly once'
  | 'linearizability'
  | 'soundness'
  | 'progress';

/** A promise that was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly promised: Promised;

  constructor(promised: Promised, what: string, options?: ErrorOptions) {
    super(`${promised}: ${what}`, options);
    this.promised = promised;
  }
}

/** A log as it stands somewhere: what it begins after, and the entries since. */
export interface LogCopy {
  base: { readonly index: LogIndex; readonly term: Term };
  entries: Entry[];
}

/** What a machine has come to: a chain over all that it applied. */
export interface MachineState {
  readonly index: number;
  readonly chain: number;
}

/** Sees everything, and holds it against the properties of Raft (figure 3 of the paper) as it happens. */
export interface Oracle {
  /** The highest index that is committed anywhere. */
  readonly committed: number;
  /** Election safety, and leader completeness. */
  leads(member: MemberId, term: Term, log: LogCopy): void;
  /** Election safety: a member answers one candidate a term, itself among them. */
  votes(member: MemberId, term: Term, candidate: MemberId): void;
  /** Log matching: an entry is the same, after the same, wherever its index and term appear. */
  appended(entry: Entry, previous: Term): void;
  /** Leader completeness and state machine safety: nothing else is ever committed at its place. */
  commits(member: MemberId, entry: Entry, term: Term): void;
  /** State machine safety: the same sequence, and so the same state, everywhere. */
  applied(member: MemberId, entry: Entry, before: MachineState): MachineState;
  restored(member: MemberId, meta: SnapshotMeta, state: MachineState): void;
  /** What an operation that starts now must not be before. */
  floor(): number;
  /** What a read that starts now must not be before: the same, unless reads may be stale. */
  readFloor(): number;
  /** An operation that began at `floor` took effect at `index`; a strong read sees what others were told before it. */
  completed(kind: 'read' | 'write', index: number, floor: number): void;
}

export function entryAt({ base, entries }: LogCopy, index: number): Entry | undefined {
  return entries[index - base.index - 1];
}

/** Of the same bytes: the simulated network of whole nodes carries copies. */
function isSame(a: Entry, b: Entry): boolean {
  return a.term === b.term && a.kind === b.kind && (a.data === b.data || equalBytes(a.data, b.data));
}

function termAt(log: LogCopy, index: number): Term | undefined {
  return index === log.base.index ? log.base.term : entryAt(log, index)?.term;
}

/** Who asks for votes has its own. */
export function judgeVotes(oracle: Oracle, messages: readonly Message[]): void {
  for (const message of messages) {
    const { type, from, to, term } = message;
    if (type === 'voteRequest') oracle.votes(from, term, from);
    else if (type === 'voteResponse' && message.granted) oracle.votes(from, term, to);
  }
}

export interface OracleOptions {
  readonly now: () => number;
  /** How old what a read sees may be, at most; 0 for strong reads. */
  readonly staleMax: number;
}

export function createOracle({ now, staleMax }: OracleOptions = { now: () => 0, staleMax: 0 }): Oracle {
  const leaders = new Map<Term, MemberId>();
  const votes = new Map<string, MemberId>();
  const known = new Map<string, { readonly entry: Entry; readonly previous: Term }>();
  const committed: (Entry | undefined)[] = [];
  /** In which term each entry was committed: the leader that does it is the first to know. */
  const committedIn: Term[] = [];
  const chains: number[] = [0];
  /** How the floor rose. */
  const floors: { readonly since: number; readonly floor: number }[] = [];
  let floor = 0;
  let highest = 0;

  function fail(promised: Promised, what: string): never {
    throw new Violation(promised, what);
  }

  return {
    get committed() {
      return highest;
    },
    leads(member, term, log) {
      const other = leaders.get(term);
      if (other !== undefined && other !== member)
        fail('election safety', `${other} and ${member} lead ${term}`);
      leaders.set(term, member);
      for (let index = log.base.index + 1; index <= highest; index++) {
        const entry = committed[index];
        if (entry && committedIn[index]! < term && termAt(log, index) !== entry.term) {
          fail('leader completeness', `${member} leads ${term} without entry ${index} of ${entry.term}`);
        }
      }
    },
    votes(member, term, candidate) {
      const key = `${member}/${term}`;
      const other = votes.get(key);
      if (other !== undefined && other !== candidate)
        fail('one vote a term', `${member} votes for ${other} and ${candidate} in ${term}`);
      votes.set(key, candidate);
    },
    appended(entry, previous) {
      const key = `${entry.index}/${entry.term}`;
      const seen = known.get(key);
      if (!seen) known.set(key, { entry, previous });
      else if (!isSame(seen.entry, entry) || seen.previous !== previous)
        fail('log matching', `two entries at ${key}`);
    },
    commits(member, entry, term) {
      const other = committed[entry.index];
      if (other && !isSame(other, entry)) {
        fail(
          'state machine safety',
          `${member} commits ${entry.index} of ${entry.term}, others of ${other.term}`,
        );
      }
      if (!other) committedIn[entry.index] = term;
      committed[entry.index] = entry;
      highest = Math.max(highest, entry.index);
    },
    applied(member, entry, before) {
      if (entry.index !== before.index + 1)
        fail('state machine safety', `${member} applies ${entry.index} after ${before.index}`);
      if (committed[entry.index]?.data !== entry.data)
        fail('state machine safety', `${member} applies ${entry.index}, not committed`);
      const chain = (Math.imul(before.chain, 31) + entry.term * 7 + entry.data.byteLength) | 0;
      const other = chains[entry.index];
      if (other !== undefined && other !== chain) fail('equal states', `${member} differs at ${entry.index}`);
      chains[entry.index] = chain;
      return { index: entry.index, chain };
    },
    restored(member, meta, state) {
      if (state.index !== meta.index)
        fail('equal states', `${member} restores ${state.index} as ${meta.index}`);
      if (chains[meta.index] !== state.chain)
        fail('equal states', `${member} restores another ${meta.index}`);
    },
    floor: () => floor,
    readFloor() {
      if (staleMax === 0) return floor;
      const asOf = now() - staleMax;
      return floors.findLast(({ since }) => since <= asOf)?.floor ?? 0;
    },
    completed(kind, index, begun) {
      const isLate = kind === 'read' ? index < begun : index <= begun;
      if (isLate) fail('linearizability', `a ${kind} took effect at ${index}, begun when ${begun} was known`);
      if (index <= floor) return;
      floor = index;
      floors.push({ since: now(), floor });
    },
  };
}
