import { createLog, DecodeError, type Scope, toError } from '@mosaik/primitives';
import type { Bond } from '../bonds/bond.ts';
import type { Question } from '../catch-up/server.ts';
import { GroupCode } from '../codes.ts';
import { decodeRecords } from '../machine/commands.ts';
import type { LogIndex, MemberId } from '../raft/types.ts';
import { StorageDamagedError } from '../storage/errors.ts';
import { decodeGroupMessage, encodeGroupMessage, type GroupMessage } from '../wire/messages.ts';
import type { Works } from './life.ts';
import type { Member } from './member.ts';
import type { Peers } from './peers.ts';
import type { Quiescence } from './quiescence.ts';

const log = createLog('groups:router');

interface RouterOptions {
  readonly scope: Scope;
  readonly works: () => Works | undefined;
  readonly leader: () => MemberId | undefined;
  readonly isLeader: () => boolean;
  /** Whether a bonded member is of the same history. */
  readonly isOurs: (member: MemberId) => boolean;
  readonly self: () => MemberId | undefined;
  readonly peers: Peers;
  /** What stands for the group in frames. */
  readonly channel: () => number | undefined;
  readonly onMalformed: () => void;
  readonly onStateHash: (from: MemberId, index: LogIndex, hash: Uint8Array) => void;
  readonly quiescence: Quiescence;
}

/** Takes what other members of the same history say to where it belongs, and commands to whoever leads. */
export class Router {
  readonly #options: RouterOptions;
  #wasRefused = false;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Whether commands that were forwarded were not taken, since this was asked last: they are to be sent again. */
  takeRefusal(): boolean {
    const wasRefused = this.#wasRefused;
    this.#wasRefused = false;
    return wasRefused;
  }

  /** Takes a payload off a bond; one that is no message ends the bond. */
  deliver(bond: Bond, payload: Uint8Array): void {
    const from = this.#options.peers.get(bond.peer)?.status.member;
    const to = this.#options.self();
    if (from === undefined || to === undefined) return;
    try {
      const message = decodeGroupMessage(payload, { from, to });
      if (message !== undefined) this.#receive(from, message);
    } catch (thrown) {
      if (!(thrown instanceof DecodeError)) throw thrown;
      this.#options.onMalformed();
      bond.end(GroupCode.Malformed, thrown.message);
    }
  }

  /** False when there is no bond with this very member, or no room. */
  send(to: MemberId, message: GroupMessage): boolean {
    const bond = this.#options.peers.of(to)?.bond;
    const from = this.#options.self();
    const channel = this.#options.channel();
    if (bond === undefined || from === undefined || channel === undefined) return false;
    const frame = encodeGroupMessage(channel, { from, to }, message);
    return isBulky(message) ? bond.sendBulk(frame) : bond.send(frame);
  }

  /** @throws {DecodeError} for commands that are none. */
  #receive(from: MemberId, message: GroupMessage): void {
    const works = this.#options.works();
    if (works === undefined || !this.#options.isOurs(from)) return;
    switch (message.kind) {
      case 'raft':
        works.replica.step(message.message);
        break;
      case 'forward':
        this.#onForward(works, from, message.records);
        break;
      case 'forwardRefused':
        this.#options.quiescence.wake();
        this.#wasRefused = true;
        break;
      case 'stateHash':
        this.#options.onStateHash(from, message.index, message.hash);
        break;
      case 'quiesce':
        this.#options.quiescence.asked(from, message.term, message.index);
        break;
      case 'awake':
        this.#options.quiescence.wake();
        break;
      case 'range':
      case 'entries':
      case 'manifest':
      case 'chunk':
        works.puller.answered(message);
        break;
      case 'rangeAsk':
      case 'entriesAsk':
      case 'manifestAsk':
      case 'chunkAsk':
        this.#serve(works, from, message);
        break;
    }
  }

  /** Hands records of commands to whoever leads; false when nobody does, or has no room. */
  offer(records: Uint8Array): boolean {
    const works = this.#options.works();
    const leader = this.#options.leader();
    if (works === undefined || leader === undefined) return false;
    this.#options.quiescence.wake();
    if (!this.#options.isLeader()) return this.send(leader, { kind: 'forward', records });
    const isTaken = works.proposals.add(records);
    works.replica.poke();
    return isTaken;
  }

  #onForward(works: Works, from: MemberId, records: Uint8Array): void {
    // What is no record must not come into the log.
    decodeRecords(records);
    if (this.#options.isLeader() && works.proposals.add(records)) works.replica.poke();
    else this.send(from, { kind: 'forwardRefused' });
  }

  #serve(works: Works, from: MemberId, question: Question): void {
    const { scope } = this.#options;
    if (scope.isClosing) return;
    scope.spawn('catch-up answer', async () => {
      // What cannot be read now is not answered: whoever asks looks elsewhere.
      const answer = await works.server.answer(from, question).catch((thrown: unknown) => {
        this.#unanswered(works, question, toError(thrown));
        return undefined;
      });
      if (answer !== undefined) this.send(from, answer);
    });
  }

  #unanswered({ replica }: Works, { kind }: Question, error: Error): void {
    if (replica.isOver) return;
    if (error instanceof StorageDamagedError) replica.fail(error);
    else log.error('answering %s: %s', kind, error.message);
  }
}

/** The router of a member, which itself counts what is malformed, and compares hashes. */
export function createRouter(
  member: Member,
  own: Pick<RouterOptions, 'onMalformed' | 'onStateHash'>,
): Router {
  return new Router({
    ...own,
    scope: member.options.scope,
    works: () => member.life?.works,
    leader: () => member.leader,
    isLeader: () => member.isLeader,
    isOurs: (id) => member.isOurs(id),
    self: () => member.life?.member,
    peers: member.peers,
    channel: () => member.bonds?.channel,
    quiescence: member.quiescence,
  });
}

/** What goes behind other bulk of the pair; everything else goes ahead of it. Appends must keep their order. */
function isBulky(message: GroupMessage): boolean {
  switch (message.kind) {
    case 'raft':
      return message.message.type === 'append';
    case 'forward':
    case 'entries':
    case 'manifest':
    case 'chunk':
      return true;
    default:
      return false;
  }
}
