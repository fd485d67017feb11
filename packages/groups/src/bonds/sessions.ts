import { DecodeError, type GroupId } from '@mosaik/primitives';
import type { BondEnd, BondedGroup } from './bond.ts';
import { Session, type SessionHost } from './session.ts';

/** The groups of one carrier, by their ids and by what the other side calls them. */
export class Sessions {
  readonly #host: SessionHost;
  readonly #byGroup = new Map<GroupId, Session>();
  /** Invariant: those of `#byGroup` whose group the other side has proven to be in. */
  readonly #byChannel = new Map<number, Session>();

  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** A copy: what is done with one may end others. */
  get all(): readonly Session[] {
    return [...this.#byGroup.values()];
  }

  /** Some group is bonded. */
  get areBonded(): boolean {
    return this.#some(({ bond }) => bond !== undefined);
  }

  /** This side has shown the proof of some group. */
  get areOffered(): boolean {
    return this.#some(({ isOffered }) => isOffered);
  }

  /** The other side has proven to be in some group. */
  get areProven(): boolean {
    return this.#byChannel.size > 0;
  }

  get(id: GroupId): Session | undefined {
    return this.#byGroup.get(id);
  }

  onChannel(channel: number): Session | undefined {
    return this.#byChannel.get(channel);
  }

  /** The session of a group, begun if there is none. */
  of(group: BondedGroup): Session {
    const session = this.#byGroup.get(group.id) ?? new Session(group, this.#host);
    this.#byGroup.set(group.id, session);
    return session;
  }

  /**
   * The other side has proven to be in a group, which it calls by a channel from now on.
   *
   * @throws {DecodeError} when it calls another group so already.
   */
  proven(group: BondedGroup, channel: number): Session {
    const known = this.#byChannel.get(channel);
    if (known !== undefined && known.group !== group) throw new DecodeError('schema', 'a channel twice');
    const session = this.of(group);
    if (session.theirChannel !== undefined) this.#byChannel.delete(session.theirChannel);
    session.theirChannel = channel;
    this.#byChannel.set(channel, session);
    return session;
  }

  end(id: GroupId, end: BondEnd): void {
    const session = this.#byGroup.get(id);
    if (session === undefined) return;
    this.#byGroup.delete(id);
    if (session.theirChannel !== undefined) this.#byChannel.delete(session.theirChannel);
    session.end(end);
  }

  endAll(end: BondEnd): void {
    for (const { group } of this.all) this.end(group.id, end);
  }

  #some(holds: (session: Session) => boolean): boolean {
    for (const session of this.#byGroup.values()) if (holds(session)) return true;
    return false;
  }
}
