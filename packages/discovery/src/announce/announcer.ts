import { invariant, jitter, type Scope } from '@mosaik/primitives';
import type { EntryVersion, PeerEntry, SignedEntry } from '../entry/peer-entry.ts';
import { type Sign, signEntry } from '../entry/signed-entry.ts';

interface AnnouncerOptions {
  readonly scope: Scope;
  readonly sign: Sign;
  readonly intervalMs: () => number;
  readonly build: (version: EntryVersion, isDeparted: boolean) => PeerEntry;
  /** The new entry is in force: keep it, and tell everybody. */
  readonly publish: (signed: SignedEntry) => Promise<void>;
}

/** Says what this node is: at once when it changes, changes of one turn together, and again from time to time. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #start: number;
  #lastUpdate: number;
  #current: SignedEntry | undefined;
  #isDirty = false;
  #isDeparting = false;
  #running: Promise<void> | undefined;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#start = Math.floor(options.scope.runtime.wallNow());
    this.#lastUpdate = this.#start - 1;
  }

  /** The entry in force; known once {@link Announcer.begin} has resolved. */
  get current(): SignedEntry {
    invariant(this.#current !== undefined, 'the own entry is signed before it is asked for');
    return this.#current;
  }

  async begin(): Promise<void> {
    await this.#announce(false);
    const { scope, intervalMs } = this.#options;
    scope.every(
      () => jitter(scope.runtime, intervalMs()),
      () => this.announce(),
    );
    if (this.#isDirty) this.announce();
  }

  /** Announces a new version soon: what else changes in this turn goes with it. */
  announce(): void {
    this.#isDirty = true;
    // What changes before the first announcement is done goes with the second: two at once might arrive in either order.
    if (this.#current === undefined || this.#running !== undefined) return;
    if (this.#isDeparting || this.#options.scope.isClosing) return;
    this.#running = this.#announceWhileDirty();
    this.#options.scope.spawn('announce', () => this.#running ?? Promise.resolve());
  }

  /** The last entry: it says that the node has left. Nothing is announced after it. */
  async depart(): Promise<void> {
    this.#isDeparting = true;
    await this.#running?.catch(() => {});
    await this.#announce(true);
  }

  async #announceWhileDirty(): Promise<void> {
    try {
      await Promise.resolve();
      while (this.#isDirty && !this.#isDeparting) {
        this.#isDirty = false;
        await this.#announce(false);
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #announce(isDeparted: boolean): Promise<void> {
    const { sign, build, publish, scope } = this.#options;
    // Versions only grow, also when the wall clock is set back.
    this.#lastUpdate = Math.max(this.#lastUpdate + 1, Math.floor(scope.runtime.wallNow()));
    const version = { start: this.#start, update: this.#lastUpdate };
    this.#current = await signEntry(build(version, isDeparted), sign);
    await publish(this.#current);
  }
}
