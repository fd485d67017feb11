import { createDiscovery, type Discovery } from '@mosaik/discovery';
import { createGroups } from '@mosaik/groups';
import {
  AbortedError,
  InvalidArgumentError,
  systemRuntime,
  toError,
  type WaitOptions,
} from '@mosaik/primitives';
import { createStore } from '@mosaik/store';
import { createStreams } from '@mosaik/streams';
import type { Transport } from '@mosaik/transport';
import { serveInspection } from './inspection/serve.ts';
import type { Network, NetworkOptions } from './network.ts';
import { type PresetTimes, presets } from './presets.ts';

/** What has to be closed, the newest first. */
type Closers = ((options: WaitOptions) => Promise<void>)[];

/**
 * Joins a network; resolves when this node listens and takes part. Who is there shows in the catalog from then on.
 *
 * @param name of the network: nodes of the same name, and no others, see each other.
 * @throws {InvalidArgumentError} when an option is out of range.
 */
export async function createNetwork(name: string, options: NetworkOptions = {}): Promise<Network> {
  if (name === '') throw new InvalidArgumentError('name', 'a text that is not empty');
  const times = presetOf(options);
  const closers: Closers = [];
  try {
    requireGoing(options.signal);
    const transport = await openTransport(name, options, times, closers);
    requireGoing(options.signal);
    const discovery = await openDiscovery(transport, options, times);
    closers.unshift(() => discovery.close());
    requireGoing(options.signal);
    return assemble({ name, options, times, transport, discovery, closers });
  } catch (error) {
    await closeAll(closers, {}).catch(() => {});
    throw error;
  }
}

function assemble(parts: {
  readonly name: string;
  readonly options: NetworkOptions;
  readonly times: PresetTimes;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly closers: Closers;
}): Network {
  const { name, options, times, transport, discovery, closers } = parts;
  const streams = createStreams({ transport, discovery });
  const store = createStore({ transport, discovery, streams });
  // Streams first: what they still take is kept.
  closers.unshift(
    () => streams.close(),
    () => store.close(),
  );
  const groups = createGroups({ tickMs: times.tickMs, ...options.groups, transport, discovery });
  closers.unshift((waiting) => groups.close(waiting));
  const { runtime } = transport;
  const inspection = serveInspection(transport, { runtime, startedAtMs: runtime.now(), streams, groups });
  closers.unshift(async () => inspection[Symbol.dispose]());
  let closing: Promise<void> | undefined;
  const close = (waiting: WaitOptions = {}): Promise<void> => {
    options.signal?.removeEventListener('abort', onAbort);
    // Groups that are being left already are to hear of the signal, too.
    if (closing !== undefined && waiting.signal !== undefined) groups.close(waiting).catch(() => {});
    closing ??= closeAll(closers, waiting);
    return closing;
  };
  const onAbort = (): void => void close().catch(() => {});
  options.signal?.addEventListener('abort', onAbort, { once: true });
  return {
    name,
    id: transport.local.network,
    local: transport.local,
    transport,
    discovery,
    streams,
    groups,
    store,
    runtime,
    metrics: transport.metrics,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

async function openTransport(
  name: string,
  options: NetworkOptions,
  times: PresetTimes,
  closers: Closers,
): Promise<Transport> {
  const { transport: given, listen, mdns = false } = options;
  if (given !== undefined && isTransport(given)) return given;
  // Loaded only when it is needed, so that with another transport this runs where there are no sockets.
  const { createLibp2pTransport } = await import('@mosaik/transport/libp2p');
  const transport = await createLibp2pTransport({
    silenceMs: times.silenceMs,
    mdns,
    ...(listen === undefined ? {} : { listen }),
    ...given,
    network: name,
    secretKey: options.secretKey ?? given?.secretKey ?? systemRuntime.randomBytes(32),
  });
  closers.unshift(() => transport.close());
  return transport;
}

function openDiscovery(
  transport: Transport,
  { bootstrap = [], tags = [], discovery = {} }: NetworkOptions,
  times: PresetTimes,
): Promise<Discovery> {
  return createDiscovery({
    ...discovery,
    detector: { ...times.detector, ...discovery.detector },
    transport,
    bootstrap,
    tags,
  });
}

function isTransport(given: NonNullable<NetworkOptions['transport']>): given is Transport {
  return 'open' in given && typeof given.open === 'function';
}

function presetOf({ preset = 'lan' }: NetworkOptions): PresetTimes {
  if (Object.hasOwn(presets, preset)) return presets[preset];
  throw new InvalidArgumentError('preset', `one of ${Object.keys(presets).join(', ')}`);
}

function requireGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError('joining a network was aborted', { cause: signal.reason });
}

/** In order, each in its turn: what is above needs what is below until it is closed. */
async function closeAll(closers: Closers, waiting: WaitOptions): Promise<void> {
  const errors: Error[] = [];
  for (const close of closers.splice(0)) {
    try {
      await close(waiting);
    } catch (thrown) {
      errors.push(toError(thrown));
    }
  }
  if (errors[0] !== undefined) throw errors[0];
}
