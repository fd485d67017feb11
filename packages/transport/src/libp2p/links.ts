import type { Connection as Libp2pConnection, Stream } from '@libp2p/interface';
import {
  AbortedError,
  ClosedError,
  InvalidArgumentError,
  type Metrics,
  type NetworkId,
  type PeerId,
  type Runtime,
  shortId,
  toError,
  withTimeout,
} from '@mosaik/primitives';
import type { AcceptGate } from '../adapter/accept-gate.ts';
import { CloseCode } from '../codes.ts';
import { LinkEndedError, PeerUnreachableError, ProtocolUnsupportedError } from '../errors.ts';
import { createLink } from '../link/create-link.ts';
import type { Link } from '../link/link.ts';
import { type Protocol, protocolId } from '../protocol.ts';
import type { LinkHandler } from '../transport.ts';
import { streamChannel } from './channel.ts';
import { peerOf } from './connection.ts';
import type { Members } from './members.ts';
import { MAX_STREAMS_PER_PROTOCOL, type Node } from './node.ts';

/** What a node accepts of one protocol. */
interface Accepted<M> {
  readonly protocol: Protocol<M>;
  readonly handler: LinkHandler<M>;
  readonly gate: AcceptGate;
}

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
  readonly #open = new Set<Link<unknown>>();
  readonly #accepted = new Set<string>();

  constructor(options: LinksOptions) {
    this.#options = options;
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
    node.handle(id, (stream, raw) => this.#serve(accepted, stream, raw), streamOptions).catch(report);
    return {
      [Symbol.dispose]: () => {
        if (this.#accepted.delete(id)) node.unhandle(id).catch(report);
      },
    };
  }

  /** A link over a stream that was negotiated in either direction. */
  #wrap<M>(protocol: Protocol<M>, stream: Stream, raw: Libp2pConnection): Link<M> {
    const { members, runtime, metrics } = this.#options;
    const link = createLink({
      peer: peerOf(raw),
      protocol,
      protocolId: stream.protocol,
      direction: stream.direction,
      runtime,
      channel: streamChannel(stream, members.contextOf(raw, protocol.priority)),
    });
    this.#open.add(link);
    void link.ended.then((end) => {
      this.#open.delete(link);
      const code = 'code' in end ? end.code : 0;
      metrics.counter('mosaik.link.ended').add(1, { protocol: protocol.name, kind: end.kind, code });
    });
    return link;
  }

  /** Lets a peer's stream in, or refuses it with a code. */
  #serve<M>(accepted: Accepted<M>, stream: Stream, raw: Libp2pConnection): void {
    const link = this.#wrap(accepted.protocol, stream, raw);
    const leave = accepted.gate.enter(link.peer);
    if (leave === undefined) {
      this.#refuse(link, accepted.protocol.name);
      return;
    }
    void link.ended.then(leave);
    void this.#handle(link, accepted.handler);
  }

  /** Closes the links, of one peer or of all, and waits until the other sides have finished. */
  async close(peer: PeerId | undefined, reason: string): Promise<void> {
    const links = [...this.#open].filter((link) => peer === undefined || link.peer === peer);
    await Promise.all(links.map((link) => link.close(CloseCode.ShuttingDown, reason)));
  }

  #refuse(link: Link<unknown>, protocolName: string): void {
    const { members, metrics } = this.#options;
    const code = CloseCode.TooMany;
    metrics.counter('mosaik.link.refused').add(1, { protocol: protocolName, code });
    members.events.emit({ type: 'refused', peer: link.peer, protocol: protocolName, code });
    // One that does not take its leave is not kept for the minute that other links have.
    void link.close(code, 'too many links').then(() => link.abort('refused'));
  }

  async #handle<M>(link: Link<M>, handler: LinkHandler<M>): Promise<void> {
    try {
      await handler(link);
    } catch (thrown) {
      if (link.end !== undefined && isOfTheEnd(thrown)) return;
      this.#options.onError(thrown, 'link handler');
      await link.close(CloseCode.InternalError, toError(thrown).message);
    }
  }
}

/** Whether an error only says that the link has ended, which is no failure of its handler. */
function isOfTheEnd(thrown: unknown): boolean {
  return thrown instanceof LinkEndedError || thrown instanceof AbortedError || thrown instanceof ClosedError;
}
