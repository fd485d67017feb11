import type { PeerId } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import type { ProbeMessage, Starts } from './probe-protocol.ts';

/** Peers of which it is remembered that they run twice; beyond, what was found out first is forgotten. */
const PROVEN_MAX = 64;

/** Somebody who asks here, on a link of its own. */
export interface Asker {
  /** It has said when its process started. */
  hello(start: number): void;
  /** It has confirmed that it is one of these two, and so that it lives. */
  confirm(starts: Starts): void;
}

interface Known {
  readonly link: Link<ProbeMessage>;
  start: number | undefined;
  /** The start of the other process, of which it was told. */
  toldOf: number | undefined;
}

/**
 * Notices when two processes ask here with one key. Gossip and new links reach only one of the two, but each of them
 * asks on a link of its own, and says when it started.
 *
 * That a process with another start appears is no proof: the first may have been restarted, and its link be about to end.
 * So the one that was known before is asked by being told; only a process that lives confirms, and with that both run.
 */
export class Askers {
  readonly #known = new Map<PeerId, Set<Known>>();
  /** Pairs of starts that are proven; a start is that of one process only, so they hold for ever. */
  readonly #proven = new Map<PeerId, Starts>();
  readonly #startOf: (peer: PeerId) => number | undefined;

  /** @param startOf when a peer's process started, as the entry that is held of it has it. */
  constructor(startOf: (peer: PeerId) => number | undefined) {
    this.#startOf = startOf;
  }

  /** Takes note of a link until it ends. */
  add(link: Link<ProbeMessage>): Asker {
    const { peer } = link;
    const asker: Known = { link, start: undefined, toldOf: undefined };
    const all = this.#known.get(peer) ?? new Set();
    this.#known.set(peer, all.add(asker));
    void link.ended.then(() => {
      all.delete(asker);
      if (all.size === 0 && this.#known.get(peer) === all) this.#known.delete(peer);
    });
    return {
      hello: (start) => this.#onHello(asker, start),
      confirm: (starts) => this.#onConfirmed(asker, starts),
    };
  }

  /** An entry of a peer is in force, of a process that started then. That of an earlier one may have outlived it. */
  onStart(peer: PeerId, start: number): void {
    for (const asker of this.#known.get(peer) ?? []) {
      if (asker.start !== undefined && asker.start < start) tell(asker, [asker.start, start]);
    }
  }

  /** It is proven that two processes run with the key of a peer: whoever of them asks here is told, now or later. */
  tellTwice(peer: PeerId, starts: Starts): void {
    this.#proven.delete(peer);
    this.#proven.set(peer, starts);
    if (this.#proven.size > PROVEN_MAX) {
      const [oldest] = this.#proven.keys();
      if (oldest !== undefined) this.#proven.delete(oldest);
    }
    for (const asker of this.#known.get(peer) ?? []) tell(asker, starts);
  }

  #onHello(asker: Known, start: number): void {
    const { peer } = asker.link;
    asker.start = start;
    const proven = this.#proven.get(peer);
    if (proven !== undefined) tell(asker, proven);
    for (const other of this.#known.get(peer) ?? []) {
      if (other.start !== undefined) tell(other, [other.start, start]);
    }
    const heldStart = this.#startOf(peer);
    if (heldStart !== undefined) this.onStart(peer, heldStart);
  }

  #onConfirmed(asker: Known, starts: Starts): void {
    if (asker.start !== undefined && starts.includes(asker.start)) this.tellTwice(asker.link.peer, starts);
  }
}

/** Tells an asker of the other process, once. */
function tell(asker: Known, starts: Starts): void {
  const other = starts.find((start) => start !== asker.start);
  if (asker.start === undefined || !starts.includes(asker.start) || other === undefined) return;
  if (asker.toldOf === other || asker.link.end !== undefined) return;
  asker.toldOf = other;
  asker.link.trySend({ kind: 'twice', starts });
}
