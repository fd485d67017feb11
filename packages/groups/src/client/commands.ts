import { type Codec, toError, type WaitOptions } from '@mosaik/primitives';
import {
  CommandAbortedError,
  CommandInvalidError,
  CommandsFailedError,
  CommandTooLargeError,
  GroupOverloadedError,
  outcomesOfUnsent,
} from '../errors.ts';
import { type Ending, ManyCall, type Settled, SingleCall } from './call.ts';
import type { CommandSession } from './session.ts';

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

/** Turns calls into commands of the session, and their outcomes into what the caller gets. */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #calls = new Set<ManyCall>();

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** All are taken, or none is. */
  async run(commands: readonly unknown[], { signal }: WaitOptions = {}): Promise<readonly Settled[]> {
    if (signal?.aborted === true)
      throw new CommandAbortedError(outcomesOfUnsent(commands), { cause: signal.reason });
    this.#options.requireOpen(commands);
    this.#requireRoom(commands);
    const encoded = commands.map((_, place) => this.#encode(commands, place));
    if (commands.length === 0) return [];
    return await this.#start(new ManyCall(commands, encoded), signal);
  }

  /** As {@link Commands.run} for one command; the way of most, so that it costs one promise and one object. */
  runOne(command: unknown, options?: WaitOptions): Promise<Settled> {
    const commands = [command];
    if (options?.signal !== undefined) return this.run(commands, options).then(onlyOf, throwOnly);
    let one: SingleCall;
    try {
      this.#options.requireOpen(commands);
      this.#requireRoom(commands);
      one = new SingleCall(command, this.#encode(commands, 0));
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    this.#options.session.submit(one);
    return one.settled;
  }

  /** Nothing more will be heard: all calls are told what became of their commands. */
  close(ending: Ending): void {
    const left = this.#options.session.close();
    for (const call of [...this.#calls]) call.end(ending);
    for (const command of left) if (command instanceof SingleCall) command.end(ending);
  }

  #requireRoom(commands: readonly unknown[]): void {
    const { session, maxPending } = this.#options;
    const { length, waitingBytes } = session;
    if (length + commands.length > maxPending) {
      const message = `${length} commands wait, and no ${commands.length} more: ${maxPending} may (maxPendingCommands)`;
      throw new GroupOverloadedError(message, commands);
    }
    if (waitingBytes > WAITING_BYTES_MAX)
      throw new GroupOverloadedError(`${waitingBytes} bytes of commands wait to be sent`, commands);
  }

  #encode(commands: readonly unknown[], place: number): Uint8Array {
    const { codec, maxBytes } = this.#options;
    let bytes: Uint8Array;
    try {
      bytes = codec.encode(commands[place]);
    } catch (thrown) {
      throw new CommandInvalidError(toError(thrown), { place, commands });
    }
    if (bytes.length > maxBytes) throw new CommandTooLargeError(bytes.length, maxBytes, { place, commands });
    return bytes;
  }

  #start(call: ManyCall, signal: AbortSignal | undefined): Promise<readonly Settled[]> {
    const { session } = this.#options;
    const onAbort = (): void => {
      call.giveUp(signal?.reason);
      session.withdraw(call.pending);
    };
    this.#calls.add(call);
    call.whenOver(() => {
      this.#calls.delete(call);
      signal?.removeEventListener('abort', onAbort);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const command of call.pending) session.submit(command);
    return call.settled;
  }
}

function onlyOf([settled]: readonly Settled[]): Settled {
  return settled as Settled;
}

/** Whoever sent one command gets the error of that one. */
function throwOnly(thrown: unknown): never {
  throw thrown instanceof CommandsFailedError ? thrown.cause : thrown;
}
