import type { Consistency, MapEntry } from 'mosaik';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { type MapOptions, mapName } from '../kv/map.ts';
import { read } from '../kv/read-client.ts';
import { joinToLook } from '../node/join.ts';

export interface KvGetOptions extends MapOptions {
  readonly key: string;
  readonly consistency: Consistency;
}

/** Prints the value of a key. */
export async function kvGet(context: Context, options: KvGetOptions): Promise<ExitCode> {
  const { console } = context;
  mapName(options.map);
  await using network = await joinToLook(context);
  const { entries, at } = await read(context, network, { ...options, query: { get: options.key } });
  const [entry] = entries;
  const { consistency, key } = options;
  if (entry === undefined) {
    if (console.isJson) await console.json({ key, found: false, at, consistency });
    else console.note(`no key ${key}`);
    return ExitCode.NotFound;
  }
  await console.show({ ...entry, found: true, at, consistency }, () => valueText(entry.value));
  return ExitCode.Ok;
}

export interface KvListOptions extends MapOptions {
  readonly prefix: string;
  readonly consistency: Consistency;
}

/** Prints the keys that begin with a prefix, with their values; page by page, each as of its own moment. */
export async function kvList(context: Context, options: KvListOptions): Promise<void> {
  const { console } = context;
  const { prefix } = options;
  mapName(options.map);
  await using network = await joinToLook(context);
  let from: string | undefined = prefix;
  while (from !== undefined) {
    const answer: { entries: readonly MapEntry<unknown>[]; more: boolean } = await read(context, network, {
      ...options,
      query: { from },
    });
    const wanted = answer.entries.filter(({ key }) => key.startsWith(prefix));
    for (const entry of wanted) await console.show(entry, () => `${entry.key}\t${valueText(entry.value)}`);
    const last = wanted.at(-1);
    from = answer.more && wanted.length === answer.entries.length && last ? `${last.key}\0` : undefined;
  }
}

/** A text as it is, everything else as JSON. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
