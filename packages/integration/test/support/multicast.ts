import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const GROUP = '224.0.0.251';
const DEADLINE_MS = 1_000;

/** Why multicast does not work on this machine; undefined when it does: a datagram to the group must come back. */
export async function whyNoMulticast(): Promise<string | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind(0);
    await once(socket, 'listening');
    socket.addMembership(GROUP);
    socket.setMulticastLoopback(true);
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const heard = once(socket, 'message', { signal });
    socket.send('mosaik', socket.address().port, GROUP, (error) => error && socket.emit('error', error));
    await heard;
    return undefined;
  } catch (error) {
    const { name, message } = error as Error;
    return name === 'AbortError' ? `nothing comes back from ${GROUP}` : message;
  } finally {
    socket.close();
  }
}
