import type { LogIndex } from '../raft/types.ts';
import { StorageDamagedError } from '../storage/errors.ts';
import type { Life, Works } from './life.ts';
import { putAside } from './log-book.ts';
import type { Member } from './member.ts';

/** A log that was found damaged while its member was running. */
interface Loss {
  /** What this member had applied by then. */
  readonly applied: LogIndex;
  /** Of which history. */
  readonly history: string;
  readonly detail: string;
  /** Monotonic time. */
  readonly foundAtMs: number;
}

/**
 * What a member does about a damaged log: it puts it aside, and its node is another member from then on, which gets everything
 * from the others. The handle, its commands and its session stay: they are of the group, not of the log.
 */
export class Damage {
  readonly #member: Member;
  #loss: Loss | undefined;
  /** Where the last damaged log is. */
  where: string | undefined;

  constructor(member: Member) {
    this.#member = member;
  }

  /** What is being made up for: undefined once all is applied again that had been. */
  get loss(): Loss | undefined {
    return this.#loss;
  }

  /**
   * Begins another life in the place of one that ended with a damaged log; returns false for other errors, where the others cannot go on without this member, and
   * where the log is damaged again before the last one is made up for: a disk that does that is not to be used.
   */
  discard(damage: Error): boolean {
    const { state, histories, life } = this.#member;
    if (!(damage instanceof StorageDamagedError) || state !== 'running' || this.#loss !== undefined)
      return false;
    const works = life?.works;
    if (life === undefined || works === undefined || !this.#canBeSpared(life, works)) return false;
    const { history, replica } = works;
    this.#loss = {
      applied: replica.applied,
      history: history.id,
      detail: damage.message,
      foundAtMs: this.#member.runtime.now(),
    };
    histories.discard(life, damage);
    return true;
  }

  /** Puts a log aside that was closed. */
  async putAside(damage: StorageDamagedError): Promise<void> {
    const { metrics, storage } = this.#member.options;
    metrics.counter('mosaik.groups.logs.damaged').add(1);
    this.where = await putAside(storage, damage);
  }

  /** To be called when something was applied; true when with that all is made up for. */
  isMadeUpBy(applied: LogIndex): boolean {
    const loss = this.#loss;
    if (loss === undefined) return false;
    const isSameHistory = this.#member.life?.history?.id === loss.history;
    if (isSameHistory && applied < loss.applied) return false;
    this.#loss = undefined;
    return true;
  }

  /** The history that was lost does not count any more. */
  forget(): void {
    this.#loss = undefined;
  }

  /** Whether a majority of the voters is bonded, this one not counted: what was committed is there, and more can be. */
  #canBeSpared({ member }: Life, { replica }: Works): boolean {
    const { voters } = replica.status.configuration.configuration;
    const others = voters.filter((id) => id !== member && this.#member.isOurs(id));
    return others.length > Math.floor(voters.length / 2);
  }
}
