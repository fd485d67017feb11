import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guide } from './guide.ts';
import { until } from './wait.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
/** The port that guides write; here it is one that is free. */
const PORT = /\b4747\b/g;
const STEP_MS = 60_000;
const MARK = '#ended#';

/**
 * Does what a guide says, in a folder of its own: its named `ts` blocks are files, and its `sh` blocks are typed in their order, each in
 * the terminal that it names. A block that is followed by `text` has to print that (`…` stands for anything in a line, or any lines); others
 * have to end well, unless they are marked to stay. `text` with the name of a terminal is what that one shows by then. What still runs in a terminal when more is typed there is interrupted before, as by Ctrl-C.
 */
export async function playSession({ blocks }: Guide): Promise<void> {
  const port = String(await freePort());
  await using desk = new Desk();
  for (const { language, name: target = 'first', stays, content, prints } of blocks) {
    const text = content.replace(PORT, port);
    if (language === 'ts') desk.write(target, text);
    if (language === 'sh') await desk.terminal(target).type(text, stays ? '' : prints?.replace(PORT, port));
    if (language === 'text') await desk.terminal(target).shows(text);
  }
}

/** A folder with the command line and the packages in reach, and the terminals that are open in it. */
class Desk implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mosaik-guide-'));
  readonly #terminals = new Map<string, Terminal>();
  readonly #env: NodeJS.ProcessEnv;

  constructor() {
    const bin = join(this.#folder, '.bin');
    mkdirSync(bin);
    const program = join(ROOT, 'apps/cli/src/main.ts');
    writeFileSync(join(bin, 'mosaik'), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
    chmodSync(join(bin, 'mosaik'), 0o755);
    mkdirSync(join(this.#folder, 'node_modules'));
    symlinkSync(join(ROOT, 'packages/mosaik'), join(this.#folder, 'node_modules/mosaik'));
    writeFileSync(join(this.#folder, 'package.json'), '{"type":"module"}\n');
    this.#env = {
      PATH: `${bin}:${join(process.execPath, '..')}:${process.env['PATH']}`,
      HOME: this.#folder,
      MOSAIK_LISTEN: '127.0.0.1:0',
    };
  }

  write(file: string, content: string): void {
    writeFileSync(join(this.#folder, file), content);
  }

  terminal(name: string): Terminal {
    const terminal = this.#terminals.get(name) ?? new Terminal(this.#folder, this.#env);
    this.#terminals.set(name, terminal);
    return terminal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#terminals.values(), (terminal) => terminal.close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A shell that keeps what is exported in it. */
class Terminal {
  readonly #folder: string;
  readonly #shell: ChildProcess;
  #output = '';
  #steps = 0;
  #isBusy = false;

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    // A group of its own, so that it ends with all that it has started.
    this.#shell = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env, detached: true });
    const hear = (text: string): void => {
      this.#output += text;
    };
    this.#shell.stdout?.setEncoding('utf8').on('data', hear);
    this.#shell.stderr?.setEncoding('utf8').on('data', hear);
  }

  /** Types a block, and waits until it has printed what it should, or has ended. */
  async type(text: string, prints: string | undefined): Promise<void> {
    if (this.#isBusy) await this.#interrupt();
    const step = ++this.#steps;
    const file = join(this.#folder, `.step-${step}-${this.#shell.pid}.sh`);
    writeFileSync(file, text);
    this.#output = '';
    this.#isBusy = true;
    this.#shell.stdin?.write(`source ${file} </dev/null 2>&1; echo "${MARK} $?"\n`);
    const wanted = prints === undefined ? undefined : patternOf(prints);
    const isDone = (): boolean => wanted?.test(this.#output) === true || this.#hasEnded();
    await until('', STEP_MS, isDone).catch(() => {});
    const isRight = wanted === undefined ? this.#output.endsWith(`${MARK} 0\n`) : wanted.test(this.#output);
    if (!isRight)
      throw new Error(`typed:\n${text}\nprinted:\n${this.#output}\nexpected:\n${prints ?? '(to end well)'}`);
    this.#isBusy = !this.#hasEnded();
  }

  /** Waits until it has printed something, wherever. */
  async shows(text: string): Promise<void> {
    const wanted = patternOf(text, '');
    await until('', STEP_MS, () => wanted.test(this.#output)).catch(() => {
      throw new Error(`printed:\n${this.#output}\nexpected:\n${text}`);
    });
  }

  #hasEnded(): boolean {
    return /^#ended# \d+\n/m.test(this.#output);
  }

  async #interrupt(): Promise<void> {
    for (const pid of childrenOf(this.#shell.pid)) process.kill(pid, 'SIGINT');
    await until('what was interrupted has ended', STEP_MS, () => this.#hasEnded());
  }

  async close(): Promise<void> {
    const { pid, exitCode } = this.#shell;
    if (pid === undefined || exitCode !== null) return;
    const gone = once(this.#shell, 'exit');
    process.kill(-pid, 'SIGKILL');
    await gone;
  }
}

function childrenOf(pid: number | undefined): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

/** Lines with `…` for what differs; from the beginning of what is printed on, unless told otherwise. */
function patternOf(prints: string, from = '^'): RegExp {
  if (prints === '') return /^/;
  const lines = prints.trimEnd().split('\n');
  const patterns = lines.map((line) =>
    line.trim() === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(escaped).join('.*?')} *\\n`,
  );
  return new RegExp(`${from}${patterns.join('')}`);
}

function escaped(text: string): string {
  // What people see as one gap may be more spaces where names are longer.
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll(/ {2,}/g, ' +');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}
