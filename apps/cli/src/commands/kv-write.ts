import type { MapCommand } from 'mosaik';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { usage } from '../failure.ts';
import { type MapOptions, mapName } from '../kv/map.ts';
import { joinMap, write } from '../kv/write.ts';
import { joinToLook } from '../node/join.ts';

export interface KvPutOptions extends MapOptions {
  readonly key: string;
  readonly value: string;
  /** The value is JSON, and kept as what it says. */
  readonly parse?: boolean;
}

export interface KvDeleteOptions extends MapOptions {
  readonly key: string;
}

/** Sets a key; exactly once, and acknowledged when a quorum has it. */
export async function kvPut(context: Context, options: KvPutOptions): Promise<ExitCode> {
  const value = options.parse === true ? parsed(options.value) : options.value;
  return await change(context, options, { put: options.key, value });
}

/** Deletes a key; the exit code says whether it was there. */
export async function kvDelete(context: Context, options: KvDeleteOptions): Promise<ExitCode> {
  return await change(context, options, { delete: options.key });
}

async function change(
  context: Context,
  options: MapOptions & { readonly key: string },
  command: MapCommand<unknown>,
): Promise<ExitCode> {
  const { console } = context;
  const { key } = options;
  mapName(options.map);
  await using network = await joinToLook(context);
  const group = await joinMap(context, network, options);
  const { index, result } = await write(context, network, { group, command });
  if (console.isJson) await console.json({ key, index, ...result });
  else console.note(result.done ? `done, at index ${index}` : `no key ${key}`);
  return result.done ? ExitCode.Ok : ExitCode.NotFound;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw usage(`the value is not JSON: ${(cause as Error).message}`, 'without --parse it is kept as text');
  }
}
