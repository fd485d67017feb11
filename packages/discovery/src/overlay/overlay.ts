import { jitter, type PeerId, randomInt, type Scope, sample, withTimeout } from '@mosaik/primitives';
import type { Address, Connection, Transport } from '@mosaik/transport';
import { LostContacts } from './lost-contacts.ts';
import { Seeds } from './seeds.ts';

/** How often the overlay looks whether it is as it should be. */
const TICK_MS = 1_000;
/** A change of connections or of the catalog is answered after this, together with what follows it. */
const SETTLE_MS = 100;
/** Dials of the overlay under way at once. */
const MAX_DIALS = 4;
const DIAL_TIMEOUT_MS = 3_000;
/** A peer that could not be dialled is left alone for this long; others are as good. */
const FAILED_DIAL_MS = 5_000;
/** Others dial us too: connections beyond this many times the wanted number, and two, are let go. */
const EXCESS = 1.5;
/** Members to which there is no connection are looked after in turns, one in this time. */
const LOOK_AFTER_MS = 30_000;
/** A connection younger than this is not let go: whoever has just joined may have no other. */
const NEWCOMER_MS = 5_000;
/** One of those we lost is tried this often, so that a network that was cut in two finds itself again. */
const RECONCILE_MS = 1_500;

interface OverlayOptions {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly bootstrap: readonly Address[];
  readonly degree: number | undefined;
  /** How many peers are in the catalog. */
  readonly count: () => number;
  /** The peers in the catalog. */
  readonly peers: () => readonly PeerId[];
  readonly isKnown: (peer: PeerId) => boolean;
  /** Connects to a peer, by the addresses that the transport was told, and has it answer. */
  readonly reach: (peer: PeerId, signal: AbortSignal) => Promise<unknown>;
  /** Has another peer probe one to which we have no connection. */
  readonly reachThrough: (helper: PeerId, peer: PeerId, signal: AbortSignal) => Promise<boolean>;
  /** A connection that the overlay wanted stands: time to compare catalogs. */
  readonly onReached: (peer: PeerId) => void;
  /** The peers with whom others than discovery have links open. */
  readonly used: () => ReadonlySet<PeerId>;
  /** Closes a connection that is not needed. */
  readonly prune: (peer: PeerId) => Promise<void>;
  /** A member did not answer. */
  readonly onUnreachable: (peer: PeerId) => void;
}

/**
 * How many connections a node wants in a network of `peers` others: enough that a random graph of that degree is connected
 * and stays so when some fail (it needs more than ln n; Erdős and Rényi, 1959), and few enough for thousands of nodes.
 */
export function degreeFor(peers: number): number {
  return Math.min(peers, 4 + Math.ceil(Math.log2(peers + 1)));
}

/**
 * Keeps connections to a bounded random sample of the catalog. Too few: it dials more. Too many: it lets go of some that
 * nobody pinned, and over which no link of others is open. None at all: it asks the bootstrap addresses. It also goes on trying those it has lost.
 */
export class Overlay {
  readonly #options: OverlayOptions;
  readonly #lost: LostContacts;
  readonly #seeds: Seeds;
  readonly #pins = new Map<PeerId, number>();
  readonly #dialling = new Set<PeerId>();
  readonly #failedAtMs = new Map<PeerId, number>();
  #isSettling = false;

  constructor(options: OverlayOptions) {
    this.#options = options;
    this.#lost = new LostContacts(options.scope.runtime);
    this.#seeds = new Seeds(options);
  }

  start(): void {
    const { scope } = this.#options;
    this.#balance();
    scope.every(
      () => jitter(scope.runtime, TICK_MS),
      () => this.#balance(),
    );
    scope.every(
      () => jitter(scope.runtime, RECONCILE_MS, 0.3),
      () => this.#tryLost(),
    );
    scope.every(
      () => jitter(scope.runtime, LOOK_AFTER_MS, 0.3),
      () => this.#lookAfterSomebody(),
    );
  }

  /** Something changed: look again soon. */
  poke(): void {
    const { scope } = this.#options;
    if (this.#isSettling || scope.isClosing) return;
    this.#isSettling = true;
    scope.after(jitter(scope.runtime, SETTLE_MS, 0.5), () => {
      this.#isSettling = false;
      this.#balance();
    });
  }

  /** Keeps the connection to a peer from being let go, until disposed. */
  pin(peer: PeerId): Disposable {
    this.#pins.set(peer, (this.#pins.get(peer) ?? 0) + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (this.#pins.get(peer) ?? 1) - 1;
        if (left > 0) this.#pins.set(peer, left);
        else this.#pins.delete(peer);
      },
    };
  }

  /** A connection that served its purpose: let go, unless it is needed. */
  spare(peer: PeerId): void {
    const { transport, scope, used, prune } = this.#options;
    const isNeeded =
      this.#pins.has(peer) || transport.connections.value.size <= this.#wanted() || used().has(peer);
    if (!isNeeded && !scope.isClosing) scope.spawn('overlay prune', () => prune(peer));
  }

  /** A peer is gone, but not by its own wish: it may only be out of reach. */
  lost(peer: PeerId, addresses: readonly Address[]): void {
    this.#lost.add(peer, addresses);
  }

  /** A peer is there (again). */
  found(peer: PeerId): void {
    this.#lost.delete(peer);
    this.#failedAtMs.delete(peer);
  }

  #balance(): void {
    const { transport, count } = this.#options;
    const connected = transport.connections.value;
    const wanted = this.#wanted();
    if (connected.size === 0) this.#seeds.poke();
    const missing = Math.min(wanted, count()) - connected.size - this.#dialling.size;
    if (missing > 0) this.#grow(missing);
    const most = Math.ceil(wanted * EXCESS) + 2;
    if (connected.size > most) this.#shrink(connected.size - most);
  }

  #wanted(): number {
    return this.#options.degree ?? degreeFor(this.#options.count());
  }

  #grow(missing: number): void {
    const { transport, scope, peers } = this.#options;
    const nowMs = scope.runtime.now();
    const candidates = peers().filter(
      (peer) =>
        !transport.connections.value.has(peer) &&
        !this.#dialling.has(peer) &&
        nowMs - (this.#failedAtMs.get(peer) ?? Number.NEGATIVE_INFINITY) > FAILED_DIAL_MS,
    );
    const room = Math.min(missing, MAX_DIALS - this.#dialling.size);
    for (const peer of sample(scope.runtime, candidates, room)) this.#dial(peer);
  }

  #dial(peer: PeerId): void {
    const { reach, scope, onReached } = this.#options;
    this.#dialling.add(peer);
    scope.spawn('overlay dial', async (signal) => {
      const options = { what: 'dialling', timeoutMs: DIAL_TIMEOUT_MS, signal };
      try {
        await withTimeout(scope.runtime, options, (until) => reach(peer, until));
        this.#failedAtMs.delete(peer);
        onReached(peer);
      } catch {
        this.#failedAtMs.set(peer, scope.runtime.now());
        if (!signal.aborted) this.#onUnreachable(peer);
      } finally {
        this.#dialling.delete(peer);
        this.poke();
      }
    });
  }

  #onUnreachable(peer: PeerId): void {
    const { transport, isKnown, onUnreachable } = this.#options;
    if (isKnown(peer) && !transport.connections.value.has(peer)) onUnreachable(peer);
  }

  /**
   * Neighbours are probed all the time; of the others, one in a while, through a neighbour: that costs this node no
   * connection, and finds those whose neighbours all went with them.
   */
  #lookAfterSomebody(): void {
    const { transport, scope, peers, reachThrough } = this.#options;
    const connected = transport.connections.value;
    const [peer] = sample(
      scope.runtime,
      peers().filter((other) => !connected.has(other)),
      1,
    );
    const [helper] = sample(scope.runtime, [...connected.keys()].sort(), 1);
    if (peer === undefined || helper === undefined) return;
    scope.spawn('look after', async (signal) => {
      const options = { what: 'looking after a member', timeoutMs: DIAL_TIMEOUT_MS, signal };
      const isThere = await withTimeout(scope.runtime, options, (until) =>
        reachThrough(helper, peer, until),
      ).catch(
        // The helper did not answer: that says nothing of the other.
        () => true,
      );
      if (!isThere) this.#onUnreachable(peer);
    });
  }

  #shrink(excess: number): void {
    const { transport, scope, used, prune } = this.#options;
    const joinedBeforeMs = scope.runtime.now() - NEWCOMER_MS;
    const inUse = used();
    const isIdle = ({ peer, openedAtMs }: Connection): boolean =>
      !this.#pins.has(peer) && !inUse.has(peer) && openedAtMs < joinedBeforeMs;
    const idle = [...transport.connections.value.values()]
      .filter(isIdle)
      .map(({ peer }) => peer)
      .sort();
    for (const peer of sample(scope.runtime, idle, Math.min(excess, MAX_DIALS))) {
      scope.spawn('overlay prune', () => prune(peer));
    }
  }

  /** One of those that are lost, or a bootstrap address behind which nobody known is. */
  #tryLost(): void {
    const { transport, scope, isKnown } = this.#options;
    this.#forgetFailures();
    this.#seeds.retryUnknown(isKnown);
    const candidates = this.#lost.peers().filter((peer) => !this.#dialling.has(peer));
    const peer = candidates[randomInt(scope.runtime, candidates.length)];
    if (peer === undefined) return;
    transport.setAddresses(peer, this.#lost.addressesOf(peer));
    this.#dial(peer);
  }

  #forgetFailures(): void {
    const beforeMs = this.#options.scope.runtime.now() - FAILED_DIAL_MS;
    for (const [peer, atMs] of this.#failedAtMs) if (atMs < beforeMs) this.#failedAtMs.delete(peer);
  }
}
