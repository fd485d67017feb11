import { createLog, type GroupId, type Runtime, type Scope, shortId, toError } from '@mosaik/primitives';
import { decideFounding, type FoundingDecision } from '../founding/plan.ts';
import type { StateMachine } from '../machine/machine.ts';
import type { ConsensusSettings } from '../options.ts';
import type { MemberId } from '../raft/types.ts';
import type { StorageDamagedError } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { compareHistories, createHistory, type History } from '../wire/history.ts';
import type { Life } from './life.ts';
import type { Member } from './member.ts';
import type { Peers } from './peers.ts';
import { type LostHistory, readCommands, reportOf } from './reverted.ts';

const log = createLog('groups:histories');

/** A history of which nothing is known to be committed is given up for an established one after this. */
const UNESTABLISHED_PATIENCE_MS = 10_000;

interface HistoriesOptions {
  readonly id: GroupId;
  readonly scope: Scope;
  readonly settings: ConsensusSettings;
  readonly machine: StateMachine<unknown, unknown, unknown, unknown>;
  readonly storage: Storage;
  readonly peers: Peers;
  readonly isExpectingOthers: () => boolean;
  /** What this member tells of itself is different. */
  readonly changed: () => void;
  readonly failed: (error: Error) => void;
  /** The life is over: opens the log anew, for the next one. */
  readonly reopen: () => Promise<void>;
  /** Puts aside a log that is damaged, and closed. */
  readonly putAside: (damage: StorageDamagedError) => Promise<void>;
  /** The next life has begun. */
  readonly reverted: (history: LostHistory) => void;
}

/**
 * How a member comes by a history: it founds one, takes over that of others, or gives its own up: for an older one, or with a log
 * that is damaged.
 */
export class Histories {
  readonly #options: HistoriesOptions;
  readonly #runtime: Runtime;
  #startedAtMs: number;
  #decision: FoundingDecision | undefined;
  /** While one life is over, and the next has not begun. */
  #replacing: Promise<void> | undefined;

  constructor(options: HistoriesOptions) {
    this.#options = options;
    this.#runtime = options.scope.runtime;
    this.#startedAtMs = this.#runtime.now();
  }

  /** What was decided last, while there was no history. */
  get decision(): FoundingDecision | undefined {
    return this.#decision;
  }

  /** Monotonic time when the life of now began. */
  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  /** One life is over, and the next has not begun. */
  get isReplacing(): boolean {
    return this.#replacing !== undefined;
  }

  /** Resolves when no life is being replaced by the next. */
  async idle(): Promise<void> {
    await this.#replacing;
  }

  /** A life begins. */
  begin(): void {
    this.#startedAtMs = this.#runtime.now();
    this.#decision = undefined;
  }

  /** Whom this member would have found the group; also of a history that is not established yet. */
  founderOf(life: Life): MemberId | undefined {
    if (life.history !== undefined && life.isEstablished) return undefined;
    if (this.#decision?.kind === 'wait') return this.#decision.founder;
    return this.#decision?.kind === 'found' ? life.member : undefined;
  }

  /** Decides for a life without a history. */
  found(life: Life): void {
    const { settings, peers, scope, isExpectingOthers, changed } = this.#options;
    if (life.isBeginning || scope.isClosing) return;
    const before = this.founderOf(life);
    const decision = decideFounding({
      self: life.member,
      preference: life.preference,
      founders: settings.founders,
      peers: peers.all().map(({ status }) => status),
      waitedMs: this.#runtime.now() - this.#startedAtMs,
      bootstrapDelayMs: settings.bootstrapDelayMs,
      isExpectingOthers: isExpectingOthers(),
    });
    this.#decision = decision;
    if (this.founderOf(life) !== before) changed();
    if (decision.kind === 'adopt') this.#begin(life, decision.history, []);
    if (decision.kind === 'found') this.#begin(life, createHistory(this.#runtime), decision.voters);
  }

  /** Where two histories meet, the older one stays; see `compareHistories`. */
  consider(life: Life): void {
    const own = life.history;
    if (own === undefined || this.isReplacing) return;
    const winner = this.#oldestOther(own);
    if (winner !== undefined && this.#loses(life, own, winner)) this.#revert(life, own, winner);
  }

  #oldestOther(own: History): History | undefined {
    const others = this.#options.peers
      .all()
      .filter(({ status }) => status.isEstablished)
      .map(({ status }) => status.history)
      .filter((history) => history !== undefined && history.id !== own.id);
    return (others as History[]).sort(compareHistories)[0];
  }

  #loses(life: Life, own: History, other: History): boolean {
    if (life.isEstablished) return compareHistories(other, own) < 0;
    // Nothing that anybody may count on was ever written; or, after a while, nobody else seems to know of it.
    const isEmpty = (life.works?.replica.status.lastIndex ?? 0) === 0;
    return isEmpty || this.#runtime.now() - this.#startedAtMs > UNESTABLISHED_PATIENCE_MS;
  }

  #begin(life: Life, history: History, voters: readonly MemberId[]): void {
    this.#options.scope.spawn('begin history', async () => {
      try {
        await life.begin(history, voters);
      } catch (thrown) {
        this.#options.failed(toError(thrown));
        return;
      }
      this.#options.changed();
    });
  }

  /** What was read of the log is not what was written: the next life is another member's, which has no history yet. */
  discard(life: Life, damage: StorageDamagedError): void {
    this.#replace('discard', async () => {
      await life.close();
      await this.#options.putAside(damage);
      await this.#options.reopen();
    });
  }

  #revert(life: Life, lost: History, kept: History): void {
    const { id } = this.#options;
    log.error('%s: history %s has met the older %s, and is set aside', shortId(id), lost.id, kept.id);
    this.#replace('revert', () => this.#setAside(life, lost, kept));
  }

  #replace(what: string, work: () => Promise<void>): void {
    const { scope, changed, failed } = this.#options;
    if (scope.isClosing) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#replacing = promise;
    scope.spawn(what, async () => {
      try {
        await work();
      } catch (thrown) {
        failed(toError(thrown));
      } finally {
        this.#replacing = undefined;
        resolve();
      }
      changed();
    });
  }

  async #setAside(life: Life, lost: History, kept: History): Promise<void> {
    const { storage, machine, reopen, reverted } = this.#options;
    const { works } = life;
    works?.replica.stop();
    const { last, commit: recovered } = life.opened.log.recovered;
    const { lastIndex = last.index, commit = recovered } = works?.replica.status ?? {};
    const { commands, upTo } = await readCommands(life.opened.log, machine, { to: lastIndex, commit });
    await life.close();
    const where = await storage.setAside('reverted');
    await reopen();
    reverted({ lost, kept, commands, upTo, where });
  }
}

/** The histories of a member, which itself tells what has changed, and opens its log. */
export function createHistories(
  member: Member,
  own: Pick<HistoriesOptions, 'changed' | 'reopen'>,
): Histories {
  const { id, scope, settings, machine, storage, isExpectingOthers } = member.options;
  return new Histories({
    ...own,
    id,
    scope,
    settings,
    machine,
    storage,
    peers: member.peers,
    isExpectingOthers,
    failed: (error) => member.onFailed(error),
    putAside: (damage) => member.damage.putAside(damage),
    reverted: (history) => {
      member.reversions.push(reportOf(history, member.session));
      member.damage.forget();
      member.session.moveOn();
    },
  });
}
