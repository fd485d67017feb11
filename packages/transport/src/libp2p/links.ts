import type { Connection as Libp2pConnection, Stream } from '@libp2p/interface';
import {
  AbortedError,
  InvalidArgumentError,
  type Metrics,
  type NetworkId,
  type PeerId,
  type Runtime,
  shortId,
  withTimeout,
} from '@mosaik/primitives';
import { type Accepted, OpenLinks } from '../adapter/open-links.ts';
import { PeerUnreachableError, ProtocolUnsupportedError } from '../errors.ts';
import { createLink } from '../link/create-link.ts';
import type { Link } from '../link/link.ts';
import { type Protocol, protocolId } from '../protocol.ts';
import { streamChannel } from './channel.ts';
import { peerOf } from './connection.ts';
import type { Members } from './members.ts';
import { MAX_STREAMS_PER_PROTOCOL, type Node } from './node.ts';

interface LinksOptions {
  readonly node: Node;
  readonly members: Members;
  readonly network: NetworkId;
  readonly openTimeoutMs: number;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly onError: (thrown: unknown, where: string) => void;
}

/** The links of a transport: makes them of streams, and knows those that are open. */
export class Links {
  readonly #options: LinksOptions;
  readonly #links: OpenLinks;
  readonly #accepted = new Set<string>();

  constructor(options: LinksOptions) {
    this.#options = options;
    const { members, metrics, onError } = options;
    this.#links = new OpenLinks({ metrics, onError, emit: (event) => members.events.emit(event) });
  }

  get all(): readonly Link<unknown>[] {
    return [...this.#links];
  }

  /**
   * Opens a link on a connection.
   *
   * @throws {ProtocolUnsupportedError} when the other end does not speak the protocol.
   * @throws {PeerUnreachableError} when it does not answer.
   */
  async open<M>(raw: Libp2pConnection, protocol: Protocol<M>, signal?: AbortSignal): Promise<Link<M>> {
    const { runtime, network, openTimeoutMs } = this.#options;
    const id = protocolId(network, protocol);
    const limits = { what: `opening ${protocol.name}`, timeoutMs: openTimeoutMs, signal };
    return withTimeout(runtime, limits, (until) => this.#negotiate(raw, protocol, until)).catch(
      (cause: Error) => {
        if (cause instanceof AbortedError) throw cause;
        if (cause.name === 'UnsupportedProtocolError')
          throw new ProtocolUnsupportedError(peerOf(raw), id, { cause });
        throw new PeerUnreachableError(shortId(peerOf(raw)), [raw.remoteAddr.toString()], { cause });
      },
    );
  }

  /** The link is made in the turn in which the stream is handed over, and not left behind when nobody waits for it. */
  async #negotiate<M>(raw: Libp2pConnection, protocol: Protocol<M>, signal: AbortSignal): Promise<Link<M>> {
    const stream = await raw.newStream(protocolId(this.#options.network, protocol), {
      runOnLimitedConnection: true,
      maxOutboundStreams: MAX_STREAMS_PER_PROTOCOL,
      signal,
    });
    const link = this.#wrap(protocol, stream, raw);
    if (signal.aborted) link.abort('no longer wanted');
    return link;
  }

  /** Lets links of a protocol in until disposed. */
  accept<M>(accepted: Accepted<M>): Disposable {
    const { node, network, onError } = this.#options;
    const { protocol } = accepted;
    const id = protocolId(network, protocol);
    if (this.#accepted.has(id))
      throw new InvalidArgumentError('protocol', `${protocol.name} is accepted already`);
    this.#accepted.add(id);
    const report = (error: unknown): void => onError(error, 'accept');
    const streamOptions = {
      maxInboundStreams: MAX_STREAMS_PER_PROTOCOL,
      maxOutboundStreams: MAX_STREAMS_PER_PROTOCOL,
      runOnLimitedConnection: true,
    };
    const serve = (stream: Stream, raw: Libp2pConnection): void =>
      this.#links.serve(this.#wrap(protocol, stream, raw), accepted);
    node.handle(id, serve, streamOptions).catch(report);
    return {
      [Symbol.dispose]: () => {
        if (this.#accepted.delete(id)) node.unhandle(id).catch(report);
      },
    };
  }

  /** A link over a stream that was negotiated in either direction. */
  #wrap<M>(protocol: Protocol<M>, stream: Stream, raw: Libp2pConnection): Link<M> {
    const { members, runtime } = this.#options;
    const link = createLink({
      peer: peerOf(raw),
      protocol,
      protocolId: stream.protocol,
      direction: stream.direction,
      runtime,
      channel: streamChannel(stream, members.contextOf(raw, protocol.priority)),
    });
    this.#links.add(link, protocol);
    return link;
  }

  /** Closes the links, of one peer or of all, and waits until the other sides have finished. */
  close(peer: PeerId | undefined, reason: string): Promise<void> {
    return this.#links.close(peer, reason);
  }
}
