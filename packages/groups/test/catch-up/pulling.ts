import { createWorld, type World } from '@mosaik/testing';
import { Puller } from '../../src/catch-up/puller.ts';
import type { Replica } from '../../src/driver/replica.ts';
import type { CommittedRange } from '../../src/raft/raft.ts';
import type { Entry, LogIndex, MemberId, Term } from '../../src/raft/types.ts';
import { hashChunk, manifestOf, type SnapshotManifest } from '../../src/storage/manifest.ts';
import { memory } from '../../src/storage/memory.ts';
import type { LogStorage, SnapshotStage } from '../../src/storage/storage.ts';
import type { GroupMessage } from '../../src/wire/messages.ts';

export const LEADER = 'leader' as MemberId;
export const LATE = 'late' as MemberId;
export const TERM = 3 as Term;
export const INDEX = 500 as LogIndex;

/** Chunks that differ, and what they are. */
export function chunksOf(count: number, salt = 0): { chunks: Uint8Array[]; manifest: SnapshotManifest } {
  const chunks = Array.from({ length: count }, (_, place) => Uint8Array.of(salt, place >> 8, place & 255));
  return { chunks, manifest: manifestOf(3 * count, chunks.map(hashChunk)) };
}

export function entriesFrom(from: number, to: number): Entry[] {
  const data = new Uint8Array(0);
  return Array.from({ length: to - from + 1 }, (_, place) => ({
    index: (from + place) as LogIndex,
    term: TERM,
    kind: 'command' as const,
    data,
  }));
}

/** A member of the puller's group: what it answers, and after how long. */
export interface Other {
  readonly id: MemberId;
  /** The entries that it has: after `base`, up to `commit`. */
  readonly base: number;
  readonly commit: number;
  readonly term?: Term;
  readonly snapshot?: { readonly chunks: readonly Uint8Array[]; readonly manifest: SnapshotManifest };
  readonly delayMs?: number | ((question: GroupMessage, nowMs: number) => number);
  /** What becomes of a question: another chunk in the place of the right one, or nothing at all. */
  readonly fails?: (question: GroupMessage, nth: number) => 'lost' | 'wrong' | undefined;
  /** Whether there is no bond. */
  readonly isAway?: () => boolean;
}

/** A puller among members that do as told, and what it did. */
export interface Pulling {
  readonly world: World;
  readonly puller: Puller;
  readonly log: LogStorage;
  readonly others: Other[];
  readonly asked: readonly { readonly to: MemberId; readonly question: GroupMessage }[];
  readonly handed: readonly number[];
  /** Of each time that entries were handed on. */
  readonly terms: readonly Term[];
  readonly installed: readonly { readonly stage: SnapshotStage; readonly term: Term }[];
  count(kind: GroupMessage['kind'], to?: MemberId): number;
}

export async function inPulling(others: Other[], test: (pulling: Pulling) => Promise<void>): Promise<void> {
  const world = createWorld({ seed: 1 });
  await world.run(async () => test(await createPulling(world, others)));
}

async function createPulling(world: World, others: Other[]): Promise<Pulling> {
  const asked: { to: MemberId; question: GroupMessage }[] = [];
  const handed: number[] = [];
  const terms: Term[] = [];
  const installed: { stage: SnapshotStage; term: Term }[] = [];
  const replica = {
    isBusyWithSnapshot: false,
    commit: 0,
    catchUp: ({ entries, term }: CommittedRange) => {
      terms.push(term);
      handed.push(...entries.map(({ index }) => index));
      return true;
    },
    installSnapshot: (stage: SnapshotStage, term: Term) => {
      installed.push({ stage, term });
      return true;
    },
  };
  const log = await memory().open({ group: 'g' as never, runtime: world.runtime });
  const puller = new Puller({
    runtime: world.runtime,
    log,
    replica: replica as unknown as Replica,
    members: () => others.filter(({ isAway }) => isAway?.() !== true).map(({ id }) => id),
    send: (to, question) => {
      const other = others.find(({ id }) => id === to);
      if (other === undefined || other.isAway?.() === true) return false;
      asked.push({ to, question });
      const failure = other.fails?.(question, count(question.kind, to));
      const answer = failure === 'lost' ? undefined : answerOf(other, question, failure === 'wrong');
      const { delayMs = 5 } = other;
      const afterMs = typeof delayMs === 'number' ? delayMs : delayMs(question, world.now);
      if (answer !== undefined) void world.sleep(afterMs).then(() => puller.answered(answer as never));
      return true;
    },
    lockSnapshots: () => ({ [Symbol.dispose]: () => {} }),
  });
  const count = (kind: GroupMessage['kind'], to?: MemberId): number =>
    asked.filter((each) => each.question.kind === kind && (to === undefined || each.to === to)).length;
  return { world, puller, log, others, asked, handed, terms, installed, count };
}

function answerOf(
  { base, commit, term = TERM, snapshot }: Other,
  question: GroupMessage,
  isWrong: boolean,
): GroupMessage | undefined {
  switch (question.kind) {
    case 'rangeAsk': {
      const index = (snapshot === undefined ? 0 : INDEX) as LogIndex;
      const held = { base: base as LogIndex, commit: commit as LogIndex, term, snapshot: index };
      return { kind: 'range', id: question.id, held };
    }
    case 'entriesAsk': {
      const { id, from, to } = question;
      return { kind: 'entries', id, from, entries: entriesFrom(from, Math.min(to, commit)) };
    }
    case 'manifestAsk': {
      const meta = { index: INDEX, term: TERM, configuration: { voters: [LEADER], learners: [] } };
      const offer = snapshot && { meta, term, manifest: snapshot.manifest };
      return { kind: 'manifest', id: question.id, offer };
    }
    case 'chunkAsk': {
      const chunk = snapshot?.chunks[question.position] ?? new Uint8Array(0);
      return { kind: 'chunk', id: question.id, chunk: isWrong ? Uint8Array.of(9) : chunk };
    }
    default:
      return undefined;
  }
}
