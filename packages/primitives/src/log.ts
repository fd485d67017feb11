import weald from 'weald';
import { format } from 'weald/format';

const ROOT = 'mosaik';

/** How important a line is: `trace` lines are only written when their namespace is asked for with `:trace`. */
export type LogLevel = 'info' | 'error' | 'trace';

/** One line, formatted. */
export interface LogEntry {
  /** Such as `mosaik:groups:raft`, without the level. */
  readonly namespace: string;
  readonly level: LogLevel;
  readonly message: string;
}

/** Receives the lines in place of standard error. */
export type LogSink = (entry: LogEntry) => void;

/**
 * Writes lines for people, where they are enabled: `DEBUG=mosaik:*`, and `DEBUG=mosaik:*,*:trace` for all.
 *
 * The format takes `%s`, `%d`, `%j` and `%o`. When disabled a call costs 7 ns, but its arguments are computed: ask
 * `enabled` first where they are dear.
 */
export interface Log {
  (format: unknown, ...args: readonly unknown[]): void;
  /** As a call, in the namespace with `:error` appended. */
  error(format: unknown, ...args: readonly unknown[]): void;
  /** As a call, in the namespace with `:trace` appended. */
  trace(format: unknown, ...args: readonly unknown[]): void;
  /** Such as `mosaik:groups:raft`. */
  readonly namespace: string;
  readonly enabled: boolean;
  /** The log of a part. */
  child(name: string): Log;
}

let sink: LogSink | undefined;

/**
 * Hands all lines of this process to `newSink` instead of standard error, or with undefined no longer; returns what
 * puts back the sink of before. Which lines there are is still decided by {@link enableLog} and `DEBUG`.
 */
export function setLogSink(newSink: LogSink | undefined): () => void {
  const previous = sink;
  sink = newSink;
  return () => {
    sink = previous;
  };
}

/**
 * Enables namespaces in place of what `DEBUG` says: comma-separated, `*` for anything, `-` before what is excluded;
 * returns what puts back the ones of before.
 */
export function enableLog(namespaces: string): () => void {
  // `disable` returns them, too, but gives patterns with a `*` in the middle back wrong.
  const { namespaces: previous = '' } = weald as { namespaces?: string };
  weald.enable(namespaces);
  return () => weald.enable(previous);
}

/** Creates the log of `mosaik:<namespace>`, on `weald`, which libp2p logs with. */
export function createLog(namespace: string): Log {
  const full = `${ROOT}:${namespace}`;
  const info = createWriter(full, 'info', full);
  const error = createWriter(full, 'error', `${full}:error`);
  const trace = createWriter(full, 'trace', `${full}:trace`);
  const log = Object.assign((text: unknown, ...args: readonly unknown[]) => info.write(text, args), {
    error: (text: unknown, ...args: readonly unknown[]) => error.write(text, args),
    trace: (text: unknown, ...args: readonly unknown[]) => trace.write(text, args),
    namespace: full,
    child: (name: string) => createLog(`${namespace}:${name}`),
  });
  return Object.defineProperty(log, 'enabled', { get: () => info.isEnabled() }) as Log & typeof log;
}

interface Writer {
  isEnabled(): boolean;
  write(text: unknown, args: readonly unknown[]): void;
}

function createWriter(namespace: string, level: LogLevel, channel: string): Writer {
  const debug = weald(channel);
  const isEnabled = (): boolean => debug.enabled && (level !== 'trace' || isTraceAsked());
  return {
    isEnabled,
    write(text, args) {
      if (!isEnabled()) return;
      if (sink === undefined) debug(text, ...args);
      else sink({ namespace, level, message: formatLine(text, args) });
    },
  };
}

/** As in libp2p: a plain `*` leaves traces out. */
function isTraceAsked(): boolean {
  return weald.names.some((name) => name.source.includes(':trace'));
}

function formatLine(text: unknown, args: readonly unknown[]): string {
  const [pattern, values] = typeof text === 'string' ? [text, args] : ['%s', [text, ...args]];
  try {
    return format(pattern, ...values.map(printable));
  } catch {
    // A value that has no JSON: a bigint in it, or a cycle.
    return format(pattern, ...values.map((value) => plainText(printable(value))));
  }
}

function printable(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Error ? (value.stack ?? String(value)) : value;
}

function plainText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const seen = new Set<unknown>();
  return JSON.stringify(value, (_, field: unknown) => {
    if (typeof field === 'bigint') return String(field);
    if (typeof field !== 'object' || field === null) return field;
    if (seen.has(field)) return '[seen]';
    seen.add(field);
    return field;
  });
}
