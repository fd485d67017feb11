import { type Codec, type PeerId, type Runtime, systemRuntime, uniqueId } from '@mosaik/primitives';
import type { Link, Protocol } from '@mosaik/transport';
import { type Channel, type ChannelEvents, createLink } from '@mosaik/transport/link';
import type { SyncMessage } from '../../../src/sync/message.ts';
import { syncProtocol } from '../../../src/sync/protocol.ts';

const NEAR: PeerId = uniqueId<PeerId>('the side that opened the link');
const FAR: PeerId = uniqueId<PeerId>('the other side');

/** Two ends of a pipe. Deliveries are microtasks; nothing is bounded. */
class MemoryChannel implements Channel {
  readonly #events: ChannelEvents;
  #other: MemoryChannel | undefined;
  #isPaused = false;
  readonly #held: (() => void)[] = [];
  #hasFinished = false;
  #isOver = false;

  constructor(events: ChannelEvents) {
    this.#events = events;
  }

  join(other: MemoryChannel): void {
    this.#other = other;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.#tell((other) => other.#events.data(chunk.slice()));
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#release();
  }

  closeWrite(): void {
    this.#tell((other) => {
      other.#events.remoteEnd();
      this.#hasFinished = true;
      if (other.#hasFinished) {
        other.#over({ kind: 'finished' });
        this.#over({ kind: 'finished' });
      }
    });
  }

  abort(reason: string): void {
    this.#over({ kind: 'reset', reason });
    this.#tell((other) => other.#over({ kind: 'reset', reason }));
  }

  #tell(act: (other: MemoryChannel) => void): void {
    const other = this.#other as MemoryChannel;
    queueMicrotask(() => {
      other.#held.push(() => act(other));
      other.#release();
    });
  }

  #release(): void {
    while (!this.#isPaused && !this.#isOver && this.#held.length > 0) this.#held.shift()?.();
  }

  #over(end: Parameters<ChannelEvents['closed']>[0]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.closed(end);
  }
}

/** Two ends of a link in memory; the codecs may differ, so that one of them can lie. */
export interface LinkPairOptions {
  readonly near?: Protocol<SyncMessage>;
  readonly far?: Protocol<SyncMessage>;
  readonly runtime?: Runtime;
}

export interface LinkPair {
  readonly near: Link<SyncMessage>;
  readonly far: Link<SyncMessage>;
}

export function memoryLinks(options: LinkPairOptions = {}): LinkPair {
  const { near = syncProtocol, far = syncProtocol, runtime = systemRuntime } = options;
  const channels: MemoryChannel[] = [];
  const channel = (events: ChannelEvents): Channel => {
    const made = new MemoryChannel(events);
    channels.push(made);
    return made;
  };
  const common = { protocolId: 'discovery/sync', runtime, channel };
  const pair = {
    near: createLink({ ...common, peer: FAR, protocol: near, direction: 'outbound' }),
    far: createLink({ ...common, peer: NEAR, protocol: far, direction: 'inbound' }),
  };
  const [first, second] = channels as [MemoryChannel, MemoryChannel];
  first.join(second);
  second.join(first);
  return pair;
}

/** The protocol with a codec that remembers the sizes of what it writes. */
export function counting(sizes: { readonly kind: string; readonly bytes: number }[]): Protocol<SyncMessage> {
  const codec: Codec<SyncMessage> = {
    ...syncProtocol.codec,
    encode: (message) => {
      const bytes = syncProtocol.codec.encode(message);
      sizes.push({ kind: message.kind, bytes: bytes.length });
      return bytes;
    },
  };
  return { ...syncProtocol, codec };
}
