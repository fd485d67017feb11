import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PREFIX = 'mosaik';

async function ip(...args: string[]): Promise<string> {
  return (await run('ip', args)).stdout;
}

/** Why this machine lets nobody make network namespaces; undefined when it does. */
export async function namespacesRefused(): Promise<string | undefined> {
  const name = `${PREFIX}-${process.pid}-probe`;
  try {
    await ip('netns', 'add', name);
  } catch (thrown) {
    const { code, stderr } = thrown as { code?: unknown; stderr?: string };
    return code === 'ENOENT' ? 'there is no ip command' : (stderr ?? String(thrown)).trim();
  }
  try {
    await ip('-n', name, 'link', 'add', 'probe', 'type', 'veth', 'peer', 'name', 'other');
    await ip('-n', name, 'link', 'add', 'side', 'type', 'bridge');
    return undefined;
  } catch (thrown) {
    return ((thrown as { stderr?: string }).stderr ?? String(thrown)).trim();
  } finally {
    await ip('netns', 'delete', name);
  }
}

/**
 * Hosts with a network of their own each, wired to one of two bridges; none of it is seen from outside. Who is on different
 * bridges hears nothing of each other: no reset, no refusal, nothing.
 */
export class Wires implements AsyncDisposable {
  readonly #count: number;
  readonly #hub = `${PREFIX}-${process.pid}-hub`;

  private constructor(count: number) {
    this.#count = count;
  }

  static async create(count: number): Promise<Wires> {
    await removeLeftovers();
    const wires = new Wires(count);
    try {
      await wires.#create();
    } catch (thrown) {
      await wires[Symbol.asyncDispose]();
      throw thrown;
    }
    return wires;
  }

  /** What runs a command at a host. */
  launcherOf(host: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#nameOf(host)];
  }

  listenOf(host: number): string {
    return `/ip4/${addressOf(host)}/tcp/0`;
  }

  /** Cuts some hosts off from the others; among themselves they hear each other. */
  async cutOff(hosts: readonly number[]): Promise<void> {
    for (const host of hosts) await ip('-n', this.#hub, 'link', 'set', portOf(host), 'master', 'side');
  }

  async heal(): Promise<void> {
    for (let host = 0; host < this.#count; host++)
      await ip('-n', this.#hub, 'link', 'set', portOf(host), 'master', 'main');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of await namespaces()) {
      if (name.startsWith(`${PREFIX}-${process.pid}-`)) await ip('netns', 'delete', name);
    }
  }

  async #create(): Promise<void> {
    await ip('netns', 'add', this.#hub);
    for (const bridge of ['main', 'side']) {
      await ip('-n', this.#hub, 'link', 'add', bridge, 'type', 'bridge');
      await ip('-n', this.#hub, 'link', 'set', bridge, 'up');
    }
    for (let host = 0; host < this.#count; host++) await this.#createHost(host);
    await this.heal();
  }

  async #createHost(host: number): Promise<void> {
    const name = this.#nameOf(host);
    const port = portOf(host);
    await ip('netns', 'add', name);
    await ip('-n', this.#hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'wire', 'netns', name);
    await ip('-n', this.#hub, 'link', 'set', port, 'up');
    await ip('-n', name, 'addr', 'add', `${addressOf(host)}/24`, 'dev', 'wire');
    for (const device of ['lo', 'wire']) await ip('-n', name, 'link', 'set', device, 'up');
  }

  #nameOf(host: number): string {
    return `${PREFIX}-${process.pid}-${host}`;
  }
}

function portOf(host: number): string {
  return `port${host}`;
}

function addressOf(host: number): string {
  return `10.77.0.${host + 1}`;
}

async function namespaces(): Promise<readonly string[]> {
  const lines = (await ip('netns', 'list')).split('\n');
  return lines.map((line) => line.split(' ')[0] as string).filter((name) => name.startsWith(`${PREFIX}-`));
}

/** Of test processes that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await namespaces()) {
    const pid = Number(name.split('-')[1]);
    if (!isAlive(pid)) await ip('netns', 'delete', name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as { code?: string }).code === 'EPERM';
  }
}
