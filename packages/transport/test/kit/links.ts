import { bytesCodec, type PeerId, uniqueId } from '@mosaik/primitives';
import { createLink } from '../../src/link/create-link.ts';
import { HEADER_BYTES, writeHeader } from '../../src/link/frame.ts';
import type { Link } from '../../src/link/link.ts';
import { type Protocol, protocol } from '../../src/protocol.ts';
import { type ManualRuntime, manualRuntime } from './manual-runtime.ts';
import { createPipe, type Pipe, type PipeEnd } from './pipe.ts';

const peerA: PeerId = uniqueId('a');
const peerB: PeerId = uniqueId('b');

/** Messages are bytes; the buffers are small, so that they fill soon. */
export const Bytes: Protocol<Uint8Array> = protocol({
  name: 'bytes',
  codec: bytesCodec,
  maxFrameBytes: 1_000_000,
  sendBufferBytes: 10_000,
  receiveBufferBytes: 10_000,
});

export interface LinkPair<M, N> extends Pipe {
  readonly runtime: ManualRuntime;
  readonly a: Link<M>;
  readonly b: Link<N>;
}

/** Two links over a pipe; each side may define the protocol in its own way. */
export function linkPair<M, N = M>(
  ofA: Protocol<M>,
  ofB: Protocol<N>,
  highWaterBytes?: number,
): LinkPair<M, N> {
  const runtime = manualRuntime();
  const pipe = createPipe(highWaterBytes);
  const common = { protocolId: '/test', runtime };
  const a = createLink({
    ...common,
    peer: peerB,
    protocol: ofA,
    direction: 'outbound',
    channel: pipe.nearFactory,
  });
  const b = createLink({
    ...common,
    peer: peerA,
    protocol: ofB,
    direction: 'inbound',
    channel: pipe.farFactory,
  });
  return { ...pipe, runtime, a, b };
}

/** A link whose other side is not a link, but whatever the test writes. */
export function linkAndPipe<M>(definition: Protocol<M>): Pipe & {
  readonly runtime: ManualRuntime;
  readonly link: Link<M>;
  readonly remote: PipeEnd;
  told(): string[];
} {
  const runtime = manualRuntime();
  const pipe = createPipe();
  const link = createLink({
    peer: peerB,
    protocol: definition,
    protocolId: '/test',
    direction: 'inbound',
    runtime,
    channel: pipe.nearFactory,
  });
  const events: string[] = [];
  pipe.farFactory({
    data: () => false,
    drain: () => {},
    remoteEnd: () => void events.push('remoteEnd'),
    closed: (end) => void events.push(end.kind),
  });
  return { ...pipe, runtime, link, remote: pipe.far, told: () => events };
}

/** A data record. */
export function record(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(bytes, 0, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Everything a link yields, and the error it ends with, if any. */
export async function readAll<M>(link: Link<M>): Promise<{ messages: M[]; error: unknown }> {
  const messages: M[] = [];
  try {
    for await (const message of link) messages.push(message);
  } catch (error) {
    return { messages, error };
  }
  return { messages, error: undefined };
}
