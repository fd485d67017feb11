import { createLog, type Runtime, toError } from '@mosaik/primitives';
import type { Replica } from '../driver/replica.ts';
import type { CatchUpNeed } from '../raft/raft.ts';
import type { Entry, LogIndex, MemberId, Term } from '../raft/types.ts';
import { equalBytes } from '../storage/manifest.ts';
import type { LogStorage, SnapshotStage } from '../storage/storage.ts';
import type { GroupMessage, HeldRange, SnapshotOffer } from '../wire/messages.ts';
import { Asks } from './asks.ts';

const log = createLog('groups:catch-up');

/** An answer that takes longer is not waited for. */
const ANSWER_TIMEOUT_MS = 2_000;
/** Whoever does not say by then what it holds is left out: the others must not wait for one that is gone. */
const SURVEY_TIMEOUT_MS = 400;
/** Entries asked for at once; an answer is bounded by bytes besides. */
const SLICE_ENTRIES = 2_048;
/** Questions to one member that are under way at once. */
const PARALLEL_PER_MEMBER = 2;
/** Slices that were pulled and wait for one before them. */
const SLICES_AHEAD_MAX = 16;

type Answer = Extract<GroupMessage, { kind: 'range' | 'entries' | 'manifest' | 'chunk' }>;

interface PullerOptions {
  readonly runtime: Runtime;
  readonly log: LogStorage;
  readonly replica: Replica;
  /** Bonded members of the same history, in a fixed order. */
  readonly members: () => readonly MemberId[];
  readonly send: (to: MemberId, message: GroupMessage) => boolean;
  /** Keeps others from writing a snapshot at the same time; undefined while one is written. */
  readonly lockSnapshots: () => Disposable | undefined;
}

/** A member that has something, and how sure it is of it. */
interface Holder {
  readonly id: MemberId;
  readonly held: HeldRange;
}

interface Slice {
  readonly from: number;
  readonly to: number;
}

/**
 * Pulls what this member lacks and its leader cannot send: committed entries from all members that have them, in parallel,
 * the leader last; or, where they are pruned everywhere, a snapshot in verified chunks from all that hold the same one.
 */
export class Puller {
  readonly #options: PullerOptions;
  readonly #asks: Asks<Answer>;
  #isActive = false;
  #isClosed = false;
  /** What was pulled so far, of entries and of snapshots; for stats. */
  pulledEntries = 0;
  pulledSnapshots = 0;

  constructor(options: PullerOptions) {
    this.#options = options;
    this.#asks = new Asks(options.runtime);
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /** Begins to pull, unless it is at it. Never fails: what did not come is needed again at the next heartbeat. */
  async pull(need: CatchUpNeed): Promise<void> {
    if (this.#isActive || this.#isClosed) return;
    this.#isActive = true;
    try {
      await this.#pull(need);
    } catch (thrown) {
      log('from %d to %d: %s', need.from, need.to, toError(thrown).message);
    } finally {
      this.#isActive = false;
    }
  }

  answered(answer: Answer): void {
    this.#asks.answered(answer.id, answer);
  }

  close(): void {
    this.#isClosed = true;
    this.#asks.cancel();
  }

  async #pull(need: CatchUpNeed): Promise<void> {
    const asked = new Set(this.#options.members());
    const holders = await this.#holders([...asked], need.leader);
    const withEntries = holders.filter(({ held }) => held.base < need.from && held.commit >= need.from);
    if (withEntries.length > 0) await this.#pullEntries(need, leaderLast(withEntries, need.leader), asked);
    else
      await this.#pullSnapshot(
        need,
        holders.map(({ id }) => id),
      );
  }

  /** Asks these what they hold; the leader's answer is put last. */
  async #holders(members: readonly MemberId[], leader: MemberId): Promise<Holder[]> {
    const asked = await Promise.all(members.map((id) => this.#survey(id)));
    const holders = asked.filter((holder) => holder !== undefined);
    return holders.sort((a, b) => Number(a.id === leader) - Number(b.id === leader));
  }

  async #survey(id: MemberId): Promise<Holder | undefined> {
    const answer = await this.#ask(id, 'range', (ask) => ({ kind: 'rangeAsk', id: ask })).catch(
      () => undefined,
    );
    return answer?.kind === 'range' ? { id, held: answer.held } : undefined;
  }

  #ask(to: MemberId, what: string, question: (id: number) => GroupMessage): Promise<Answer> {
    const timeoutMs = what === 'range' || what === 'manifest' ? SURVEY_TIMEOUT_MS : ANSWER_TIMEOUT_MS;
    return this.#asks.ask({ what, timeoutMs }, (id) => this.#options.send(to, question(id)));
  }

  async #pullEntries(need: CatchUpNeed, holders: readonly Holder[], asked: Set<MemberId>): Promise<void> {
    const last = Math.min(need.to, Math.max(...holders.map(({ held }) => held.commit)));
    const slices: Slice[] = [];
    for (let from: number = need.from; from <= last; from += SLICE_ENTRIES)
      slices.push({ from, to: Math.min(last, from + SLICE_ENTRIES - 1) });
    const term = Math.max(...holders.map(({ held }) => held.term)) as Term;
    const run = new EntriesRun(slices, need.from, (entries) => this.#hand(entries, term));
    const working: Promise<void>[] = [];
    const hire = (holder: Holder): void => {
      for (let count = 0; count < PARALLEL_PER_MEMBER; count++)
        working.push(this.#work(run, holder, lookForMore));
    };
    // Who is bonded later helps, too: a member that comes back meets the others one after the other.
    const lookForMore = (): void => {
      for (const id of this.#options.members()) {
        if (asked.has(id) || id === need.leader) continue;
        asked.add(id);
        working.push(
          this.#survey(id).then((holder) => {
            // What one of a later term holds may have been committed in that term, and is handed on as of this one.
            if (holder !== undefined && holder.held.term <= term) hire(holder);
          }),
        );
      }
    };
    for (const holder of holders) hire(holder);
    for (let index = 0; index < working.length; index++) await working[index];
    log('pulled entries from %d to %d of %d members', need.from, run.next - 1, asked.size);
  }

  #hand(entries: readonly Entry[], term: Term): boolean {
    if (this.#isClosed || !this.#options.replica.catchUp({ entries, term })) return false;
    this.pulledEntries += entries.length;
    return true;
  }

  /** Pulls slice after slice from one member, until there are none, or it does not deliver. */
  async #work(run: EntriesRun, { id, held }: Holder, lookForMore: () => void): Promise<void> {
    for (let slice = run.take(held); slice !== undefined && !this.#isClosed; slice = run.take(held)) {
      const { from, to } = slice;
      const answer = await this.#ask(id, 'entries', (ask) => ({
        kind: 'entriesAsk',
        id: ask,
        from: from as LogIndex,
        to: to as LogIndex,
      })).catch(() => undefined);
      const entries = answer?.kind === 'entries' && answer.from === from ? answer.entries : [];
      if (entries.length === 0) {
        run.giveBack(slice);
        return;
      }
      if (!run.got(slice, entries.slice(0, to - from + 1))) return;
      lookForMore();
    }
  }

  async #pullSnapshot(need: CatchUpNeed, members: readonly MemberId[]): Promise<void> {
    const { replica, lockSnapshots } = this.#options;
    if (replica.isBusyWithSnapshot) return;
    const offers = await this.#offers(members);
    const newest = offers.filter(({ offer }) => offer.meta.index >= need.from);
    const [best] = newest.sort((a, b) => b.offer.meta.index - a.offer.meta.index);
    if (best === undefined) return;
    const same = newest.filter(({ offer }) => isSameSnapshot(offer, best.offer));
    const sources = same
      .map(({ id }) => id)
      .sort((a, b) => Number(a === need.leader) - Number(b === need.leader));
    using lock = lockSnapshots();
    if (lock === undefined) return;
    const term = Math.max(...same.map(({ offer }) => offer.term)) as Term;
    await this.#pullChunks(best.offer, sources, term);
  }

  async #offers(members: readonly MemberId[]): Promise<{ id: MemberId; offer: SnapshotOffer }[]> {
    const asked = members.map(async (id) => {
      const answer = await this.#ask(id, 'manifest', (ask) => ({ kind: 'manifestAsk', id: ask })).catch(
        () => undefined,
      );
      return answer?.kind === 'manifest' && answer.offer !== undefined
        ? { id, offer: answer.offer }
        : undefined;
    });
    return (await Promise.all(asked)).filter((offered) => offered !== undefined);
  }

  async #pullChunks(offer: SnapshotOffer, sources: readonly MemberId[], term: Term): Promise<void> {
    const { meta, manifest } = offer;
    const stage = await this.#options.log.stageSnapshot(meta, { manifest });
    const missing = Array.from(manifest.chunkHashes.keys()).reverse();
    let isTaken = false;
    try {
      const workers = sources.flatMap((id) =>
        Array.from({ length: PARALLEL_PER_MEMBER }, () => this.#workChunks(stage, id, missing)),
      );
      const written = (await Promise.all(workers)).reduce((sum, count) => sum + count, 0);
      if (written < manifest.chunkHashes.length || this.#isClosed) return;
      isTaken = this.#options.replica.installSnapshot(stage, term);
      if (isTaken) this.pulledSnapshots++;
      log(
        'pulled a snapshot at %d of %d members: %s',
        meta.index,
        sources.length,
        isTaken ? 'taken' : 'of no use',
      );
    } finally {
      if (!isTaken) await stage.discard();
    }
  }

  /** Pulls chunk after chunk from one member; returns how many were right. One that gives a wrong one is not asked again. */
  async #workChunks(stage: SnapshotStage, from: MemberId, missing: number[]): Promise<number> {
    let written = 0;
    for (let position = missing.pop(); position !== undefined; position = missing.pop()) {
      const isRight = await this.#pullChunk(stage, from, position);
      if (!isRight) {
        missing.push(position);
        return written;
      }
      written++;
    }
    return written;
  }

  async #pullChunk(stage: SnapshotStage, from: MemberId, position: number): Promise<boolean> {
    const { index } = stage.meta;
    try {
      const answer = await this.#ask(from, 'chunk', (id) => ({ kind: 'chunkAsk', id, index, position }));
      if (answer.kind !== 'chunk' || answer.chunk.length === 0 || this.#isClosed) return false;
      // The storage may take the memory over, and what came is a view of a frame.
      await stage.write(answer.chunk.slice(), position);
      return true;
    } catch (thrown) {
      log('chunk %d from %s: %s', position, from, toError(thrown).message);
      return false;
    }
  }
}

/** Slices of entries on their way, handed on in order. */
class EntriesRun {
  readonly #open: Slice[];
  readonly #got = new Map<number, readonly Entry[]>();
  readonly #hand: (entries: readonly Entry[]) => boolean;
  #isOver = false;
  /** The next index to be handed on. */
  next: number;

  constructor(slices: readonly Slice[], first: number, hand: (entries: readonly Entry[]) => boolean) {
    this.#open = [...slices];
    this.next = first;
    this.#hand = hand;
  }

  /** The next slice that a member can give; undefined when there is none, or enough is ahead. */
  take(held: HeldRange): Slice | undefined {
    if (this.#isOver || this.#got.size > SLICES_AHEAD_MAX) return undefined;
    const place = this.#open.findIndex(({ from }) => held.base < from && from <= held.commit);
    return place < 0 ? undefined : this.#open.splice(place, 1)[0];
  }

  giveBack(slice: Slice): void {
    this.#open.unshift(slice);
  }

  /** Takes what came of a slice, and puts the rest back; false when it is of no use any more. */
  got(slice: Slice, entries: readonly Entry[]): boolean {
    this.#got.set(slice.from, entries);
    const end = slice.from + entries.length;
    if (end <= slice.to) this.#open.unshift({ from: end, to: slice.to });
    for (let ready = this.#got.get(this.next); ready !== undefined; ready = this.#got.get(this.next)) {
      this.#got.delete(this.next);
      this.next += ready.length;
      if (this.#hand(ready)) continue;
      this.#isOver = true;
      return false;
    }
    return !this.#isOver;
  }
}

function leaderLast(holders: readonly Holder[], leader: MemberId): readonly Holder[] {
  const others = holders.filter(({ id }) => id !== leader);
  // The leader has enough to do: it only gives what nobody else has.
  return others.length > 0 ? others : holders;
}

function isSameSnapshot(a: SnapshotOffer, b: SnapshotOffer): boolean {
  return a.meta.index === b.meta.index && equalBytes(a.manifest.root, b.manifest.root);
}
