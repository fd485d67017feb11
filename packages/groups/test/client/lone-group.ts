import { systemRuntime } from '@mosaik/primitives';
import { Commands } from '../../src/client/commands.ts';
import { CommandSession } from '../../src/client/session.ts';
import type { ApplierTestOptions } from '../../src/machine/applier/machine-applier.ts';
import { type Applier, createApplier } from '../../src/machine/applier.ts';
import { type CommandRecord, decodeRecords, encodeEntry, encodeRecord } from '../../src/machine/commands.ts';
import { machine } from '../../src/machine/define.ts';
import { CommandRejectedError } from '../../src/machine/errors.ts';
import type { StateMachine } from '../../src/machine/machine.ts';
import type { LogIndex, Term } from '../../src/raft/types.ts';

/** A number to add; `no` is rejected, and `bug` throws what it should not. */
export type Sum = number | 'no' | 'bug';

const Summing: StateMachine<Sum, number, null, number> = machine({
  signature: 'test.sum/1',
  initial: () => ({ sum: 0 }),
  apply(state: { sum: number }, command: Sum) {
    if (command === 'no') throw new CommandRejectedError('no', 'as it was told');
    if (command === 'bug') throw new TypeError('a bug');
    state.sum += command;
    return state.sum;
  },
  query: ({ sum }: { sum: number }, _: null) => sum,
});

interface LoneOptions {
  readonly limits?: ApplierTestOptions['limits'];
  readonly maxPending?: number;
  readonly maxBytes?: number;
}

/** A client of a group that is one machine and no Raft: what the client offers becomes an entry when the test says so. */
export class LoneGroup {
  readonly applier: Applier<number, null, number>;
  readonly session: CommandSession;
  readonly commands: Commands;
  /** Somebody leads, who takes what is offered. */
  isOnline = true;
  nowMs = 0;
  #offered: Uint8Array[] = [];
  #isHeard = true;

  constructor({ limits, maxPending = 10_000, maxBytes = 1_000 }: LoneOptions = {}) {
    this.applier = createApplier({
      machine: Summing,
      limits,
      observer: {
        opened: (nonce, session) => {
          if (this.#isHeard) this.session.opened(nonce, session);
        },
        wants: (session) => this.#isHeard && session === this.session.number,
        outcome: (session, sequence, outcome) => {
          if (session === this.session.number) this.session.outcome(sequence, outcome);
        },
      },
    });
    this.session = new CommandSession({
      runtime: {
        ...systemRuntime,
        now: () => this.nowMs,
      },
      offer: (record) => {
        if (this.isOnline) this.#offered.push(record);
        return this.isOnline;
      },
      outcomeOf: (session, sequence) => this.applier.outcomeOf(session, sequence),
      resendAfterMs: 1_000,
    });
    this.commands = new Commands({
      session: this.session,
      codec: Summing.codecs.command,
      maxPending,
      maxBytes,
      requireOpen: () => {},
    });
  }

  get sum(): number {
    return this.applier.query(null);
  }

  /** What was offered and not delivered, in order. */
  async offered(): Promise<CommandRecord[]> {
    await this.#flushed();
    return this.#offered.flatMap((record) => decodeRecords(record));
  }

  /** What was offered is lost on its way. */
  async lose(): Promise<void> {
    await this.#flushed();
    this.#offered = [];
  }

  /** Applies what was offered, and what the client offers thereupon, up to so many records; the client hears of it. */
  async deliver(recordsMax: number = Number.POSITIVE_INFINITY): Promise<void> {
    for (let count = 0; count < recordsMax; count++) {
      await this.#flushed();
      const record = this.#offered.shift();
      if (record === undefined) return;
      this.#append(record);
    }
  }

  /** As {@link deliver} of all, but the client does not hear of it. */
  async deliverUnheard(): Promise<void> {
    this.#isHeard = false;
    await this.deliver();
    this.#isHeard = true;
  }

  /** Somebody else opens a session. */
  openOther(): void {
    this.#append(encodeRecord({ kind: 'open', nonce: new Uint8Array(16).fill(0xff) }));
  }

  #append(record: Uint8Array): void {
    const index = (this.applier.applied.index + 1) as LogIndex;
    this.applier.apply([{ index, term: 1 as Term, kind: 'command', data: encodeEntry(index, [record]) }]);
  }

  /** The client offers at the end of the microtasks of its turn. */
  #flushed(): Promise<void> {
    return new Promise((resolve) => systemRuntime.yieldTo(resolve));
  }
}
