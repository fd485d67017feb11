import { sleep, systemRuntime } from '@mosaik/primitives';
import type { Transport, TransportEvent } from '@mosaik/transport';

const POLL_MS = 5;

/** Waits for a condition that cannot be awaited; fails after `deadlineMs`, and says what it waited for. */
export async function until(
  what: string,
  deadlineMs: number,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = systemRuntime.now() + deadlineMs;
  while (!(await check())) {
    if (systemRuntime.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await sleep(systemRuntime, POLL_MS);
  }
}

/** Waits for a promise; fails after `deadlineMs`, and says what it waited for. */
export async function within<T>(what: string, deadlineMs: number, promise: Promise<T>): Promise<T> {
  const patience = new AbortController();
  const late = sleep(systemRuntime, deadlineMs, { signal: patience.signal }).then(() => {
    throw new Error(`not within ${deadlineMs} ms: ${what}`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    patience.abort();
  }
}

/** Waits until a value that is asked for again and again stays the same for `quietMs`. */
export async function untilStill<T>(what: string, quietMs: number, ask: () => Promise<T>): Promise<T> {
  let last = await ask();
  let sinceMs = systemRuntime.now();
  await until(`${what} stays the same`, 30_000, async () => {
    const value = await ask();
    if (value !== last) sinceMs = systemRuntime.now();
    last = value;
    return systemRuntime.now() - sinceMs > quietMs;
  });
  return last;
}

/** What a transport tells from now on. */
export function record(transport: Transport): TransportEvent[] {
  const events: TransportEvent[] = [];
  const subscription = transport.events.subscribe();
  void (async () => {
    for await (const event of subscription) if (event.type !== 'lagged') events.push(event);
  })();
  return events;
}

/** The next event of a type, from now on. */
export async function nextEvent<T extends TransportEvent['type']>(
  transport: Transport,
  type: T,
  deadlineMs: number,
): Promise<Extract<TransportEvent, { readonly type: T }>> {
  using subscription = transport.events.subscribe();
  const wait = async (): Promise<Extract<TransportEvent, { readonly type: T }>> => {
    for await (const event of subscription) {
      if (event.type === type) return event as Extract<TransportEvent, { readonly type: T }>;
    }
    throw new Error(`the transport ended before it told of ${type}`);
  };
  return await within(`the event ${type}`, deadlineMs, wait());
}
