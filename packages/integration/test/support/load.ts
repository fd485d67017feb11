import type { MemberProcess, WriteReport } from './groups.ts';
import type { Receipt } from './ledger.ts';

const BATCH = 2;
/** Batches of one client that are under way at once. */
const WIDTH = 2;

/** Clients of a group, one at each member it is told of, that write until they are stopped or their member is gone. */
export class Load implements AsyncDisposable {
  readonly #name: string;
  /** What was acknowledged. */
  readonly receipts: Receipt[] = [];
  /** What clients of members that live were refused. */
  readonly failures: string[] = [];
  /** Writes whose result said that they had been applied before. */
  repeated = 0;
  acknowledged = 0;
  readonly #clients = new Map<MemberProcess, Promise<void>>();
  readonly #released = new Set<MemberProcess>();
  #isOver = false;
  #markMs = Number.POSITIVE_INFINITY;
  #firstAfterMark: number | undefined;
  #lastAcknowledgedAtMs: number | undefined;
  #longestPauseMs = 0;

  /** @param name of its clients: what two loads of one group write must not be taken for the same. */
  constructor(name = '') {
    this.#name = name;
  }

  through(members: readonly MemberProcess[]): void {
    for (const member of members) {
      if (!this.#clients.has(member)) this.#clients.set(member, this.#run(member, this.#clients.size));
    }
  }

  /** Ends the clients at a member that is about to leave; resolves when they have been told of all they asked for. */
  async release(member: MemberProcess): Promise<void> {
    this.#released.add(member);
    await this.#clients.get(member);
  }

  /** Begins to look for the first write that is both sent and acknowledged after a moment. */
  mark(atMs: number): void {
    this.#markMs = atMs;
    this.#firstAfterMark = undefined;
  }

  /** When that was; undefined as long as there is none. */
  get servedAtMs(): number | undefined {
    return this.#firstAfterMark;
  }

  /** The longest time without an acknowledgement, since this was asked last. */
  takeLongestPauseMs(): number {
    const pauseMs = this.#longestPauseMs;
    this.#longestPauseMs = 0;
    return pauseMs;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The processes end after this, and with them what their clients wait for.
    this.#isOver = true;
  }

  async #run(member: MemberProcess, client: number): Promise<void> {
    await Promise.all(
      Array.from({ length: WIDTH }, (_, lane) =>
        this.#write(member, `${this.#name}client ${client}.${lane}/`),
      ),
    );
  }

  async #write(member: MemberProcess, prefix: string): Promise<void> {
    for (let from = 0; !this.#isOver && !this.#released.has(member); from += BATCH) {
      const report = await member
        .call<WriteReport>('write', { prefix, from, count: BATCH })
        .catch((error: Error) => error);
      if (report instanceof Error) {
        if (!member.hasEnded) this.failures.push(report.message);
        return;
      }
      this.#take(report, { prefix, from, indices: report.indices });
    }
  }

  #take({ startedAtMs, acknowledgedAtMs, repeated }: WriteReport, receipt: Receipt): void {
    this.receipts.push(receipt);
    this.acknowledged += receipt.indices.length;
    this.repeated += repeated;
    if (startedAtMs > this.#markMs)
      this.#firstAfterMark = Math.min(this.#firstAfterMark ?? acknowledgedAtMs, acknowledgedAtMs);
    const lastMs = this.#lastAcknowledgedAtMs ?? acknowledgedAtMs;
    this.#longestPauseMs = Math.max(this.#longestPauseMs, acknowledgedAtMs - lastMs);
    this.#lastAcknowledgedAtMs = Math.max(lastMs, acknowledgedAtMs);
  }
}
