import { type Runtime, toError } from '@mosaik/primitives';
import type { MemberId } from '../raft/types.ts';
import type { Paces } from './pace.ts';
import { type Delivery, Source } from './source.ts';
import type { Work } from './work.ts';

/**
 * How long answers of one that has failed are waited for yet, at most. What others keep for this member they keep for as long
 * as this and the most patient wait before it.
 */
const HEAR_OUT_MS = 40_000;
/** How often it is seen whether that is of use still. */
const LOOK_EVERY_MS = 1_000;

interface CompanyOptions<Piece, Taker> {
  readonly runtime: Runtime;
  /** Fires when nothing is to be pulled any more. */
  readonly signal: AbortSignal;
  readonly work: Work<Piece, Taker>;
  readonly paces: Paces;
  /** Bonded members of the same history, now. */
  readonly members: () => readonly MemberId[];
  /** Asked when nobody else delivers any more. */
  readonly lastResort?: MemberId | undefined;
  /** Asks one that was bonded later, or did not say in time what it has: what it can be asked for, or undefined when that is of no help. */
  readonly invite: (id: MemberId) => Promise<Taker | undefined>;
  /** Asks for a piece and puts it where it belongs; where that fails, pulling ends. */
  readonly pull: (source: Source, piece: Piece) => Promise<Delivery>;
  /** Whether what is pulled still helps. */
  readonly isOfUse: () => boolean;
}

/** Members that are pulled from together, until all has come, or nobody is left who delivers. */
export class Company<Piece, Taker> {
  readonly #options: CompanyOptions<Piece, Taker>;
  /** Who takes part, or was asked whether it can. */
  readonly #asked = new Set<MemberId>();
  readonly #busy: Promise<void>[] = [];
  readonly #sources: Source[] = [];
  #failure: Error | undefined;

  constructor(options: CompanyOptions<Piece, Taker>) {
    this.#options = options;
  }

  hire(id: MemberId, taker: Taker): void {
    this.#asked.add(id);
    const { paces, runtime } = this.#options;
    const source = new Source(id, paces.of(id), runtime);
    this.#sources.push(source);
    this.#staff(source, taker);
  }

  #staff(source: Source, taker: Taker): void {
    while (source.askers < source.pace.parallel) {
      source.askers++;
      this.#busy.push(this.#employ(source, taker));
    }
  }

  /**
   * Resolves when nothing is pulled any more; whoever is waited for yet is of no account.
   *
   * @throws what it failed with to put a piece where it belongs.
   */
  async done(): Promise<void> {
    const { work } = this.#options;
    await Promise.race([work.over, this.#allGone()]);
    work.finish();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #allGone(): Promise<void> {
    // Grows meanwhile.
    for (let index = 0; index < this.#busy.length; index++) {
      await this.#busy[index];
      if (index === this.#busy.length - 1) this.#resort();
    }
  }

  /** Without, one that has what is missing and does not give it would keep this member behind for as long as it is there. */
  #resort(): void {
    const { lastResort, work } = this.#options;
    if (lastResort !== undefined && !work.isOver) this.#bringIn(lastResort);
  }

  /** Pulls piece after piece from one member, until there are none, it does not deliver, or others ask it enough. */
  async #employ(source: Source, taker: Taker): Promise<void> {
    const { work, signal, isOfUse } = this.#options;
    for (let piece = await work.take(taker); piece !== undefined; piece = await work.take(taker)) {
      this.#lookForMore();
      const hasCome = !source.isResting && (await this.#ask(source, piece)) === 'came';
      work.done(piece, hasCome);
      await source.rest(signal);
      if (signal.aborted || !isOfUse()) work.finish();
      if (source.isLeftOut) await this.#hearOut(source);
      if (source.isLeftOut || source.askers > source.pace.parallel) break;
      this.#staff(source, taker);
    }
    // At once: of two that are too many, only one goes.
    source.askers--;
  }

  /** An answer that is on its way may come yet, and then the member is asked again. Asked now, it would come later still. */
  async #hearOut(source: Source): Promise<void> {
    const { runtime, signal, work, members } = this.#options;
    const untilMs = runtime.now() + HEAR_OUT_MS;
    const mayCome = (): boolean => source.isLeftOut && source.isOwing && members().includes(source.id);
    while (mayCome() && runtime.now() < untilMs && !work.isOver && !signal.aborted) {
      if (this.#sources.every(({ isLeftOut, askers }) => isLeftOut || askers === 0)) this.#resort();
      await source.heard(LOOK_EVERY_MS, signal);
    }
  }

  async #ask(source: Source, piece: Piece): Promise<Delivery> {
    const { runtime, pull, work } = this.#options;
    const askedAtMs = runtime.now();
    try {
      const delivery = await pull(source, piece);
      source.judge(delivery, runtime.now() - askedAtMs);
      return delivery;
    } catch (thrown) {
      this.#failure ??= toError(thrown);
      work.finish();
      return 'lost';
    }
  }

  /** Who is bonded later helps, too: a member that comes back meets the others one after the other. */
  #lookForMore(): void {
    const { members, lastResort } = this.#options;
    for (const id of members()) if (id !== lastResort) this.#bringIn(id);
  }

  #bringIn(id: MemberId): void {
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    this.#busy.push(this.#invite(id));
  }

  async #invite(id: MemberId): Promise<void> {
    const { work, invite } = this.#options;
    const taker = await invite(id);
    if (taker !== undefined && !work.isOver) this.hire(id, taker);
  }
}
