import { createLog, type Runtime, toError } from '@mosaik/primitives';
import type { Replica } from '../driver/replica.ts';
import type { CatchUpNeed } from '../raft/raft.ts';
import type { MemberId } from '../raft/types.ts';
import type { LogStorage } from '../storage/storage.ts';
import type { GroupMessage } from '../wire/messages.ts';
import { EntriesPull, type Holder, type PullOptions } from './entries-pull.ts';
import { gather } from './gather.ts';
import { type Answer, Inquiries } from './inquiries.ts';
import { Paces } from './pace.ts';
import { type Offered, SnapshotPull } from './snapshot-pull.ts';

const log = createLog('groups:catch-up');

/** Whoever does not say by then what it holds is not waited for, unless nobody who has something of use has: it may be gone. */
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
  readonly #paces = new Paces();
  readonly #closing = new AbortController();
  #activeSinceMs: number | undefined;
  /** What was pulled so far, of entries and of snapshots; for stats. */
  pulledEntries = 0;
  pulledSnapshots = 0;

  constructor(options: PullerOptions) {
    this.#options = options;
    this.#inquiries = new Inquiries(options);
  }

  get isActive(): boolean {
    return this.#activeSinceMs !== undefined;
  }

  /** Monotonic time since which it pulls; undefined while it does not. */
  get activeSinceMs(): number | undefined {
    return this.#activeSinceMs;
  }

  /** Begins to pull, unless it is at it. Never fails: what did not come is needed again at the next heartbeat. */
  async pull(need: CatchUpNeed): Promise<void> {
    if (this.isActive || this.#closing.signal.aborted) return;
    this.#activeSinceMs = this.#options.runtime.now();
    try {
      await this.#pull(need);
    } catch (thrown) {
      log('from %d to %d: %s', need.from, need.to, toError(thrown).message);
    } finally {
      this.#activeSinceMs = undefined;
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
    this.#paces.keep(asked);
    const hasEntries = ({ held }: Holder): boolean => held.base < need.from && held.commit >= need.from;
    const isOfUse = (holder: Holder): boolean => hasEntries(holder) || holder.held.snapshot >= need.from;
    const answers = asked.map((id) => this.#holder(id));
    const holders = await gather(this.#options.runtime, answers, { patienceMs: SURVEY_PATIENCE_MS, isOfUse });
    if (this.#closing.signal.aborted) return;
    const withEntries = holders.filter(hasEntries);
    if (withEntries.length > 0) await this.#pullEntries(need, withEntries);
    else await this.#pullSnapshot(need, asked);
  }

  async #holder(id: MemberId): Promise<Holder | undefined> {
    const held = await this.#inquiries.range(id);
    return held && { id, held };
  }

  async #offered(id: MemberId): Promise<Offered | undefined> {
    const offer = await this.#inquiries.manifest(id);
    return offer && { id, offer };
  }

  async #pullEntries(need: CatchUpNeed, holders: readonly Holder[]): Promise<void> {
    const onTaken = (count: number): void => {
      this.pulledEntries += count;
    };
    const { from, to } = need;
    await new EntriesPull(this.#pullOptions(need), { from, to, holders, onTaken }).run();
    log('pulled entries from %d on, of %d members', from, holders.length);
  }

  async #pullSnapshot(need: CatchUpNeed, members: readonly MemberId[]): Promise<void> {
    const { runtime, replica, lockSnapshots } = this.#options;
    if (replica.isBusyWithSnapshot) return;
    const isOfUse = ({ offer }: Offered): boolean => offer.meta.index >= need.from;
    const answers = members.map((id) => this.#offered(id));
    const offers = await gather(runtime, answers, { patienceMs: SURVEY_PATIENCE_MS, isOfUse });
    const newest = offers.filter(isOfUse);
    const [best] = newest.sort((a, b) => b.offer.meta.index - a.offer.meta.index);
    if (best === undefined || this.#closing.signal.aborted) return;
    using lock = lockSnapshots();
    if (lock === undefined) return;
    const { meta, manifest } = best.offer;
    const stage = await this.#options.log.stageSnapshot(meta, { manifest });
    let isTaken = false;
    try {
      const pull = new SnapshotPull(this.#pullOptions(need), best, newest, stage);
      const isWhole = (await pull.run()) && !this.#closing.signal.aborted;
      isTaken = isWhole && replica.installSnapshot(stage, pull.term);
      if (isTaken) this.pulledSnapshots++;
      log('pulled a snapshot at %d: %s', meta.index, isTaken ? 'taken' : 'of no use');
    } finally {
      if (!isTaken) await stage.discard();
    }
  }

  #pullOptions({ leader }: CatchUpNeed): PullOptions {
    const { runtime, replica, members } = this.#options;
    const { signal } = this.#closing;
    return { runtime, replica, members, signal, inquiries: this.#inquiries, paces: this.#paces, leader };
  }
}
