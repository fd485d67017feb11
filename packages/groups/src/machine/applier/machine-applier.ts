import { type Codec, invariant, type Runtime, toError, unreachable } from '@mosaik/primitives';
import { ByteReader, ByteWriter } from '../../bytes.ts';
import type { Entry, LogIndex, LogPosition, Term } from '../../raft/types.ts';
import type { AppliedSnapshot, Applier, ApplierOptions, ApplyObserver, Outcome } from '../applier.ts';
import {
  type CommandEntry,
  type CommandRecord,
  type CommandRun,
  decodeEntry,
  nonceText,
} from '../commands.ts';
import { SnapshotFormatError } from '../errors.ts';
import { createGuard, noGuard } from '../guard.ts';
import type { MachineInstance, StateMachine } from '../machine.ts';
import { type ApplierRules, safeApplierRules } from './rules.ts';
import { type Applied, CommandRunner, failed, isExpected } from './runner.ts';
import { bytesOf, type Session, type Settlement } from './session.ts';
import { SESSION_LIMITS, type SessionLimits, SessionTable } from './session-table.ts';
import { asFormatError, StreamReader, writeStream } from './snapshot-stream.ts';
import { AgreedHashes, hashOf } from './state-hash.ts';
import { decodeThrown, encodeThrown } from './thrown.ts';

const FORMAT = 1;
/** Of snapshots, unless told otherwise: many of them make a catch-up in parallel, and each is well above a message's cost. */
const DEFAULT_CHUNK_BYTES = 256 * 1024;

/** What tests may replace besides; no part of the public contract. */
export interface ApplierTestOptions {
  readonly rules?: Partial<ApplierRules> | undefined;
  readonly limits?: Partial<SessionLimits> | undefined;
}

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

export class MachineApplier<Command, Result, Query, Answer> implements Applier<Result, Query, Answer> {
  readonly #machine: StateMachine<Command, Result, Query, Answer>;
  readonly #instance: MachineInstance<Command, Result, Query, Answer>;
  readonly #runner: CommandRunner<Command, Result, Query, Answer>;
  readonly #observer: ApplyObserver<Result>;
  readonly #rules: ApplierRules;
  readonly #hashes: AgreedHashes | undefined;
  readonly #chunkBytes: number;
  readonly #runtime: Runtime | undefined;
  #sessions: SessionTable;
  #applied: LogPosition = { index: 0 as LogIndex, term: 0 as Term };
  #nowMs = 0;
  #isRestoring = false;

  constructor(options: ApplierOptions<Command, Result, Query, Answer> & ApplierTestOptions) {
    const { machine, guard = false } = options;
    this.#machine = machine;
    this.#instance = machine.create();
    this.#runner = new CommandRunner({
      instance: this.#instance,
      codecs: machine.codecs,
      guard: guard ? createGuard() : noGuard,
    });
    this.#observer = options.observer ?? {};
    this.#rules = { ...safeApplierRules, ...options.rules };
    this.#sessions = new SessionTable({ ...SESSION_LIMITS, ...options.limits });
    this.#hashes = options.hashEvery === undefined ? undefined : this.#createHashes(options.hashEvery);
    this.#runtime = options.runtime;
    this.#chunkBytes = options.chunkBytes ?? DEFAULT_CHUNK_BYTES;
  }

  #createHashes(every: number): AgreedHashes {
    return new AgreedHashes({
      every,
      hash: () => this.hash(),
      hashed: (index, hash) => this.#observer.hashed?.(index, hash),
      failed: (index, thrown) => this.#observer.fault?.(index, toError(thrown)),
    });
  }

  get applied(): LogPosition {
    return this.#applied;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  apply(entries: readonly Entry[]): void {
    invariant(!this.#isRestoring, 'nothing is applied while a snapshot is restored');
    for (const entry of entries) {
      invariant(entry.index === this.#applied.index + 1, `entry ${entry.index} is not next to be applied`);
      if (entry.kind === 'command') this.#applyCommands(entry);
      this.#applied = { index: entry.index, term: entry.term };
      this.#hashes?.applied(entry.index);
    }
  }

  #applyCommands(entry: Entry): void {
    const decoded = this.#decode(entry);
    if (decoded === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, decoded.nowMs);
    let place = 0;
    for (const record of decoded.records) {
      this.#applyRecord(record, entry, place);
      if (record.kind === 'run') place += record.commands.length;
    }
    this.#sessions.expire({ index: entry.index, nowMs: this.#nowMs });
  }

  /** An entry that cannot be read does nothing, on all members alike. */
  #decode({ index, data }: Entry): CommandEntry | undefined {
    try {
      return decodeEntry(data);
    } catch (thrown) {
      this.#observer.fault?.(index, toError(thrown));
      return undefined;
    }
  }

  #applyRecord(record: CommandRecord, entry: Entry, place: number): void {
    const moment = { index: entry.index, nowMs: this.#nowMs };
    switch (record.kind) {
      case 'open': {
        // Not in the call: an optional call does not evaluate what it would be given.
        const session = this.#sessions.open(moment);
        this.#observer.opened?.(nonceText(record.nonce), session);
        break;
      }
      case 'close':
        this.#sessions.close(record.session);
        break;
      case 'run':
        this.#applyRun(record, entry, place);
        break;
      default:
        unreachable(record);
    }
  }

  #applyRun(run: CommandRun, entry: Entry, place: number): void {
    const session = this.#sessionOf(run, entry.index);
    const before = session?.next ?? 0;
    session?.forgetUpTo(run.settled);
    const results = session === undefined ? [] : this.#applyFresh(run, { session, entry, place });
    if (this.#observer.wants?.(run.session) !== true) return;
    for (let at = 0; at < run.commands.length; at++) {
      const sequence = run.sequence + at;
      const fresh = sequence >= before ? results[sequence - before] : undefined;
      const outcome =
        fresh === undefined ? this.#outcomeIn(session, sequence) : outcomeNow(entry.index, fresh);
      this.#observer.outcome?.(run.session, sequence, outcome);
    }
  }

  #sessionOf({ session, sequence }: CommandRun, index: LogIndex): Session | undefined {
    const moment = { index, nowMs: this.#nowMs };
    const known = this.#sessions.use(session, moment);
    if (known !== undefined || this.#rules.refusesUnknownSessions) return known;
    return this.#sessions.adopt(session, sequence, moment);
  }

  /** Applies the commands of a run that come next in their session; returns how they went, in order. */
  #applyFresh(
    run: CommandRun,
    { session, entry, place }: { readonly session: Session; readonly entry: Entry; readonly place: number },
  ): readonly Applied<Result>[] {
    const skipped = this.#rules.appliesOnce ? session.next - run.sequence : 0;
    if (skipped < 0 || skipped >= run.commands.length) return [];
    const fresh = skipped === 0 ? run.commands : run.commands.slice(skipped);
    const results = this.#runner.run(fresh, { entry, nowMs: this.#nowMs }, place + skipped);
    return results.map((applied) => this.#settle(session, entry.index, applied));
  }

  /** Keeps how a command went for those who ask again; returns how it went. */
  #settle(session: Session, index: LogIndex, applied: Applied<Result>): Applied<Result> {
    let settled = applied;
    let encoded: Settlement['encoded'];
    try {
      encoded = this.#encodedOf(applied);
    } catch (thrown) {
      // A result that cannot be written is a failure of the command, on all members alike.
      settled = failed(thrown);
      encoded = this.#encodedOf(settled);
    }
    const kind = settled.kind === 'failed' ? 'failed' : 'applied';
    session.settle({ kind, index, encoded }, this.#sessions.limits);
    if (settled.kind === 'failed' && !isExpected(settled.error)) this.#observer.fault?.(index, settled.error);
    return settled;
  }

  #encodedOf(applied: Applied<Result>): Settlement['encoded'] {
    switch (applied.kind) {
      case 'made':
        return this.#machine.codecs.result.encode(applied.result);
      case 'encoded':
        return applied.encoded;
      case 'failed':
        return encodeThrown(applied.error);
    }
  }

  outcomeOf(session: number, sequence: number): Outcome<Result> | undefined {
    const known = this.#sessions.get(session);
    if (known !== undefined && sequence >= known.next) return undefined;
    return this.#outcomeIn(known, sequence);
  }

  #outcomeIn(session: Session | undefined, sequence: number): Outcome<Result> {
    if (session === undefined) return { kind: 'expired' };
    if (sequence >= session.next) return { kind: 'gap', expected: session.next };
    const settlement = session.settlementOf(sequence);
    return settlement === undefined
      ? { kind: 'forgotten' }
      : readSettlement(settlement, this.#machine.codecs.result);
  }

  query(query: Query): Answer {
    return this.#instance.query(query, { index: this.#applied.index });
  }

  snapshot(): AppliedSnapshot {
    invariant(!this.#isRestoring, 'nothing is captured while a snapshot is restored');
    const chunks = writeStream(this.#header(), this.#instance.snapshot(), this.#chunkBytes);
    return { position: this.#applied, chunks };
  }

  #header(): Uint8Array {
    const held = this.#rules.snapshotHoldsSessions ? this.#sessions : new SessionTable(this.#sessions.limits);
    const sessions = held.encode();
    const writer = new ByteWriter(sessions.length + 128);
    writer.byte(FORMAT);
    writer.sized(textEncoder.encode(this.#machine.signature));
    writer.varint(this.#applied.index);
    writer.varint(this.#applied.term);
    writer.varint(this.#nowMs);
    writer.sized(sessions);
    return writer.finish();
  }

  async restore(position: LogPosition, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    invariant(!this.#isRestoring, 'one snapshot is restored at a time');
    this.#isRestoring = true;
    const reader = new StreamReader(chunks);
    try {
      const header = this.#readHeader(await reader.header(), position);
      const own = reader.chunks();
      // Without a way to end it early: what comes after is read all the same.
      await this.#instance.restore({ [Symbol.asyncIterator]: () => ({ next: () => own.next() }) });
      for await (const _ of own);
      this.#sessions = header.sessions;
      this.#nowMs = header.nowMs;
      this.#applied = { index: position.index, term: position.term };
    } catch (thrown) {
      throw asFormatError(thrown);
    } finally {
      this.#isRestoring = false;
      await reader.release();
    }
  }

  #readHeader(bytes: Uint8Array, position: LogPosition): { sessions: SessionTable; nowMs: number } {
    const reader = new ByteReader(bytes);
    const format = reader.byte();
    if (format !== FORMAT) throw new SnapshotFormatError(`a snapshot of format ${format}, not ${FORMAT}`);
    const signature = textDecoder.decode(reader.sized());
    const expected = this.#machine.signature;
    if (signature !== expected) throw new SnapshotFormatError(`of machine ${signature}, not ${expected}`);
    const [index, term] = [reader.varint(), reader.varint()];
    if (index !== position.index || term !== position.term) {
      throw new SnapshotFormatError(
        `at ${index} of term ${term}, not at ${position.index} of term ${position.term}`,
      );
    }
    const nowMs = reader.varint();
    const sessions = SessionTable.decode(reader.sized(), this.#sessions.limits);
    reader.end();
    return { sessions, nowMs };
  }

  async hash(): Promise<Uint8Array> {
    if (this.#instance.hash === undefined) return await hashOf(this.snapshot().chunks, this.#runtime);
    // Sessions and position go with the machine's own hash: a retry must find the same everywhere.
    return await hashOf(
      writeStream(this.#header(), [this.#instance.hash()], this.#chunkBytes),
      this.#runtime,
    );
  }
}

function outcomeNow<Result>(index: LogIndex, applied: Applied<Result>): Outcome<Result> {
  switch (applied.kind) {
    case 'made':
      return { kind: 'applied', index, result: applied.result };
    case 'encoded':
      return { kind: 'applied', index, result: applied.encoded.value() };
    case 'failed':
      // As those are told who hear of it later.
      return { kind: 'failed', index, error: decodeThrown(encodeThrown(applied.error)) };
  }
}

function readSettlement<Result>(settlement: Settlement, codec: Codec<Result>): Outcome<Result> {
  const { kind, index } = settlement;
  const bytes = bytesOf(settlement);
  if (kind === 'failed') return { kind, index, error: decodeThrown(bytes) };
  return { kind, index, result: codec.decode(bytes) };
}
