import type { Discovery } from '@mosaik/discovery';
import {
  createWatch,
  type PeerId,
  type Scope,
  type StoreId,
  type StreamId,
  shortId,
  type WaitOptions,
  type WatchSource,
} from '@mosaik/primitives';
import type { Epoch } from '@mosaik/streams';
import type { LogOffer } from '../wire/messages.ts';
import type { Reach } from './asking.ts';
import { Holder } from './holder.ts';

/** Holders of one stream that are asked; further ones are left alone. */
const HOLDERS_MAX = 256;

/** After so many attempts without an answer, others need not wait for a holder. */
const PATIENCE_ATTEMPTS = 2;

export interface HoldersOptions {
  readonly scope: Scope;
  readonly reach: Reach;
  readonly discovery: Discovery;
  readonly stream: StreamId;
  readonly store: StoreId;
  /** Whether this node itself is a holder to be asked. */
  readonly includesSelf: () => boolean;
  readonly sinceMs: number | undefined;
}

/** What is known of the log of a producer, at one holder. */
export interface Offered {
  readonly peer: PeerId;
  readonly offer: LogOffer;
}

/** How a producer stands to a log: not a holder, not answering, writing to this log, or to another one. */
export type ProducerStanding =
  | { readonly kind: 'absent' | 'unanswered' | 'writes' }
  | { readonly kind: 'writesAnother'; readonly present: Epoch };

/** Everybody who keeps logs of one stream, found through the catalog, and what they say that they have. */
export class Holders {
  readonly #options: HoldersOptions;
  readonly #holders = new Map<PeerId, Holder>();
  readonly changes: WatchSource<number> = createWatch(0);

  constructor(options: HoldersOptions) {
    this.#options = options;
    options.scope.onClose(options.discovery.watch().subscribe(() => this.evaluate()));
    this.evaluate();
  }

  get all(): readonly Holder[] {
    return [...this.#holders.values()];
  }

  /** How many have answered. */
  get answered(): number {
    return this.all.filter(({ state }) => state === 'answered').length;
  }

  /** Each holder has answered, or refuses to; at least one has answered. */
  get isComplete(): boolean {
    return this.answered > 0 && this.all.every(({ state }) => state !== 'unanswered');
  }

  /** Each holder has answered, refuses to, or was waited for in vain; at least one has answered. */
  get isSettled(): boolean {
    const isDone = ({ state, failures }: Holder): boolean =>
      state !== 'unanswered' || failures >= PATIENCE_ATTEMPTS;
    return this.answered > 0 && this.all.every(isDone);
  }

  /** Who has a log of a producer. */
  offersOf(producer: PeerId, log: Epoch): Offered[] {
    return this.all.flatMap(({ peer, offers }) =>
      offers
        .filter((offer) => offer.producer === producer && offer.log === log)
        .map((offer) => ({ peer, offer })),
    );
  }

  /** Everything that is offered by anybody. */
  get offers(): readonly Offered[] {
    return this.all.flatMap(({ peer, offers }) => offers.map((offer) => ({ peer, offer })));
  }

  standingOf(producer: PeerId, log: Epoch): ProducerStanding {
    const holder = this.#holders.get(producer);
    if (holder === undefined || holder.state === 'refused') return { kind: 'absent' };
    if (holder.state === 'unanswered') return { kind: 'unanswered' };
    const own = holder.offers.find(({ isOwn }) => isOwn);
    if (own === undefined) return { kind: 'absent' };
    return own.log === log ? { kind: 'writes' } : { kind: 'writesAnother', present: own.log };
  }

  /** Asks all anew; resolves when each has answered, failed to, or gone. */
  async refresh(options: WaitOptions): Promise<void> {
    const asked = this.all.map((holder) => [holder, holder.poke()] as const);
    const isDone = ([holder, token]: readonly [Holder, number]): boolean =>
      holder.done >= token || this.#holders.get(holder.peer) !== holder;
    await this.changes.until(() => asked.every(isDone), options);
  }

  /** The catalog, or what this node keeps itself, has changed. */
  evaluate(): void {
    const { scope, discovery, store, reach, includesSelf } = this.#options;
    if (scope.isClosing) return;
    const peers = discovery.catalog.filter(({ stores }) => stores.includes(store)).map(({ peer }) => peer);
    const wanted = new Set(peers.slice(0, HOLDERS_MAX));
    if (includesSelf()) wanted.add(reach.self);
    let isChanged = false;
    for (const [peer, holder] of this.#holders) {
      if (wanted.has(peer)) continue;
      this.#holders.delete(peer);
      scope.spawn(`leave ${shortId(peer)}`, () => holder.close());
      isChanged = true;
    }
    for (const peer of wanted) {
      if (this.#holders.has(peer)) continue;
      this.#holders.set(peer, this.#begin(peer));
      isChanged = true;
    }
    if (isChanged) this.#changed();
  }

  #begin(peer: PeerId): Holder {
    const { scope, reach, stream, sinceMs } = this.#options;
    return new Holder({
      scope: scope.child(`holder ${shortId(peer)}`),
      reach,
      peer,
      stream,
      sinceMs,
      onChange: () => this.#changed(),
    });
  }

  #changed(): void {
    if (!this.changes.isClosed) this.changes.update((count) => count + 1);
  }
}
