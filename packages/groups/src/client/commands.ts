import { type Codec, throwIfAborted, type WaitOptions } from '@mosaik/primitives';
import {
  CommandAbortedError,
  type CommandsLeft,
  CommandTooLargeError,
  GroupClosedError,
  GroupOverloadedError,
} from '../errors.ts';
import type { LogIndex } from '../raft/types.ts';
import type { CommandSession, PendingCommand, SessionOutcome } from './session.ts';

/** A command with a result of its own. */
export interface Settled {
  readonly index: LogIndex;
  readonly result: unknown;
}

interface CommandsOptions {
  readonly session: CommandSession;
  readonly codec: Codec<unknown>;
  readonly maxPending: number;
  readonly maxBytes: number;
  /** Throws when nothing can be sent any more. */
  readonly requireOpen: (unsent: readonly unknown[]) => void;
}

/** Bytes of commands that wait to be sent, at most. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** One call, of one command or of many. */
interface Call {
  readonly commands: readonly unknown[];
  readonly pending: readonly CallCommand[];
  readonly settled: (Settled | undefined)[];
  readonly resolve: (settled: readonly Settled[]) => void;
  readonly reject: (error: Error) => void;
  left: number;
}

/** Turns calls into commands of the session, and their outcomes into what the caller gets. */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #calls = new Set<Call>();

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  run(commands: readonly unknown[], { signal }: WaitOptions = {}): Promise<readonly Settled[]> {
    try {
      throwIfAborted(signal, 'a command');
      this.#options.requireOpen(commands);
      const encoded = this.#encode(commands);
      if (commands.length === 0) return Promise.resolve([]);
      return this.#start(commands, encoded, signal);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /** As {@link Commands.run} for one command; the way of most, so that it costs one promise and one object. */
  runOne(command: unknown, options?: WaitOptions): Promise<Settled> {
    if (options?.signal !== undefined)
      return this.run([command], options).then(([settled]) => settled as Settled);
    const commands = [command];
    let one: OneCommand;
    try {
      this.#options.requireOpen(commands);
      this.#requireRoom(1, commands);
      one = new OneCommand(commands, this.#encodeOne(command, commands));
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    this.#options.session.submit(one);
    return one.settled;
  }

  /** Nothing more will be heard: all calls are told which of their commands were sent. */
  close(errorOf: (left: CommandsLeft<unknown>) => Error): void {
    const { sent, unsent } = this.#options.session.close();
    for (const call of [...this.#calls]) this.#fail(call, errorOf(leftOf(call)));
    for (const command of [...sent, ...unsent]) if (command instanceof OneCommand) command.abandon(errorOf);
  }

  #encode(commands: readonly unknown[]): Uint8Array[] {
    this.#requireRoom(commands.length, commands);
    return commands.map((command) => this.#encodeOne(command, commands));
  }

  #requireRoom(count: number, commands: readonly unknown[]): void {
    const { session, maxPending } = this.#options;
    if (session.length + count > maxPending || session.waitingBytes > WAITING_BYTES_MAX)
      throw new GroupOverloadedError(session.length, commands);
  }

  #encodeOne(command: unknown, commands: readonly unknown[]): Uint8Array {
    const { codec, maxBytes } = this.#options;
    const bytes = codec.encode(command);
    if (bytes.length > maxBytes) throw new CommandTooLargeError(bytes.length, maxBytes, commands);
    return bytes;
  }

  #start(
    commands: readonly unknown[],
    encoded: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Settled[]> {
    return new Promise((resolve, reject) => {
      const settled: (Settled | undefined)[] = new Array(commands.length).fill(undefined);
      const pending = encoded.map((bytes, place) => new CallCommand(bytes, place, this));
      const call: Call = { commands, pending, settled, resolve, reject, left: commands.length };
      this.#calls.add(call);
      if (signal !== undefined) this.#giveUpWith(call, signal);
      for (const command of pending) {
        command.call = call;
        this.#options.session.submit(command);
      }
    });
  }

  #giveUpWith(call: Call, signal: AbortSignal): void {
    const onAbort = (): void => {
      const left = leftOf(call);
      for (const command of call.pending) command.isCancelled = true;
      this.#fail(call, new CommandAbortedError(left, { cause: signal.reason }));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const { resolve, reject } = call;
    const done = (): void => signal.removeEventListener('abort', onAbort);
    Object.assign(call, {
      resolve: (settled: readonly Settled[]) => {
        done();
        resolve(settled);
      },
      reject: (error: Error) => {
        done();
        reject(error);
      },
    });
  }

  settle(call: Call, place: number, outcome: SessionOutcome): void {
    if (!this.#calls.has(call)) return;
    if (outcome.kind !== 'applied') {
      this.#fail(call, errorOf(outcome));
      return;
    }
    call.settled[place] = { index: outcome.index, result: outcome.result };
    call.left--;
    if (call.left > 0) return;
    this.#calls.delete(call);
    call.resolve(call.settled as Settled[]);
  }

  #fail(call: Call, error: Error): void {
    this.#calls.delete(call);
    call.reject(error);
  }
}

class OneCommand implements PendingCommand {
  readonly bytes: Uint8Array;
  readonly settled: Promise<Settled>;
  readonly isCancelled = false;
  isSent = false;
  readonly #commands: readonly unknown[];
  #resolve!: (settled: Settled) => void;
  #reject!: (error: Error) => void;

  constructor(commands: readonly unknown[], bytes: Uint8Array) {
    this.#commands = commands;
    this.bytes = bytes;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  settle(outcome: SessionOutcome): void {
    if (outcome.kind === 'applied') this.#resolve({ index: outcome.index, result: outcome.result });
    else this.#reject(errorOf(outcome));
  }

  /** It is over, by an error of the member itself. */
  abandon(errorOf: (left: CommandsLeft<unknown>) => Error): void {
    this.#reject(errorOf(this.isSent ? { unknown: this.#commands } : { unsent: this.#commands }));
  }
}

class CallCommand implements PendingCommand {
  readonly bytes: Uint8Array;
  readonly place: number;
  readonly #commands: Commands;
  call: Call | undefined;
  isCancelled = false;
  isSent = false;

  constructor(bytes: Uint8Array, place: number, commands: Commands) {
    this.bytes = bytes;
    this.place = place;
    this.#commands = commands;
  }

  settle(outcome: SessionOutcome): void {
    if (this.call !== undefined) this.#commands.settle(this.call, this.place, outcome);
  }
}

function errorOf(outcome: Exclude<SessionOutcome, { kind: 'applied' }>): Error {
  switch (outcome.kind) {
    case 'failed':
    case 'lost':
      return outcome.error;
    case 'gap':
    case 'expired':
    case 'forgotten':
      return new GroupClosedError(`an outcome that a session keeps to itself: ${outcome.kind}`);
  }
}

function leftOf({ commands, pending, settled }: Call): CommandsLeft<unknown> {
  const isOpen = (place: number): boolean => settled[place] === undefined;
  return {
    unsent: commands.filter((_, place) => isOpen(place) && pending[place]?.isSent === false),
    unknown: commands.filter((_, place) => isOpen(place) && pending[place]?.isSent === true),
  };
}
