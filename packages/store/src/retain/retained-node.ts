import type { PeerInfo } from '@mosaik/discovery';
import type { Runtime, Scope } from '@mosaik/primitives';
import type { Block, Epoch, StreamDefinition } from '@mosaik/streams';
import type { StoreContext } from '../context.ts';
import type { LogIdentity, LogStore, Retention } from '../log/log-storage.ts';
import { Holders } from '../pull/holders.ts';
import { KeptLog } from '../serve/kept-log.ts';
import type { Served } from '../serve/server.ts';
import { Trimmer } from '../serve/trimmer.ts';
import { storeIdOf } from '../wire/protocol.ts';
import { Mirror } from './mirror.ts';
import { OwnJournal } from './own-journal.ts';
import type { RetainedLog, RetainedStats } from './retained.ts';

/** The options of `retain`, with their defaults. */
export interface RetainSettings {
  readonly storage: LogStore;
  readonly name: string;
  readonly retention: Retention;
  readonly acceptIf: (peer: PeerInfo) => boolean;
  readonly isMirror: boolean;
  readonly isOwn: boolean;
}

/** One stream that is retained on this node: its own log, and copies of the others'. */
export class RetainedNode implements Served {
  readonly definition: StreamDefinition<never, unknown>;
  readonly settings: RetainSettings;
  readonly #scope: Scope;
  readonly #context: StoreContext;
  readonly #trimmers: Trimmer[] = [];
  #own: KeptLog | undefined;
  #mirror: Mirror | undefined;
  #datums = 0;
  #bytes = 0;
  #gaps = 0;

  constructor(options: {
    readonly definition: StreamDefinition<never, unknown>;
    readonly settings: RetainSettings;
    readonly scope: Scope;
    readonly context: StoreContext;
  }) {
    this.definition = options.definition;
    this.settings = options.settings;
    this.#scope = options.scope;
    this.#context = options.context;
  }

  get acceptIf(): (peer: PeerInfo) => boolean {
    return this.settings.acceptIf;
  }

  get own(): LogIdentity | undefined {
    return this.#own?.identity;
  }

  get logs(): readonly KeptLog[] {
    const copies = this.#mirror?.copies.map(({ log }) => log) ?? [];
    return this.#own === undefined ? copies : [this.#own, ...copies];
  }

  get views(): readonly RetainedLog[] {
    const copies = this.#mirror?.copies ?? [];
    const views = copies.map(({ log, state }) => viewOf(log, state));
    return this.#own === undefined
      ? views
      : [viewOf(this.#own, this.#own.failure?.message ?? 'kept'), ...views];
  }

  get stats(): RetainedStats {
    return { datums: this.#datums, bytes: this.#bytes, gaps: this.#gaps };
  }

  /** Opens the logs, and keeps from then on; the catalog hears of it last. */
  async open(): Promise<void> {
    const { definition, settings } = this;
    if (settings.isOwn) await this.#openOwn();
    if (settings.isMirror) await this.#openMirror();
    const { name } = settings;
    const id = storeIdOf(definition.id);
    const advertised = this.#context.discovery.advertise({ kind: 'store', id, name });
    this.#scope.onClose(() => advertised[Symbol.dispose]());
  }

  async trim(): Promise<void> {
    for (const trimmer of this.#trimmers) await trimmer.trim();
  }

  close(): Promise<void> {
    return this.#scope.close();
  }

  async #openOwn(): Promise<void> {
    const { definition, settings } = this;
    const { reach, streams } = this.#context;
    const storage = await settings.storage.openOwn(definition.id, reach.self, () => newLog(reach.runtime));
    this.#scope.onClose(() => storage.close());
    const log = new KeptLog(storage, { isOwn: true, retention: settings.retention });
    this.#trimmers.push(new Trimmer(log, settings.retention, this.#scope));
    const journal = new OwnJournal(log, reach.runtime, (block) => this.#onKept(block));
    const keeping = streams.journal(definition, journal);
    this.#scope.onClose(() => keeping[Symbol.dispose]());
    this.#own = log;
  }

  async #openMirror(): Promise<void> {
    const { definition, settings } = this;
    const { reach, discovery, log, onMisbehaviour } = this.#context;
    const { storage, retention } = settings;
    const holders = new Holders({
      scope: this.#scope.child('holders'),
      reach,
      discovery,
      stream: definition.id,
      store: storeIdOf(definition.id),
      includesSelf: () => false,
      sinceMs: undefined,
    });
    this.#mirror = new Mirror({
      scope: this.#scope.child('mirror'),
      stream: definition.id,
      reach,
      holders,
      storage,
      retention,
      own: this.own,
      log,
      onKept: (block) => this.#onKept(block),
      onGap: () => this.#gaps++,
      onMisbehaviour,
    });
    const kept = await storage.list(definition.id);
    await this.#mirror.open(kept.filter(({ isOwn }) => !isOwn));
  }

  #onKept({ count, bytes }: Block): void {
    this.#datums += count;
    this.#bytes += bytes.length;
    this.#context.metrics.kept(count, bytes.length);
  }
}

function viewOf({ identity, isOwn, extent }: KeptLog, state: string): RetainedLog {
  return { identity, isOwn, extent, state };
}

function newLog(runtime: Pick<Runtime, 'randomBytes'>): Epoch {
  return Array.from(runtime.randomBytes(8), (byte) => byte.toString(16).padStart(2, '0')).join('') as Epoch;
}
