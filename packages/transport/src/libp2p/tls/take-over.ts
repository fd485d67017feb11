import type { Socket } from 'node:net';
import type { MessageStream, StreamMessageEvent } from '@libp2p/interface';

/**
 * Takes the socket of a connection over: the connection reads it no more, and what it has read and nobody has asked for goes
 * back into it. To be wrapped in the turn in which this resolves.
 */
export async function takeOver(connection: MessageStream, socket: Socket): Promise<void> {
  socket.pause();
  socket.removeAllListeners('data');
  const early: Uint8Array[] = [];
  const onMessage = ({ data }: StreamMessageEvent): void => void early.unshift(data.subarray());
  // A stream hands out what it holds to its first listener, in the microtask after that was added.
  connection.addEventListener('message', onMessage);
  await Promise.resolve();
  connection.removeEventListener('message', onMessage);
  for (const bytes of early) socket.unshift(bytes);
}
