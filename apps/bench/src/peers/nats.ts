import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createFolder } from './folder.ts';
import { findProgram, type Program, startServer, untilReady } from './program.ts';

/** A NATS server on loopback. */
export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  /** How often JetStream syncs its files, in words. */
  readonly sync: string;
}

export interface NatsOptions {
  /** With streams in files; without, only subjects. */
  readonly jetStream?: boolean;
}

export function findNats(): Program | undefined {
  return findProgram('nats-server', /v(\d+\.\d+\.\d+)/);
}

/** Starts a server on a free port of loopback, with all its files in a folder of its own that goes when it does. */
export async function startNats(
  program: Program,
  { jetStream = false }: NatsOptions = {},
): Promise<NatsServer> {
  const folder = await createFolder();
  const config = join(folder.path, 'nats.conf');
  const syncsAlways = canSyncAlways(program);
  await writeFile(config, configuration(folder.path, { jetStream, syncsAlways }));
  const server = startServer(program, ['--config', config, '--ports_file_dir', folder.path]);
  const dispose = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  try {
    const portsFile = join(folder.path, `${basename(program.path)}_${server.pid}.ports`);
    const url = await untilReady(server, 'nats-server', () => firstUrl(portsFile));
    const sync = syncsAlways ? 'each write' : 'every 2 min';
    return { url, sync, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/**
 * As it comes, but for two things in its favour: it does not cut off a consumer that lags by less than a gigabyte or by less
 * than a minute, which would lose datums.
 */
function configuration(
  folder: string,
  { jetStream, syncsAlways }: { jetStream: boolean; syncsAlways: boolean },
): string {
  const lines = ['listen: "127.0.0.1:-1"', 'max_pending: 1GB', 'write_deadline: "60s"'];
  if (jetStream) {
    const sync = syncsAlways ? ', sync_interval: always' : '';
    lines.push(`jetstream: { store_dir: ${JSON.stringify(folder)}${sync} }`);
  }
  return `${lines.join('\n')}\n`;
}

/** From 2.10 on JetStream can be told to sync before it acknowledges; before it syncs every two minutes, always. */
function canSyncAlways({ version }: Program): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

async function firstUrl(portsFile: string): Promise<string | undefined> {
  const ports = JSON.parse(await readFile(portsFile, 'utf8')) as { nats?: string[] };
  return ports.nats?.[0];
}
