import type { TLSSocket } from 'node:tls';
import { InvalidCryptoExchangeError } from '@libp2p/interface';
import type { Runtime } from '@mosaik/primitives';

/**
 * Resolves when both sides are encrypted, a turn of the loop later: Node says so in the middle of OpenSSL's reading, and what would
 * close the connection at once, such as a second one to the same peer, would take the memory that is being read from.
 *
 * @throws {InvalidCryptoExchangeError} when the other side ends it, and the reason of the signal.
 */
export async function untilSecure(
  socket: TLSSocket,
  {
    runtime,
    signal,
  }: { readonly runtime: Pick<Runtime, 'yieldTo'>; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onClose = (): void =>
    reject(new InvalidCryptoExchangeError('The socket closed during the handshake'));
  const onSecure = (): void => runtime.yieldTo(resolve);
  const onAbort = (): void => reject(signal?.reason);
  // Stays: whoever comes after adds its own, and an error that nobody hears ends the process.
  socket.on('error', reject);
  socket.once('secure', onSecure);
  socket.once('close', onClose);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  try {
    await promise;
  } finally {
    socket.off('secure', onSecure);
    socket.off('close', onClose);
    signal?.removeEventListener('abort', onAbort);
  }
}
