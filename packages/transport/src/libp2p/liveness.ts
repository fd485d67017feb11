import { type Codec, DecodeError, jitter, type Scope } from '@mosaik/primitives';
import type { LinkEnd } from '../link/end.ts';
import type { Link } from '../link/link.ts';
import { type Protocol, protocol } from '../protocol.ts';
import type { Traffic } from './traffic.ts';

/** One beat; times are of the sender's monotonic clock, in ms, and mean nothing to the other side but as an echo. */
export interface Beat {
  readonly sentAtMs: number;
  /** `sentAtMs` of the last beat received; NaN before the first. */
  readonly echoMs: number;
  /** How long that beat was held before this one answered it. */
  readonly heldMs: number;
}

const BEAT_BYTES = 24;

const beatCodec: Codec<Beat> = {
  name: 'beat',
  encode(beat) {
    const view = new DataView(new ArrayBuffer(BEAT_BYTES));
    view.setFloat64(0, beat.sentAtMs);
    view.setFloat64(8, beat.echoMs);
    view.setFloat64(16, beat.heldMs);
    return new Uint8Array(view.buffer);
  },
  decode(bytes) {
    if (bytes.length !== BEAT_BYTES)
      throw new DecodeError('malformed', `a beat has ${BEAT_BYTES} bytes, not ${bytes.length}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { sentAtMs: view.getFloat64(0), echoMs: view.getFloat64(8), heldMs: view.getFloat64(16) };
  },
};

/**
 * One link of this protocol stands on every connection, opened by who dialled. It shows that the peer is of the same
 * network, says goodbye when the connection is closed on purpose, notices when packets just stop, and measures the
 * round trip.
 */
export const livenessProtocol: Protocol<Beat> = protocol({
  name: 'transport/liveness',
  codec: beatCodec,
  priority: 'control',
  maxFrameBytes: 1024,
});

/** Beats in the time after which silence means loss: two may be late or lost before it does. */
const BEATS_PER_SILENCE = 4;

/** So many beats in a row are left out where other frames show the same; the next one measures the round trip again. */
const LEFT_OUT_MAX = 2;

export interface LivenessEvents {
  /** A round trip was measured. */
  rtt(rttMs: number): void;
  /** Nothing was heard for `silenceMs`. */
  silent(): void;
  /** The link has ended, in this or another way. */
  ended(end: LinkEnd): void;
}

export interface LivenessOptions {
  readonly scope: Scope;
  readonly link: Link<Beat>;
  readonly silenceMs: number;
  /** Of all other links of the connection. */
  readonly traffic: Readonly<Traffic>;
}

/**
 * Watches the peer at the other end of a link until the scope closes. Whatever comes over the connection shows that the peer
 * is there, so a beat is left out when another frame was sent that is read at once, such as the probe of a neighbour.
 */
export function watchLiveness(
  { scope, link, silenceMs, traffic }: LivenessOptions,
  events: LivenessEvents,
): void {
  const { runtime } = scope;
  const periodMs = silenceMs / BEATS_PER_SILENCE;
  let heardAtMs = runtime.now();
  let lastBeatMs = runtime.now();
  let echo: { readonly ofMs: number; readonly atMs: number } | undefined;
  let { controlSent, received } = traffic;
  let leftOut = 0;

  const beat = (): void => {
    const nowMs = runtime.now();
    // A node that was stalled itself has not listened: what it missed waits in its sockets, so it gives them a turn.
    const wasStalled = nowMs - lastBeatMs > 2 * periodMs;
    lastBeatMs = nowMs;
    if (traffic.received !== received) heardAtMs = nowMs;
    received = traffic.received;
    if (nowMs - heardAtMs > silenceMs && !wasStalled) events.silent();
    else if (traffic.controlSent === controlSent || leftOut === LEFT_OUT_MAX) send(nowMs);
    else leftOut++;
    controlSent = traffic.controlSent;
  };

  const send = (nowMs: number): void => {
    leftOut = 0;
    if (link.end !== undefined) return;
    const echoMs = echo?.ofMs ?? Number.NaN;
    link.trySend({ sentAtMs: nowMs, echoMs, heldMs: echo ? nowMs - echo.atMs : 0 });
  };

  scope.every(() => jitter(runtime, periodMs), beat);
  beat();
  scope.spawn('listen', async (signal) => {
    for (let message = await next(link, signal); message; message = await next(link, signal)) {
      const nowMs = runtime.now();
      heardAtMs = nowMs;
      const isFirst = echo === undefined;
      echo = { ofMs: message.sentAtMs, atMs: nowMs };
      // Answered at once, so that both sides know the round trip from the start.
      if (isFirst) send(nowMs);
      const rttMs = nowMs - message.echoMs - message.heldMs;
      if (rttMs >= 0) events.rtt(rttMs);
    }
    if (!signal.aborted) events.ended(await link.ended);
  });
  scope.onClose(() => link.close());
}

/** The next beat, or undefined however the link has ended: how is asked of the link. */
async function next(link: Link<Beat>, signal: AbortSignal): Promise<Beat | undefined> {
  return link.receive({ signal }).catch(() => undefined);
}
