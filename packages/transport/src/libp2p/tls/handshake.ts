import type { TLSSocket } from 'node:tls';
import { InvalidCryptoExchangeError } from '@libp2p/interface';

/**
 * Resolves when both sides are encrypted.
 *
 * @throws {InvalidCryptoExchangeError} when the other side ends it, and the reason of the signal.
 */
export async function untilSecure(socket: TLSSocket, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onClose = (): void =>
    reject(new InvalidCryptoExchangeError('The socket closed during the handshake'));
  const onAbort = (): void => reject(signal?.reason);
  // Stays: whoever comes after adds its own, and an error that nobody hears ends the process.
  socket.on('error', reject);
  socket.once('secure', resolve);
  socket.once('close', onClose);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  try {
    await promise;
  } finally {
    socket.off('secure', resolve);
    socket.off('close', onClose);
    signal?.removeEventListener('abort', onAbort);
  }
}
