import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { AbortOptions, MessageStream } from '@libp2p/interface';
import { AbstractMessageStream, type SendResult } from '@libp2p/utils';
import type { Uint8ArrayList } from 'uint8arraylist';
import { giveBack, isLent } from '../../link/loan.ts';
import { ownRead } from '../memory.ts';

/** Up to here pieces are put together before they are encrypted: a copy costs less than a record and a write of its own. */
const JOINED_BYTES_MAX = 4_096;

/**
 * What goes over a TLS socket that has taken over the socket of a connection. The connection is left with its address and its
 * end: it closes when its socket does.
 */
export class SecureConnection extends AbstractMessageStream {
  readonly #connection: MessageStream;
  readonly #socket: TLSSocket;

  constructor(connection: MessageStream, socket: TLSSocket) {
    const { log, inactivityTimeout, maxReadBufferLength, direction } = connection;
    super({ log, inactivityTimeout, maxReadBufferLength, direction });
    this.#connection = connection;
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      ownRead(bytes);
      this.onData(bytes);
    });
    // No direction ends alone. By itself the socket would first write what it has, which a peer that has reset it never takes.
    socket.once('end', () => socket.destroy());
    socket.on('drain', () => this.safeDispatchEvent('drain'));
    socket.on('error', (error) => connection.abort(error));
    connection.addEventListener('close', ({ error, local }) => {
      socket.destroy();
      if (error === undefined) this.onTransportClosed();
      else if (local === true) this.abort(error);
      else this.onRemoteReset();
    });
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const sentBytes = data.byteLength;
    return { sentBytes, canSendMore: this.#write(data) };
  }

  /** What is written within one cork leaves together. */
  #write(data: Uint8ArrayList): boolean {
    if (data.byteLength <= JOINED_BYTES_MAX) return this.#socket.write(data.subarray(), returning(data));
    this.#socket.cork();
    let canSendMore = true;
    for (const piece of data) canSendMore = this.#socket.write(piece, returning([piece]));
    this.#socket.uncork();
    return canSendMore;
  }

  override async close(options: AbortOptions = {}): Promise<void> {
    if (!this.#socket.closed) {
      this.#socket.destroySoon();
      await once(this.#socket, 'close', options);
    }
    await this.#connection.close(options);
  }

  override sendPause(): void {
    this.#socket.pause();
  }

  override sendResume(): void {
    this.#socket.resume();
  }

  override sendReset(error: Error): void {
    this.#socket.destroy();
    this.#connection.abort(error);
  }
}

/** What is to be done when `pieces` have left: those that are lent go back. Most frames have none, and make nothing here. */
function returning(
  pieces: Uint8ArrayList | readonly Uint8Array[],
): ((error?: Error | null) => void) | undefined {
  for (const piece of pieces) {
    if (!isLent(piece)) continue;
    const all = [...pieces];
    return (error) => {
      if (!error) all.forEach(giveBack);
    };
  }
  return undefined;
}
