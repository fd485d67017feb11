import { type Log, type PeerId, type Scope, type StreamId, shortId } from '@mosaik/primitives';
import type { KeptBlock, LogIdentity, LogStore, Retention } from '../log/log-storage.ts';
import type { Reach } from '../pull/asking.ts';
import type { Holders } from '../pull/holders.ts';
import { firstOf } from '../pull/starts.ts';
import { KeptLog } from '../serve/kept-log.ts';
import { Trimmer } from '../serve/trimmer.ts';
import { Copy } from './copy.ts';

/** Logs that one mirror copies; further ones are not. */
const LOGS_MAX = 1_024;
/** How often is looked for copies of which nothing is left. */
const SWEEP_EVERY_MS = 30_000;

export interface MirrorOptions {
  readonly scope: Scope;
  readonly stream: StreamId;
  readonly reach: Reach;
  readonly holders: Holders;
  readonly storage: LogStore;
  readonly retention: Retention;
  /** The log that this node writes to itself. */
  readonly own: LogIdentity | undefined;
  readonly log: Log;
  readonly onKept: (block: KeptBlock) => void;
  readonly onGap: () => void;
  readonly onMisbehaviour: (peer: PeerId, error: Error) => void;
}

/** Copies every log of a stream that anybody keeps. */
export class Mirror {
  readonly #options: MirrorOptions;
  /** Undefined while it is being opened, or removed. */
  readonly #copies = new Map<string, Copy | undefined>();

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  get copies(): readonly Copy[] {
    return [...this.#copies.values()].filter((copy) => copy !== undefined);
  }

  /** Opens what is kept already, and from then on copies what is offered. */
  async open(kept: readonly LogIdentity[]): Promise<void> {
    for (const identity of kept) await this.#copy(identity);
    const { scope, holders } = this.#options;
    scope.onClose(holders.changes.subscribe(() => this.#evaluate()));
    scope.every(SWEEP_EVERY_MS, () => this.#sweep());
    this.#evaluate();
  }

  #evaluate(): void {
    const { scope, holders, own } = this.#options;
    if (scope.isClosing || !holders.isSettled) return;
    for (const { offer } of holders.offers) {
      const { producer, log } = offer;
      if (own?.producer === producer && own.log === log) continue;
      const key = keyOf({ producer, log });
      if (this.#copies.has(key) || this.#copies.size >= LOGS_MAX) continue;
      this.#copies.set(key, undefined);
      scope.spawn(`open the copy of ${shortId(producer)}`, () => this.#begin({ producer, log }));
    }
  }

  /** Copies of which retention has left nothing, of logs that nobody writes any more, are let go. */
  #sweep(): void {
    const { scope, holders } = this.#options;
    for (const copy of this.copies) {
      const { extent, identity } = copy.log;
      const isEmpty = extent.newestMs > 0 && extent.first === extent.next;
      const isWritten = holders.offersOf(identity.producer, identity.log).some(({ offer }) => offer.isOwn);
      if (isEmpty && !isWritten) scope.spawn('remove a copy', () => this.#remove(copy));
    }
  }

  async #remove(copy: Copy): Promise<void> {
    const { identity } = copy.log;
    const key = keyOf(identity);
    this.#copies.set(key, undefined);
    await copy.close();
    await this.#options.storage.remove(identity);
    this.#copies.delete(key);
  }

  async #begin({ producer, log }: Pick<LogIdentity, 'producer' | 'log'>): Promise<void> {
    const { stream } = this.#options;
    try {
      await this.#copy({ stream, producer, log });
    } catch (error) {
      this.#options.log.error('the log %s of %s cannot be copied: %o', log, producer, error);
    }
  }

  async #copy(identity: LogIdentity): Promise<void> {
    const { scope, reach, holders, storage, retention, onKept, onGap, onMisbehaviour } = this.#options;
    const opened = await storage.openMirror(identity);
    if (scope.isClosing) return await opened.close();
    const { newestMs, next } = opened.extent;
    const offers = holders.offersOf(identity.producer, identity.log).map(({ offer }) => offer);
    const own = scope.child(`log ${shortId(identity.producer)} ${identity.log}`);
    own.onClose(() => opened.close());
    const log = new KeptLog(opened, { isOwn: false, retention });
    new Trimmer(log, retention, own);
    const copy = new Copy({
      scope: own,
      reach,
      holders,
      log,
      start: newestMs > 0 || offers.length === 0 ? next : firstOf(offers),
      onKept,
      onGap,
      onFailed: (error) => this.#options.log.error('a copy of %s has ended: %o', identity.producer, error),
      onMisbehaviour,
    });
    this.#copies.set(keyOf(identity), copy);
  }
}

function keyOf({ producer, log }: Pick<LogIdentity, 'producer' | 'log'>): string {
  return `${producer} ${log}`;
}
