import { createLog } from '@mosaik/primitives';
import type { MemberId, Term } from '../raft/types.ts';
import { SnapshotMismatchError } from '../storage/errors.ts';
import { equalBytes } from '../storage/manifest.ts';
import type { SnapshotStage } from '../storage/storage.ts';
import type { SnapshotOffer } from '../wire/messages.ts';
import { ChunkWork } from './chunk-work.ts';
import { Company } from './company.ts';
import type { PullOptions } from './entries-pull.ts';
import type { Delivery, Source } from './source.ts';

const log = createLog('groups:catch-up');

/** A snapshot that a member has. */
export interface Offered {
  readonly id: MemberId;
  readonly offer: SnapshotOffer;
}

/** Pulls one snapshot in verified chunks from all that have it. */
export class SnapshotPull {
  readonly #options: PullOptions;
  readonly #offer: SnapshotOffer;
  readonly #holders: readonly Offered[];
  readonly #stage: SnapshotStage;
  readonly #work: ChunkWork;

  constructor(options: PullOptions, best: Offered, offers: readonly Offered[], stage: SnapshotStage) {
    this.#options = options;
    this.#offer = best.offer;
    this.#holders = offers.filter(({ offer }) => isSameSnapshot(offer, best.offer));
    this.#stage = stage;
    this.#work = new ChunkWork(best.offer.manifest.chunkHashes.length);
  }

  /** The highest in which a holder offered it: its leader has all that the snapshot covers. */
  get term(): Term {
    return Math.max(...this.#holders.map(({ offer }) => offer.term)) as Term;
  }

  /** Returns whether all of it is staged. */
  async run(): Promise<boolean> {
    const { leader, replica } = this.#options;
    const company = new Company<number, SnapshotOffer>({
      ...this.#options,
      work: this.#work,
      invite: (id) => this.#invite(id),
      pull: (source, position) => this.#pull(source, position),
      isOfUse: () => replica.commit < this.#offer.meta.index,
    });
    // The leader has enough to do: the others take the first chunks.
    const inOrder = [...this.#holders].sort((a, b) => Number(a.id === leader) - Number(b.id === leader));
    for (const { id, offer } of inOrder) company.hire(id, offer);
    await company.done();
    return this.#work.isComplete;
  }

  /**
   * Its term does not matter, unlike with entries: each chunk is checked against what others have offered in a term that is
   * accounted for, so that what is put in force was committed by then, whoever delivers it.
   */
  async #invite(id: MemberId): Promise<SnapshotOffer | undefined> {
    const offer = await this.#options.inquiries.manifest(id);
    return offer !== undefined && isSameSnapshot(offer, this.#offer) ? offer : undefined;
  }

  async #pull(source: Source, position: number): Promise<Delivery> {
    const { index } = this.#offer.meta;
    const late = (chunk: Uint8Array, afterMs: number): void => {
      // What the own storage refuses here it refuses of what others bring, too, and that ends the pull.
      const taken = this.#take(position, chunk).catch(() => 'came' as const);
      void taken.then((delivery) => source.judgeLate(delivery, afterMs));
    };
    const chunk = await this.#options.inquiries.chunk(source, { index, position }, late);
    return chunk === undefined ? 'lost' : this.#take(position, chunk);
  }

  async #take(position: number, chunk: Uint8Array): Promise<Delivery> {
    if (this.#work.isOver) return 'came';
    if (chunk.length === 0) return 'unfit';
    try {
      // The storage may take the memory over, and what came is a view of a frame.
      await this.#stage.write(chunk.slice(), position);
      this.#work.got(position);
      return 'came';
    } catch (thrown) {
      if (!(thrown instanceof SnapshotMismatchError)) throw thrown;
      log('%s', thrown.message);
      return 'unfit';
    }
  }
}

function isSameSnapshot(a: SnapshotOffer, b: SnapshotOffer): boolean {
  return a.meta.index === b.meta.index && equalBytes(a.manifest.root, b.manifest.root);
}
