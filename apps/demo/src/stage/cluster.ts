import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Instruction, NodeConfig, Status } from '../contract.ts';
import { type Journal, openJournal } from '../journal.ts';
import { type Actor, BEACON, CAST, TRADERS } from './cast.ts';

/** In the language that this is in: as it is written, or compiled. */
const PROGRAM = fileURLToPath(new URL(`../node${extname(import.meta.url)}`, import.meta.url));
const LOOPBACK = '/ip4/127.0.0.1/tcp';

/** Of this process, beside those of the others. */
export const RUNNER_JOURNAL = 'runner.ndjson';

interface Running {
  readonly actor: Actor;
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  status: Status | undefined;
  isEnding: boolean;
}

export interface ClusterOptions {
  readonly folder: string;
  readonly ordersFile: string;
  readonly spreadMs: number;
  readonly isEndless: boolean;
}

/** The processes of the demo: starts them, hears of them, kills them. They end with this one, whatever becomes of it. */
export class Cluster implements AsyncDisposable {
  /** Processes that ended though nobody ended them. */
  readonly surprises: string[] = [];
  readonly #options: ClusterOptions;
  readonly #journal: Journal;
  readonly #running = new Map<string, Running>();
  readonly #changes = new EventEmitter();
  readonly #token = randomBytes(16).toString('hex');
  readonly #beaconAddress: string;

  private constructor(options: ClusterOptions, port: number) {
    this.#options = options;
    this.#journal = openJournal(join(options.folder, RUNNER_JOURNAL));
    this.#beaconAddress = `${LOOPBACK}/${port}`;
  }

  static async open(options: ClusterOptions): Promise<Cluster> {
    return new Cluster(options, await freePort());
  }

  /** What processes that run tell of themselves, in the order of the cast. */
  get statuses(): ReadonlyMap<string, Status> {
    const told = CAST.flatMap(({ name }) => {
      const { status, isEnding } = this.#running.get(name) ?? { status: undefined, isEnding: true };
      return status === undefined || isEnding ? [] : ([[name, status]] as const);
    });
    return new Map(told);
  }

  /** Whether the process was started, and has not ended. */
  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /**
   * Starts a process that knows the address of the beacon, or of another one.
   *
   * @throws {Error} when it runs already: a second one would go unnoticed, and on.
   */
  start(actor: Actor, bootstrap: string = this.#beaconAddress): void {
    const { name, role, index } = actor;
    if (this.isRunning(name)) throw new Error(`${name} runs already`);
    const { folder, ordersFile, spreadMs, isEndless } = this.#options;
    const isBeacon = actor === BEACON;
    const config: NodeConfig = {
      name,
      role,
      network: `mosaik demo ${this.#token}`,
      secretKey: `${this.#token} ${name}`,
      groupKey: `matchers ${this.#token}`,
      listen: isBeacon ? this.#beaconAddress : `${LOOPBACK}/0`,
      bootstrap: isBeacon ? undefined : bootstrap,
      folder,
      orders: { file: ordersFile, first: index, of: TRADERS.length, spreadMs, isEndless },
    };
    const child = fork(PROGRAM, {
      env: { ...process.env, MOSAIK_DEMO: JSON.stringify(config) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const running: Running = {
      actor,
      child,
      exited: once(child, 'exit'),
      status: undefined,
      isEnding: false,
    };
    this.#running.set(name, running);
    this.#journal.note({ kind: 'started', name });
    child.on('message', (status: Status) => {
      running.status = status;
      this.#changes.emit('change');
    });
    child.on('exit', (code, signal) => this.#onExit(running, signal ?? `exit code ${code}`));
  }

  /** Ends a process without a word, as a loss of power would. */
  async kill(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    running.isEnding = true;
    this.#journal.note({ kind: 'killed', name });
    running.child.kill('SIGKILL');
    await running.exited;
  }

  tell(instruction: Instruction): void {
    for (const { child } of this.#running.values()) if (child.connected) child.send(instruction);
  }

  /** Whether it came true in time, and before the signal fired. */
  async until(check: () => boolean, withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const timeout = AbortSignal.timeout(Math.max(1, Math.round(withinMs)));
    const late = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    while (!check()) {
      try {
        await once(this.#changes, 'change', { signal: late });
      } catch {
        return check();
      }
    }
    return true;
  }

  /** Lets all leave in an orderly way; false when some had to be killed. */
  async stop(withinMs: number): Promise<boolean> {
    for (const running of this.#running.values()) running.isEnding = true;
    this.tell('stop');
    const areGone = await this.until(() => this.#running.size === 0, withinMs);
    await this[Symbol.asyncDispose]();
    return areGone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = [...this.#running.values()];
    for (const running of left) running.isEnding = true;
    for (const { child } of left) child.kill('SIGKILL');
    await Promise.all(left.map(({ exited }) => exited));
  }

  #onExit(running: Running, how: string): void {
    const { name } = running.actor;
    if (!running.isEnding) this.surprises.push(`${name}: ${how}`);
    if (this.#running.get(name) === running) this.#running.delete(name);
    this.#changes.emit('change');
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}
