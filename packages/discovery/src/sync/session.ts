import { invariant, type PeerId, type Runtime } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { DiscoveryCode } from '../codes.ts';
import { Asked } from './asked.ts';
import { FINGERPRINT_BYTES, fingerprintFromBytes, type Salt, SyncIndex } from './fingerprints.ts';
import { ENTRIES_MAX, TURNS_MAX } from './limits.ts';
import { Line, type LineOptions } from './line.ts';
import type { SentEntry, StepMessage, SyncMessage } from './message.ts';
import { chunksOf, entriesOf, inOrder, isQuiet, type Turn } from './outgoing.ts';
import type { SyncRange } from './range.ts';
import { type Answer, covers, openingRange, reconcile } from './reconcile.ts';
import type { SyncItem, SyncSource, Tombstone } from './source.ts';

/** How a session is run. */
export interface SyncOptions extends LineOptions {
  /**
   * Entries taken in, and entries sent, at most. Default 20,000. What this side has beyond is left for the next session;
   * a peer that sends more is refused with code 20413.
   */
  readonly entriesMax?: number | undefined;
}

/** What a session did, seen from one side. */
export interface SyncResult {
  /** Entries sent. */
  readonly sent: number;
  /** Entries received. */
  readonly received: number;
  /** Of those received, how many changed the catalog. */
  readonly changed: number;
  /** Entries that were asked for, but that the other side did not hold any longer. */
  readonly missing: number;
  /** Turns, both sides counted. */
  readonly rounds: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

/**
 * Makes two catalogs equal, as the side that opened the link; closes it when done. Afterwards both hold the newer entry
 * of each peer, as they were when the session began, and have heard of the tombstones that cover them.
 *
 * The sides take turns: while one has the turn it only sends (entries, then a step, which hands the turn over), and the
 * other only reads. So at no time do both wait for room to send, and the one that waits to read is always waiting for
 * one that may send: a deadlock would need one of them to wait for the other against the order of turns. Who does not
 * keep to it runs into a time limit.
 *
 * @throws {SyncRefusedError} when the other side lies, stalls or never ends; the link is closed with its code.
 * @throws {LinkEndedError} when the link ends before the session does, such as for a malformed message (code 400).
 * @throws {AbortedError} when the signal fires; the link is torn down.
 */
export function syncWith(
  link: Link<SyncMessage>,
  source: SyncSource,
  options: SyncOptions,
): Promise<SyncResult> {
  return Line.hold(link, options, (line) => new Session(line, source, options).initiate());
}

/** The other side of {@link syncWith}: for a link that a peer opened. Fails as that does. */
export function serveSync(
  link: Link<SyncMessage>,
  source: SyncSource,
  options: SyncOptions,
): Promise<SyncResult> {
  return Line.hold(link, options, (line) => new Session(line, source, options).respond());
}

class Session {
  readonly #line: Line;
  readonly #source: SyncSource;
  readonly #runtime: Runtime;
  readonly #entriesMax: number;
  #index: SyncIndex = new SyncIndex([], [0, 0]);
  #asked: Asked = new Asked({ ranges: [], wants: [], sent: [] });
  /** In answer to entries that are dead here. */
  #replies: Tombstone[] = [];
  #turns = 0;
  #sent = 0;
  #received = 0;
  #changed = 0;
  #missing = 0;

  constructor(line: Line, source: SyncSource, options: SyncOptions) {
    this.#line = line;
    this.#source = source;
    this.#runtime = options.runtime;
    this.#entriesMax = options.entriesMax ?? ENTRIES_MAX;
  }

  /** The initiator ends the session: when it has nothing to say, nothing is open on either side. */
  async initiate(): Promise<SyncResult> {
    const salt = drawSalt(this.#runtime);
    this.#index = new SyncIndex(this.#source.items(), salt);
    const range = openingRange(this.#index);
    this.#countTurn();
    this.#asked = new Asked({ ranges: [range], wants: [], sent: [] });
    await this.#line.send({ kind: 'open', salt, range });
    while (true) {
      const turn = await this.#hear();
      if (turn === undefined) throw this.#line.endedEarly();
      if (isQuiet(turn)) break;
      await this.#say(turn);
    }
    await this.#line.close();
    return this.#result();
  }

  async respond(): Promise<SyncResult> {
    const opening = await this.#line.receive();
    if (opening === undefined) return this.#result();
    if (opening.kind !== 'open') throw this.#line.refusal(DiscoveryCode.Unasked, 'it began in the middle');
    this.#countTurn();
    this.#index = new SyncIndex(this.#source.items(), opening.salt);
    let turn: Turn | undefined = { ...this.#reconcile([opening.range]), deliver: [] };
    while (turn !== undefined) {
      await this.#say(turn);
      turn = await this.#hear();
    }
    return this.#result();
  }

  /** Reads a turn of the other side; returns the answer to it, or `undefined` when there was none. */
  async #hear(): Promise<Turn | undefined> {
    while (true) {
      const message = await this.#line.receive();
      if (message?.kind === 'entries') await this.#take(message.entries);
      else if (message?.kind === 'step') return this.#conclude(message);
      else if (message !== undefined) throw this.#line.refusal(DiscoveryCode.Unasked, 'it began again');
      else break;
    }
    this.#missing += this.#asked.wanted.size;
    return undefined;
  }

  async #say(turn: Turn): Promise<void> {
    this.#countTurn();
    const sent: PeerId[] = [];
    const entries = entriesOf(turn, this.#source, this.#entriesMax - this.#sent);
    for (const chunk of chunksOf(entries)) {
      for (const { peer, bytes } of chunk) {
        sent.push(peer);
        if (bytes.length > 0) this.#sent++;
      }
      await this.#line.send({ kind: 'entries', entries: chunk });
    }
    const { ranges, want: wants, tombstones } = turn;
    this.#asked = new Asked({ ranges, wants, sent });
    await this.#line.send({ kind: 'step', ranges, wants, tombstones });
  }

  async #take(entries: readonly SentEntry[]): Promise<void> {
    const alive: Uint8Array[] = [];
    for (const entry of entries) {
      if (!this.#asked.admits(entry, this.#index)) {
        throw this.#line.refusal(DiscoveryCode.Unasked, 'an entry that nobody asked for');
      }
      if (entry.bytes.length === 0) this.#missing++;
      else if (!this.#isDead(entry)) alive.push(entry.bytes);
    }
    this.#received += entries.reduce((count, { bytes }) => count + (bytes.length > 0 ? 1 : 0), 0);
    if (this.#received > this.#entriesMax) {
      throw this.#line.refusal(DiscoveryCode.TooManyEntries, `more than ${this.#entriesMax} entries`);
    }
    if (alive.length > 0) this.#changed += await this.#source.apply(alive, this.#line.peer);
  }

  /** Whether a tombstone covers an entry that came; the other side is to hear of it. */
  #isDead(entry: SentEntry): boolean {
    const tombstone = this.#source.tombstone(entry.peer);
    if (tombstone === undefined || !covers(tombstone, entry)) return false;
    this.#replies.push(tombstone);
    return true;
  }

  #conclude(step: StepMessage): Turn {
    this.#countTurn();
    const objection = this.#asked.objection(step);
    if (objection !== undefined) throw this.#line.refusal(DiscoveryCode.Unasked, objection);
    const { wanted } = this.#asked;
    for (const { peer } of step.tombstones) wanted.delete(peer);
    if (wanted.size > 0) {
      throw this.#line.refusal(DiscoveryCode.NotDelivered, `${wanted.size} entries listed and not delivered`);
    }
    if (step.tombstones.length > 0) this.#source.bury(step.tombstones, this.#line.peer);
    return this.#turnAfter(step);
  }

  #turnAfter({ ranges, wants }: StepMessage): Turn {
    const answer = this.#reconcile(ranges);
    const deliver: SyncItem[] = [];
    const tombstones = [...answer.tombstones, ...this.#replies];
    this.#replies = [];
    for (const peer of wants) {
      const tombstone = this.#source.signed(peer) === undefined ? this.#source.tombstone(peer) : undefined;
      const item = this.#index.get(peer);
      invariant(item !== undefined, 'what was listed is in the index');
      if (tombstone === undefined) deliver.push(item);
      else tombstones.push(tombstone);
    }
    return { ...answer, deliver, tombstones: inOrder(tombstones) };
  }

  #reconcile(ranges: readonly SyncRange[]): Answer {
    const tombstone = (peer: PeerId): Tombstone | undefined => this.#source.tombstone(peer);
    return reconcile({ index: this.#index, tombstone }, ranges);
  }

  #countTurn(): void {
    if (this.#turns === TURNS_MAX) {
      throw this.#line.refusal(DiscoveryCode.NotConverging, `not done after ${TURNS_MAX} turns`);
    }
    this.#turns++;
  }

  #result(): SyncResult {
    const { bytesOut, bytesIn } = this.#line;
    const counts = { sent: this.#sent, received: this.#received, changed: this.#changed };
    return { ...counts, missing: this.#missing, rounds: this.#turns, bytesOut, bytesIn };
  }
}

function drawSalt(runtime: Runtime): Salt {
  const [first, second] = fingerprintFromBytes(runtime.randomBytes(FINGERPRINT_BYTES));
  return [first, second];
}
