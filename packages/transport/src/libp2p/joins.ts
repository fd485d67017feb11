import type { Connection as Libp2pConnection, Stream } from '@libp2p/interface';
import {
  AbortedError,
  type Metrics,
  type PeerId,
  type Scope,
  shortId,
  withTimeout,
} from '@mosaik/primitives';
import { PeerUnreachableError, ProtocolUnsupportedError } from '../errors.ts';
import { dropConnection, peerOf } from './connection.ts';
import type { Members } from './members.ts';
import type { Node } from './node.ts';

interface JoinsOptions {
  readonly node: Node;
  readonly members: Members;
  readonly scope: Scope;
  /** Of the liveness link; it names the network. */
  readonly protocolId: string;
  readonly timeoutMs: number;
  readonly metrics: Metrics;
}

/**
 * Makes members of connections: the side that dialled opens the liveness link at once; who is dialled waits for it. A
 * peer of another network can do neither, and its connection is dropped.
 */
export class Joins {
  readonly #options: JoinsOptions;
  readonly #joins = new WeakMap<Libp2pConnection, Promise<PeerId>>();
  readonly #joined = new WeakSet<Libp2pConnection>();

  constructor(options: JoinsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { node, members, protocolId } = this.#options;
    node.addEventListener('connection:open', (event) => this.#onOpen(event.detail));
    node.addEventListener('connection:close', (event) => {
      this.#countStranger(event.detail);
      members.onClose(event.detail);
    });
    await node.handle(protocolId, (stream, raw) => this.#onInbound(stream, raw), {
      maxInboundStreams: 1,
      runOnLimitedConnection: true,
    });
  }

  /**
   * Resolves when the other end of a connection has shown that it is of our network.
   *
   * @throws {ProtocolUnsupportedError} when it is not.
   * @throws {PeerUnreachableError} when it does not say in time.
   */
  async joined(raw: Libp2pConnection): Promise<PeerId> {
    if (this.#options.members.has(raw)) return peerOf(raw);
    return raw.direction === 'outbound' ? this.#join(raw) : this.#awaitJoin(raw);
  }

  #onOpen(raw: Libp2pConnection): void {
    const { members, scope, timeoutMs } = this.#options;
    if (raw.direction === 'outbound') {
      // Whoever dialled is told of a failure; here it only matters that the connection does not stay.
      this.#join(raw).catch(() => dropConnection(raw, 'not a member of this network'));
    } else {
      scope.after(timeoutMs, () => {
        if (!members.has(raw)) dropConnection(raw, 'not a member of this network');
      });
    }
  }

  /** Whoever ended it: a connection over which nobody showed that they are of our network. */
  #countStranger(raw: Libp2pConnection): void {
    const { metrics, scope } = this.#options;
    if (this.#joined.has(raw) || scope.isClosing) return;
    metrics.counter('mosaik.transport.strangers').add(1, { direction: raw.direction });
  }

  #add(raw: Libp2pConnection, stream: Stream): PeerId {
    const peer = this.#options.members.add(raw, stream);
    this.#joined.add(raw);
    return peer;
  }

  #join(raw: Libp2pConnection): Promise<PeerId> {
    const running = this.#joins.get(raw);
    if (running !== undefined) return running;
    const joining = this.#openLiveness(raw);
    this.#joins.set(raw, joining);
    return joining;
  }

  async #openLiveness(raw: Libp2pConnection): Promise<PeerId> {
    const { protocolId, scope, timeoutMs } = this.#options;
    const peer = peerOf(raw);
    const options = { what: 'joining', timeoutMs, signal: scope.signal };
    try {
      return await withTimeout(scope.runtime, options, async (signal) =>
        this.#add(raw, await raw.newStream(protocolId, { signal, runOnLimitedConnection: true })),
      );
    } catch (cause) {
      if (cause instanceof AbortedError) throw cause;
      if ((cause as Error).name === 'UnsupportedProtocolError')
        throw new ProtocolUnsupportedError(peer, protocolId, { cause });
      throw new PeerUnreachableError(shortId(peer), [raw.remoteAddr.toString()], { cause });
    }
  }

  /** The other side has dialled us, and joins, or goes; we were about to dial it. */
  async #awaitJoin(raw: Libp2pConnection): Promise<PeerId> {
    const { members, scope, timeoutMs } = this.#options;
    const peer = peerOf(raw);
    const gone = new AbortController();
    const onGone = (): void => gone.abort();
    raw.addEventListener('close', onGone, { once: true });
    if (raw.status !== 'open') onGone();
    const signal = AbortSignal.any([scope.signal, gone.signal]);
    try {
      const options = { what: 'being joined', timeoutMs, signal };
      await withTimeout(scope.runtime, options, (until) =>
        members.connections.until((live) => live.has(peer), { signal: until }),
      );
      return peer;
    } catch (cause) {
      if (scope.signal.aborted) throw cause;
      throw new PeerUnreachableError(shortId(peer), [raw.remoteAddr.toString()], { cause });
    } finally {
      raw.removeEventListener('close', onGone);
    }
  }

  /** One liveness link a connection, and of the side that dialled: whatever else is opened is refused. */
  #onInbound(stream: Stream, raw: Libp2pConnection): void {
    try {
      if (raw.direction !== 'inbound' || this.#options.members.has(raw))
        throw new Error('a second liveness link');
      this.#add(raw, stream);
    } catch (error) {
      stream.abort(error as Error);
    }
  }
}
