import { Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type {
  ConnectionEncrypter,
  MessageStream,
  PeerId,
  PrivateKey,
  SecureConnectionOptions,
  SecuredConnection,
  StreamMuxerFactory,
} from '@libp2p/interface';
import { InvalidCryptoExchangeError } from '@libp2p/interface';
import type { Runtime } from '@mosaik/primitives';
import { makeCertificate, peerOfCertificate } from './certificate.ts';
import { untilSecure } from './handshake.ts';
import { SecureConnection } from './secure-connection.ts';
import { takeOver } from './take-over.ts';

/** The parts of a libp2p node that it needs. */
interface Components {
  readonly privateKey: PrivateKey;
  readonly upgrader: { getStreamMuxers(): ReadonlyMap<string, StreamMuxerFactory> };
}

export const TLS_PROTOCOL = '/tls/1.0.0';
/** Named by those who want to agree on a muxer after the handshake. */
const NO_MUXER = 'libp2p';
const VERSION = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

/** What is written before the socket says that it holds enough: a few frames of a link. */
const WRITE_BUFFER_BYTES = 256 * 1024;

interface TlsOptions {
  readonly runtime: Pick<Runtime, 'wallNow' | 'randomBytes' | 'yieldTo'>;
  /** For what has no socket of its own. */
  readonly overStreams: ConnectionEncrypter;
}

/**
 * TLS 1.3 as libp2p specifies it (specs/tls), by Node's own on the socket of the connection: what `@libp2p/tls` does through
 * streams of JavaScript at both ends.
 */
export function tlsOverSockets(components: Components, options: TlsOptions): ConnectionEncrypter {
  return new SocketTls(components, options);
}

class SocketTls implements ConnectionEncrypter {
  readonly protocol = TLS_PROTOCOL;
  readonly #components: Components;
  readonly #options: TlsOptions;
  #context: Promise<SecureContext> | undefined;

  constructor(components: Components, options: TlsOptions) {
    this.#components = components;
    this.#options = options;
  }

  async secureInbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredConnection> {
    const socket = socketOf(connection);
    if (socket === undefined) return await this.#options.overStreams.secureInbound(connection, options);
    return await this.#secure(connection, socket, { ...options, accepts: true });
  }

  async secureOutbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredConnection> {
    const socket = socketOf(connection);
    if (socket === undefined) return await this.#options.overStreams.secureOutbound(connection, options);
    return await this.#secure(connection, socket, { ...options, accepts: false });
  }

  async #secure(
    connection: MessageStream,
    raw: Socket,
    { accepts, signal, remotePeer: expected }: SecureConnectionOptions & { readonly accepts: boolean },
  ): Promise<SecuredConnection> {
    const context = await this.#ownContext();
    await takeOver(connection, raw);
    // Node wraps a socket that has closed in a stream that never says anything.
    requireOpen(connection, raw);
    const socket = accepts ? this.#accept(raw, context) : this.#dial(raw, context);
    try {
      await untilSecure(socket, { runtime: this.#options.runtime, signal });
      const remotePeer = await this.#peerAt(socket, expected);
      signal?.throwIfAborted();
      // What closed meanwhile has said so already, and would be taken for open for ever.
      requireOpen(connection, socket);
      const streamMuxer = this.#muxers.get(String(socket.alpnProtocol));
      const secured = { remotePeer, connection: new SecureConnection(connection, socket) };
      return streamMuxer === undefined ? secured : { ...secured, streamMuxer };
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #peerAt(socket: TLSSocket, expected: PeerId | undefined): Promise<PeerId> {
    // What a session says of a peer was proved when it began; none is begun again here.
    if (socket.isSessionReused()) throw new InvalidCryptoExchangeError('A session was resumed');
    const der = socket.getPeerX509Certificate()?.raw;
    if (der === undefined) throw new InvalidCryptoExchangeError('There is no certificate');
    return await peerOfCertificate(der, { expected, nowMs: this.#options.runtime.wallNow() });
  }

  get #muxers(): ReadonlyMap<string, StreamMuxerFactory> {
    return this.#components.upgrader.getStreamMuxers();
  }

  /** One for all connections: the certificate says who the node is, and that stays. */
  #ownContext(): Promise<SecureContext> {
    this.#context ??= this.#makeContext().catch((error: unknown) => {
      this.#context = undefined;
      throw error;
    });
    return this.#context;
  }

  async #makeContext(): Promise<SecureContext> {
    const credentials = await makeCertificate(this.#components.privateKey, this.#options.runtime);
    return createSecureContext({ ...credentials, ...VERSION });
  }

  #accept(socket: Socket, secureContext: SecureContext): TLSSocket {
    const muxers = this.#muxers;
    return new TLSSocket(socket, {
      ...shared(secureContext),
      isServer: true,
      requestCert: true,
      ALPNCallback: ({ protocols }) => protocols.find((name) => name === NO_MUXER || muxers.has(name)),
    });
  }

  #dial(socket: Socket, secureContext: SecureContext): TLSSocket {
    const ALPNProtocols = [...this.#muxers.keys(), NO_MUXER];
    return connect({ ...shared(secureContext), socket, ALPNProtocols });
  }
}

/** Certificates are self-signed: it is we who look at them. */
function shared(secureContext: SecureContext) {
  return { secureContext, rejectUnauthorized: false, highWaterMark: WRITE_BUFFER_BYTES };
}

/** @throws {InvalidCryptoExchangeError} when nothing will come of the connection any more. */
function requireOpen(connection: MessageStream, socket: Socket): void {
  if (socket.destroyed || connection.status !== 'open')
    throw new InvalidCryptoExchangeError('The connection has closed');
}

/** The socket that a connection stands on, if it stands on one. */
function socketOf(connection: MessageStream): Socket | undefined {
  const { socket } = connection as { socket?: unknown };
  return socket instanceof Socket && !(socket instanceof TLSSocket) ? socket : undefined;
}
