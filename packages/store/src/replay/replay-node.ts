import type { Discovery } from '@mosaik/discovery';
import {
  type Condition,
  createWatch,
  type PeerId,
  type Scope,
  shortId,
  type WatchSource,
  watchCondition,
} from '@mosaik/primitives';
import type { Epoch, Sequence, StreamDefinition, Why } from '@mosaik/streams';
import type { Reach } from '../pull/asking.ts';
import { Holders } from '../pull/holders.ts';
import { LogSource } from '../pull/log-source.ts';
import { endOf, firstOf, sinceOf } from '../pull/starts.ts';
import type { LogOffer } from '../wire/messages.ts';
import { storeIdOf } from '../wire/protocol.ts';
import type { Cursor, CursorPosition } from './cursor.ts';
import { Feed, Lane } from './feed.ts';
import { ReplayReader } from './reader.ts';
import type { ReplaySource, ReplayStats } from './replay.ts';
import type { ReplaySettings } from './settings.ts';
import { whyReplay } from './why.ts';

/** Logs that one replay merges; further ones are left alone, and named in `why()`. */
const LOGS_MAX = 4_096;

interface ReplayNodeOptions<Out> {
  readonly definition: StreamDefinition<never, Out>;
  readonly settings: ReplaySettings;
  readonly scope: Scope;
  readonly discovery: Discovery;
  readonly reach: Reach;
  readonly includesSelf: () => boolean;
  readonly onMisbehaviour: (peer: PeerId, error: Error) => void;
}

interface Followed {
  readonly lane: Lane;
  readonly source: LogSource;
}

/** One replay: finds the logs of a stream and who keeps them, and brings each to its readers. */
export class ReplayNode<Out> {
  readonly definition: StreamDefinition<never, Out>;
  readonly reader: ReplayReader<Out>;
  readonly holders: Holders;
  readonly caughtUp: Condition;
  readonly #options: ReplayNodeOptions<Out>;
  readonly #feed = new Feed();
  readonly #followed = new Map<string, Followed>();
  /** Of the cursor that it began with: logs that are over. */
  readonly #over: readonly CursorPosition[];
  readonly #marks: WatchSource<boolean> = createWatch(false);
  #hasBegun = false;
  #misbehaved = 0;

  constructor(options: ReplayNodeOptions<Out>) {
    const { definition, settings, scope, discovery, reach, includesSelf } = options;
    const { begin } = settings;
    this.#options = options;
    this.definition = definition;
    this.#over = begin.kind === 'cursor' ? begin.cursor.positions.filter(({ isOver }) => isOver) : [];
    this.reader = new ReplayReader(definition as StreamDefinition<unknown, Out>, this.#feed, () =>
      this.#takeMark(),
    );
    this.caughtUp = watchCondition({
      watch: this.#marks,
      check: () => this.#marks.value,
      description: `the replay of ${definition.name} is caught up`,
      closed: `the replay of ${definition.name} is closed`,
    });
    this.holders = new Holders({
      scope: scope.child('holders'),
      reach,
      discovery,
      stream: definition.id,
      store: storeIdOf(definition.id),
      includesSelf,
      sinceMs: begin.kind === 'since' ? begin.sinceMs : undefined,
    });
    scope.onClose(this.holders.changes.subscribe(() => this.#evaluate()));
    this.#evaluate();
  }

  get isCaughtUp(): boolean {
    return this.#marks.value;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get cursor(): Cursor {
    const lanes = Array.from(this.#followed.values(), ({ lane }) => positionOf(lane));
    const begun = this.#hasBegun ? [] : this.#resumed();
    return { version: 1, stream: this.definition.id, positions: [...lanes, ...begun, ...this.#over] };
  }

  get sources(): readonly ReplaySource[] {
    return Array.from(this.#followed.values(), ({ source, lane }) => ({
      producer: lane.identity.producer,
      log: lane.identity.log,
      next: source.position,
      isCaughtUp: source.isCaughtUp,
      from: source.sources,
      state: source.why,
    }));
  }

  get stats(): ReplayStats {
    const { datumCount, gapCount, invalidCount } = this.reader;
    let waitingBytes = 0;
    for (const { lane } of this.#followed.values()) waitingBytes += lane.waitingBytes;
    return {
      datums: datumCount,
      bytes: this.#feed.receivedBytes,
      gaps: gapCount,
      invalid: invalidCount,
      waitingBytes,
      misbehaved: this.#misbehaved,
    };
  }

  why(): Why {
    return whyReplay({
      name: this.definition.name,
      isCaughtUp: this.isCaughtUp,
      minHolders: this.#options.settings.minHolders,
      holders: this.holders.all,
      sources: this.sources,
    });
  }

  async close(): Promise<void> {
    this.#feed.close();
    await this.#options.scope.close();
    this.reader.close();
    this.#marks.close();
  }

  /** Begins once it is known who has what; goes on with what becomes known later. */
  #evaluate(): void {
    if (this.#options.scope.isClosing) return;
    if (!this.#hasBegun && this.holders.isSettled) this.#begin();
    if (!this.#hasBegun) return;
    for (const [key, offers] of this.#offered()) {
      const offer = offers[0] as LogOffer;
      if (!this.#isKnown(key)) this.#follow(offer.producer, offer.log, this.#laterStart(offers), false);
    }
    // The last of the holders may have answered, without anything new.
    this.#feed.wake();
  }

  #begin(): void {
    const { begin } = this.#options.settings;
    this.#hasBegun = true;
    for (const { producer, log, next } of this.#resumed()) this.#follow(producer, log, next, true);
    for (const [key, offers] of this.#offered()) {
      const { producer, log } = offers[0] as LogOffer;
      if (this.#isKnown(key)) continue;
      if (begin.kind === 'end') this.#follow(producer, log, endOf(offers), false);
      else if (begin.kind === 'offset') this.#follow(producer, log, begin.offset, false);
      else if (begin.kind === 'since') this.#follow(producer, log, sinceOf(offers), false);
      else this.#follow(producer, log, this.#laterStart(offers), false);
    }
  }

  /** Where a log begins that was not known: who goes on from a place is told what is gone of it. */
  #laterStart(offers: readonly LogOffer[]): Sequence {
    const { kind } = this.#options.settings.begin;
    return kind === 'cursor' || kind === 'offset' ? 0 : firstOf(offers);
  }

  #resumed(): readonly CursorPosition[] {
    const { begin } = this.#options.settings;
    return begin.kind === 'cursor' ? begin.cursor.positions.filter(({ isOver }) => isOver !== true) : [];
  }

  #isKnown(key: string): boolean {
    return this.#followed.has(key) || this.#over.some(({ producer, log }) => keyOf(producer, log) === key);
  }

  #offered(): Map<string, LogOffer[]> {
    const byLog = new Map<string, LogOffer[]>();
    for (const { offer } of this.holders.offers) {
      const key = keyOf(offer.producer, offer.log);
      const known = byLog.get(key);
      if (known === undefined) byLog.set(key, [offer]);
      else known.push(offer);
    }
    return byLog;
  }

  #follow(producer: PeerId, log: Epoch, start: Sequence, isResumed: boolean): void {
    const { scope, settings, reach, definition, onMisbehaviour } = this.#options;
    if (this.#followed.size >= LOGS_MAX) return;
    const identity = { stream: definition.id, producer, log };
    const own = scope.child(`log ${shortId(producer)} ${log}`);
    const { maxBuffer, backoff } = settings;
    const lane = new Lane(this.#feed, { identity, start, maxBuffer, signal: scope.signal });
    const source = new LogSource({
      scope: own,
      reach,
      holders: this.holders,
      identity,
      start,
      isResumed,
      sink: lane,
      backoff,
      maxBuffer,
      onMisbehaviour: (peer, error) => {
        this.#misbehaved++;
        onMisbehaviour(peer, error);
      },
    });
    this.#followed.set(keyOf(producer, log), { lane, source });
  }

  /** Whether the readers have come to where everything that was there is read; true once. */
  #takeMark(): boolean {
    if (this.#marks.value || this.#marks.isClosed || !this.#hasBegun) return false;
    const { minHolders } = this.#options.settings;
    if (this.holders.answered < minHolders || !this.holders.isComplete) return false;
    for (const { lane } of this.#followed.values()) if (!lane.isCaughtUp) return false;
    this.#marks.set(true);
    return true;
  }
}

function keyOf(producer: PeerId, log: Epoch): string {
  return `${producer} ${log}`;
}

function positionOf({ identity: { producer, log }, next, isOver }: Lane): CursorPosition {
  return isOver ? { producer, log, next, isOver } : { producer, log, next };
}
