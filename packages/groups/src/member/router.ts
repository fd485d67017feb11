import { createLog, type Scope, toError } from '@mosaik/primitives';
import type { Question } from '../catch-up/server.ts';
import { decodeRecords } from '../machine/commands.ts';
import type { LogIndex, MemberId } from '../raft/types.ts';
import type { GroupMessage } from '../wire/messages.ts';
import type { Works } from './life.ts';

const log = createLog('groups:router');

interface RouterOptions {
  readonly scope: Scope;
  readonly works: () => Works | undefined;
  readonly leader: () => MemberId | undefined;
  readonly isLeader: () => boolean;
  /** Whether a bonded member is of the same history. */
  readonly isOurs: (member: MemberId) => boolean;
  readonly send: (to: MemberId, message: GroupMessage) => boolean;
  readonly onStateHash: (from: MemberId, index: LogIndex, hash: Uint8Array) => void;
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

  /** @throws {DecodeError} for commands that are none. */
  receive(from: MemberId, message: GroupMessage): void {
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
        this.#wasRefused = true;
        break;
      case 'stateHash':
        this.#options.onStateHash(from, message.index, message.hash);
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
    if (!this.#options.isLeader()) return this.#options.send(leader, { kind: 'forward', records });
    const isTaken = works.proposals.add(records);
    works.replica.poke();
    return isTaken;
  }

  #onForward(works: Works, from: MemberId, records: Uint8Array): void {
    // What is no record must not come into the log.
    decodeRecords(records);
    if (this.#options.isLeader() && works.proposals.add(records)) works.replica.poke();
    else this.#options.send(from, { kind: 'forwardRefused' });
  }

  #serve(works: Works, from: MemberId, question: Question): void {
    const { scope, send } = this.#options;
    if (scope.isClosing) return;
    scope.spawn('catch-up answer', async () => {
      // What cannot be read now is not answered: whoever asks looks elsewhere.
      const answer = await works.server.answer(from, question).catch((thrown: unknown) => {
        log.error('answering %s: %s', question.kind, toError(thrown).message);
        return undefined;
      });
      if (answer !== undefined) send(from, answer);
    });
  }
}

/** What goes behind other bulk of the pair; everything else goes ahead of it. Appends must keep their order. */
export function isBulky(message: GroupMessage): boolean {
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
