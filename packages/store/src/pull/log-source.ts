import {
  type BackoffOptions,
  DecodeError,
  invariant,
  type PeerId,
  type Scope,
  shortId,
  sleep,
  toError,
} from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';
import { LinkEndedError } from '@mosaik/transport';
import { StoreCode } from '../codes.ts';
import { LogReplacedError, OffsetAheadError } from '../errors.ts';
import type { KeptBlock, LogIdentity } from '../log/log-storage.ts';
import { ask, type Reach, receive, withLink } from './asking.ts';
import { eitherSignal } from './either.ts';
import type { Piece } from './gate.ts';
import type { Holders } from './holders.ts';
import { Knowledge } from './knowledge.ts';
import { type Plan, planNext } from './plan.ts';
import { RangePull } from './range-pull.ts';
import type { Sink } from './sink.ts';

export interface LogSourceOptions {
  readonly scope: Scope;
  readonly reach: Reach;
  readonly holders: Holders;
  readonly identity: LogIdentity;
  readonly start: Sequence;
  /** The start comes from a cursor: a log that is gone is then an error, and not a gap. */
  readonly isResumed: boolean;
  readonly sink: Sink;
  readonly backoff: BackoffOptions;
  /** What may be held of ranges that come before their turn. */
  readonly maxBuffer: number;
  readonly onMisbehaviour: (peer: PeerId, error: Error) => void;
}

/**
 * Brings one log to a sink: history from whoever has it, then what comes, without a seam; and goes on by itself after any
 * loss.
 *
 * Invariant: everything below `position` was given to the sink, or was told to it as a gap.
 */
export class LogSource {
  readonly identity: LogIdentity;
  readonly #options: LogSourceOptions;
  readonly #knowledge: Knowledge;
  #position: Sequence;
  #isCaughtUp = false;
  #isOver = false;
  #hasMoved = false;
  /** Whom it takes data from now. */
  #from: readonly PeerId[] = [];
  #why = 'not begun';

  constructor(options: LogSourceOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.#position = options.start;
    this.#knowledge = new Knowledge(options.scope.runtime, options.backoff);
    options.scope.spawn('source', (signal) => this.#run(signal));
  }

  get position(): Sequence {
    return this.#position;
  }

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Nothing more comes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get sources(): readonly PeerId[] {
    return this.#from;
  }

  /** What it does, or waits for. */
  get why(): string {
    return this.#why;
  }

  close(): Promise<void> {
    return this.#options.scope.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && !this.#isOver) await this.#step(this.#plan(), signal);
    } catch (thrown) {
      if (signal.aborted) return;
      this.#isOver = true;
      this.#why = toError(thrown).message;
      this.#options.sink.fail(toError(thrown));
    } finally {
      this.#from = [];
    }
  }

  #plan(): Plan {
    const { holders, identity } = this.#options;
    const offers = holders.offersOf(identity.producer, identity.log);
    return planNext({
      position: this.#position,
      candidates: offers.map(({ peer, offer }) => ({
        peer,
        offer,
        isResting: this.#knowledge.isResting(peer),
        begins: this.#knowledge.beginsAt(peer, offer, this.#position),
      })),
      producer: holders.standingOf(identity.producer, identity.log),
    });
  }

  async #step(plan: Plan, signal: AbortSignal): Promise<void> {
    switch (plan.kind) {
      case 'follow':
        return await this.#follow(plan, signal);
      case 'pull':
        return await this.#pull(plan, signal);
      case 'wait':
        return await this.#wait(plan.why, signal);
      default:
        return await this.#giveUp(signal);
    }
  }

  async #wait(why: string, signal: AbortSignal): Promise<void> {
    this.#why = why;
    const { holders, scope } = this.#options;
    const count = holders.changes.value;
    const over = new AbortController();
    using either = eitherSignal(signal, over.signal);
    const inMs = this.#knowledge.nextInMs;
    const changed = holders.changes.until((value) => value !== count, either);
    const waits = inMs === undefined ? [changed] : [changed, sleep(scope.runtime, inMs, either)];
    try {
      await Promise.race(waits.map((wait) => wait.catch(() => {})));
    } finally {
      over.abort();
    }
  }

  /** Something is missing for good: believed only when it is still so after everybody was asked anew. */
  async #giveUp(signal: AbortSignal): Promise<void> {
    const { holders, sink, identity } = this.#options;
    this.#why = 'asking everybody for what is missing';
    await holders.refresh({ signal });
    if (!holders.isSettled) return await this.#wait('a holder has not answered', signal);
    const again = this.#plan();
    if (again.kind === 'gap') {
      const from = this.#position;
      this.#position = again.to;
      await sink.gap(from, again.to);
    } else if (again.kind === 'over') {
      if (this.#options.isResumed && !this.#hasMoved && !this.#isCaughtUp)
        throw new LogReplacedError(identity, this.#position, again.present);
      await sink.gap(this.#position, undefined);
      await this.#caughtUp();
      this.#isOver = true;
      this.#why = 'the log is over';
    }
  }

  async #follow(plan: Plan & { readonly kind: 'follow' }, signal: AbortSignal): Promise<void> {
    const { reach, identity, holders } = this.#options;
    const { peer } = plan;
    this.#from = [peer];
    this.#why = `following ${shortId(peer)}`;
    const better = new AbortController();
    const unsubscribe = holders.changes.subscribe(() => {
      if (this.#isBetter(this.#plan(), plan)) better.abort();
    });
    using linked = eitherSignal(signal, better.signal);
    const either = linked.signal;
    try {
      const isDone = await withLink(reach, { peer, signal: either }, async (link) => {
        const session = await ask(reach, link, { identity, from: this.#position, to: undefined }, either);
        if (this.#isBelow(peer, session.opened.first)) return true;
        this.#knowledge.worked(peer);
        return await receive(session, either, (piece) => this.#take(piece, plan));
      });
      // It ended in an orderly way, or has less than it said: it is not asked again at once.
      if (!isDone || this.#isShort(plan)) this.#failedPeer(peer, new Error('the holder has ended'));
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      if (!better.signal.aborted) this.#failed(plan, toError(thrown));
    } finally {
      unsubscribe();
      this.#from = [];
    }
  }

  /** A holder whose end was reached offers more than that. */
  #isShort({ peer, untilEnd }: Plan & { readonly kind: 'follow' }): boolean {
    const { holders, identity } = this.#options;
    const offered = holders.offersOf(identity.producer, identity.log).find((offer) => offer.peer === peer);
    if (!untilEnd || offered === undefined) return false;
    const begins = this.#knowledge.beginsAt(peer, offered.offer, this.#position);
    return begins === this.#position && offered.offer.next > this.#position;
  }

  /** True when the session is to end. */
  #take(
    piece: Piece,
    plan: Plan & { readonly kind: 'follow' },
  ): Promise<boolean | undefined> | boolean | undefined {
    switch (piece.type) {
      case 'block':
        return this.#deliver(piece.block, piece.from);
      case 'skipped':
        this.#knowledge.lacks(plan.peer, piece.from, piece.to);
        return true;
      case 'reached':
        if (plan.untilEnd) return true;
        return plan.isLast ? this.#caughtUp().then(() => false) : false;
    }
  }

  #deliver(block: KeptBlock, from: Sequence): Promise<undefined> | undefined {
    invariant(from === this.#position && block.first <= from, 'a block does not follow on what came before');
    this.#position = block.next;
    this.#hasMoved = true;
    return this.#options.sink.take(block, from)?.then(() => undefined);
  }

  async #pull(plan: Plan & { readonly kind: 'pull' }, signal: AbortSignal): Promise<void> {
    const { reach, identity, maxBuffer } = this.#options;
    this.#from = plan.peers;
    this.#why = `taking history from ${plan.peers.length} holders`;
    const pull = new RangePull({
      reach,
      identity,
      from: this.#position,
      to: plan.to,
      peers: plan.peers,
      datumBytes: plan.datumBytes,
      maxBuffer,
      deliver: (block) => (block.next <= this.#position ? undefined : this.#deliver(block, this.#position)),
      onLacks: (peer, from, to) => this.#knowledge.lacks(peer, from, to),
      onFailed: (peer, error) => this.#failedPeer(peer, error),
    });
    try {
      await pull.run(signal);
    } finally {
      this.#from = [];
    }
  }

  #isBelow(peer: PeerId, first: Sequence): boolean {
    if (first <= this.#position) return false;
    this.#knowledge.lacks(peer, this.#position, first);
    return true;
  }

  /** While a mirror is followed, its producer may come back, or another mirror be further. */
  #isBetter(now: Plan, present: Plan & { readonly kind: 'follow' }): boolean {
    // The mirror may have come to its end for good: what follows there is gone, or is at the producer alone.
    if (now.kind === 'gap' || now.kind === 'over') return true;
    if (now.kind === 'pull') return !present.isLast;
    return now.kind === 'follow' && now.peer !== present.peer && (now.isLast || !present.isLast);
  }

  #failed(plan: Plan & { readonly kind: 'follow' }, error: Error): void {
    const { holders, identity } = this.#options;
    const isOwner = holders
      .offersOf(identity.producer, identity.log)
      .some(({ peer, offer }) => peer === plan.peer && offer.isOwn);
    if (isOwner && codeOf(error) === StoreCode.Ahead) {
      throw new OffsetAheadError(identity, this.#position, undefined);
    }
    this.#failedPeer(plan.peer, error);
  }

  #failedPeer(peer: PeerId, error: Error): void {
    if (error instanceof DecodeError) {
      this.#knowledge.misbehaved(peer);
      this.#options.onMisbehaviour(peer, error);
    } else {
      this.#knowledge.failed(peer);
    }
    // What was offered may not hold any more.
    for (const holder of this.#options.holders.all) if (holder.peer === peer) holder.poke();
  }

  async #caughtUp(): Promise<void> {
    if (this.#isCaughtUp) return;
    this.#isCaughtUp = true;
    await this.#options.sink.caughtUp();
  }
}

function codeOf(error: Error): number | undefined {
  const end = error instanceof LinkEndedError ? error.end : undefined;
  return end !== undefined && 'code' in end ? end.code : undefined;
}
