import { DecodeError, type Metrics, type NetworkId, type PeerId, type Runtime } from '@mosaik/primitives';
import type { SignedEntry } from '../entry/peer-entry.ts';
import { readSignedEntry, type UnverifiedEntry, type Verify } from '../entry/signed-entry.ts';
import type { Settings } from '../options.ts';
import type { CatalogBook } from './book.ts';
import { judge, type RefusalReason, type Verdict } from './rules.ts';
import { Throttle } from './throttle.ts';

/** What became of an entry. `self` is one that speaks of this node. */
export type Outcome = 'insert' | 'update' | 'depart' | 'self' | RefusalReason;

/** Whether an outcome changed the catalog. */
export function isChange(outcome: Outcome): boolean {
  return outcome === 'insert' || outcome === 'update' || outcome === 'depart';
}

interface IntakeOptions {
  readonly book: CatalogBook;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly network: NetworkId;
  readonly self: PeerId;
  /** When this process started, as its own entry has it. */
  readonly ownStart: () => number;
  readonly settings: Settings;
  readonly verify: Verify;
  /** An entry has passed all checks; it is to be put into force. */
  readonly onAccepted: (signed: SignedEntry, verdict: 'insert' | 'update' | 'depart') => void;
  /** An entry, with a right signature, that speaks of this node. */
  readonly onSelf: (signed: SignedEntry) => void;
}

/** The check of one signature, under way. */
interface Verification {
  readonly bytes: Uint8Array;
  readonly isRight: Promise<boolean>;
}

/** The gate for entries, whatever way they come: cheap checks first, then the signature, once per peer and version. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #throttle: Throttle;
  /** Verifications that are under way, by the peer that is to have signed. */
  readonly #verifying = new Map<PeerId, Verification[]>();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.runtime, options.settings.verificationsPerSecond);
  }

  /** Takes an entry from a neighbour, or from nobody when the user gave it. */
  async take(bytes: Uint8Array, from: PeerId | undefined): Promise<Outcome> {
    const outcome = await this.#take(bytes, from);
    if (!isChange(outcome) && outcome !== 'self') {
      this.#options.metrics.counter('mosaik.discovery.refused').add(1, { reason: outcome });
    }
    return outcome;
  }

  /** The neighbour has gone: its share is not needed any more. */
  forget(peer: PeerId): void {
    this.#throttle.forget(peer);
  }

  async #take(bytes: Uint8Array, from: PeerId | undefined): Promise<Outcome> {
    const read = this.#read(bytes);
    if (read === undefined) return 'malformed';
    const verdict = this.#judge(read);
    if (!isPromising(verdict)) return verdict;
    if (from !== undefined && !this.#throttle.take(from)) return 'throttled';
    if (!(await this.#verify(read))) return 'forged';
    return this.#settle(read);
  }

  /** What was decided before the signature was checked may have been overtaken since. */
  #settle(read: UnverifiedEntry): Outcome {
    const verdict = this.#judge(read);
    if (verdict === 'self') this.#options.onSelf(read);
    else if (isPromising(verdict)) this.#options.onAccepted(read, verdict);
    return verdict;
  }

  #read(bytes: Uint8Array): UnverifiedEntry | undefined {
    try {
      return readSignedEntry(bytes);
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #judge({ entry }: UnverifiedEntry): Verdict {
    const { book, runtime, settings, network, self, ownStart } = this.#options;
    // What this process said itself comes back all the time, and needs no proof.
    if (entry.peer === self && entry.version.start === ownStart()) return 'equal';
    return judge(entry, {
      network,
      self,
      wallNowMs: runtime.wallNow(),
      maxTimeDriftMs: settings.maxTimeDriftMs,
      purgeAfterMs: settings.purgeAfterMs,
      held: book.get(entry.peer)?.entry.version,
      buried: book.tombstone(entry.peer)?.version,
    });
  }

  /** What is being verified is waited for; only the very same bytes are the same. */
  #verify(read: UnverifiedEntry): Promise<boolean> {
    const { peer } = read.entry;
    const running = this.#verifying.get(peer) ?? [];
    const same = running.find(({ bytes }) => sameBytes(bytes, read.bytes));
    if (same !== undefined) return same.isRight;
    this.#options.metrics.counter('mosaik.discovery.verified').add(1);
    const verification: Verification = {
      bytes: read.bytes,
      isRight: read.verify(this.#options.verify).finally(() => this.#verified(peer, verification)),
    };
    this.#verifying.set(peer, [...running, verification]);
    return verification.isRight;
  }

  #verified(peer: PeerId, verification: Verification): void {
    const left = this.#verifying.get(peer)?.filter((other) => other !== verification) ?? [];
    if (left.length > 0) this.#verifying.set(peer, left);
    else this.#verifying.delete(peer);
  }
}

function isPromising(verdict: Verdict): verdict is 'insert' | 'update' | 'depart' | 'self' {
  return isChange(verdict) || verdict === 'self';
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
