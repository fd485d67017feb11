import { createLog, type Runtime, toError } from '@mosaik/primitives';
import type { Replica } from '../driver/replica.ts';
import type { CatchUpNeed } from '../raft/raft.ts';
import type { MemberId } from '../raft/types.ts';
import type { LogStorage } from '../storage/storage.ts';
import type { GroupMessage } from '../wire/messages.ts';
import { EntriesPull, type Holder, type PullOptions } from './entries-pull.ts';
import { gather } from './gather.ts';
import { type Answer, Inquiries } from './inquiries.ts';
import { type Offered, SnapshotPull } from './snapshot-pull.ts';

const log = createLog('groups:catch-up');

/** Whoever does not say by then what it holds is not waited for, unless nobody has: it may be gone. */
const SURVEY_PATIENCE_MS = 400;

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

/**
 * Pulls what this member lacks and its leader cannot send: committed entries from all members that have them, in parallel,
 * the leader last; or, where they are pruned everywhere, a snapshot in verified chunks from all that hold the same one.
 */
export class Puller {
  readonly #options: PullerOptions;
  readonly #inquiries: Inquiries;
  readonly #closing = new AbortController();
  #isActive = false;
  /** What was pulled so far, of entries and of snapshots; for stats. */
  pulledEntries = 0;
  pulledSnapshots = 0;

  constructor(options: PullerOptions) {
    this.#options = options;
    this.#inquiries = new Inquiries(options);
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /** Begins to pull, unless it is at it. Never fails: what did not come is needed again at the next heartbeat. */
  async pull(need: CatchUpNeed): Promise<void> {
    if (this.#isActive || this.#closing.signal.aborted) return;
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
    this.#inquiries.answered(answer);
  }

  close(): void {
    this.#closing.abort();
    this.#inquiries.close();
  }

  async #pull(need: CatchUpNeed): Promise<void> {
    const asked = [...this.#options.members()];
    const holders = await this.#survey(asked, (id) => this.#holder(id));
    const withEntries = holders.filter(({ held }) => held.base < need.from && held.commit >= need.from);
    if (withEntries.length > 0) await this.#pullEntries(need, leaderLast(withEntries, need.leader), asked);
    else
      await this.#pullSnapshot(
        need,
        holders.map(({ id }) => id),
        asked,
      );
  }

  #survey<T>(
    members: readonly MemberId[],
    ask: (id: MemberId) => Promise<T | undefined>,
  ): Promise<readonly T[]> {
    return gather(this.#options.runtime, members.map(ask), SURVEY_PATIENCE_MS);
  }

  async #holder(id: MemberId): Promise<Holder | undefined> {
    const held = await this.#inquiries.range(id);
    return held && { id, held };
  }

  async #offered(id: MemberId): Promise<Offered | undefined> {
    const offer = await this.#inquiries.manifest(id);
    return offer && { id, offer };
  }

  async #pullEntries(need: CatchUpNeed, holders: readonly Holder[], asked: MemberId[]): Promise<void> {
    const onTaken = (count: number): void => {
      this.pulledEntries += count;
    };
    const { from, to } = need;
    await new EntriesPull(this.#pullOptions(need, asked), { from, to, holders, onTaken }).run();
    log('pulled entries from %d on, of %d members', from, holders.length);
  }

  async #pullSnapshot(need: CatchUpNeed, members: readonly MemberId[], asked: MemberId[]): Promise<void> {
    const { replica, lockSnapshots } = this.#options;
    if (replica.isBusyWithSnapshot) return;
    const offers = await this.#survey(members, (id) => this.#offered(id));
    const newest = offers.filter(({ offer }) => offer.meta.index >= need.from);
    const [best] = newest.sort((a, b) => b.offer.meta.index - a.offer.meta.index);
    if (best === undefined) return;
    using lock = lockSnapshots();
    if (lock === undefined) return;
    const { meta, manifest } = best.offer;
    const stage = await this.#options.log.stageSnapshot(meta, { manifest });
    let isTaken = false;
    try {
      const pull = new SnapshotPull(this.#pullOptions(need, asked), best, newest, stage);
      const isWhole = (await pull.run()) && !this.#closing.signal.aborted;
      isTaken = isWhole && replica.installSnapshot(stage, pull.term);
      if (isTaken) this.pulledSnapshots++;
      log('pulled a snapshot at %d: %s', meta.index, isTaken ? 'taken' : 'of no use');
    } finally {
      if (!isTaken) await stage.discard();
    }
  }

  #pullOptions({ leader }: CatchUpNeed, asked: readonly MemberId[]): PullOptions {
    const { runtime, replica, members } = this.#options;
    const { signal } = this.#closing;
    return { runtime, replica, members, signal, inquiries: this.#inquiries, asked, leader };
  }
}

function leaderLast(holders: readonly Holder[], leader: MemberId): readonly Holder[] {
  const others = holders.filter(({ id }) => id !== leader);
  // The leader has enough to do: it only gives what nobody else has.
  return others.length > 0 ? others : holders;
}
