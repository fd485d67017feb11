import {
  DecodeError,
  invariant,
  type PeerId,
  type Runtime,
  shortId,
  type WaitOptions,
  withTimeout,
} from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';
import { type Link, LinkEndedError } from '@mosaik/transport';
import { StoreCode } from '../codes.ts';
import type { LogIdentity } from '../log/log-storage.ts';
import { decodeOpened, encodeRead, type Opened } from '../wire/messages.ts';
import { Gate, type Piece } from './gate.ts';

/** How long a holder may take to answer, its connection included. */
export const ANSWER_MS = 5_000;

/** How a node reaches holders, itself among them. */
export interface Reach {
  readonly runtime: Runtime;
  readonly self: PeerId;
  readonly open: (peer: PeerId, options: WaitOptions) => Promise<Link<Uint8Array>>;
  readonly signedMe: () => Uint8Array;
}

/** What is wanted of a log. */
export interface Wanted {
  readonly identity: LogIdentity;
  readonly from: Sequence;
  /** Undefined to follow it. */
  readonly to: Sequence | undefined;
}

/** A log that a holder sends. */
export interface Session {
  readonly link: Link<Uint8Array>;
  readonly gate: Gate;
  readonly opened: Opened;
}

/** Opens a link for one question; it is closed when `use` is over, with a code when the holder was at fault. */
export async function withLink<T>(
  { runtime, open }: Reach,
  { peer, signal }: { readonly peer: PeerId; readonly signal: AbortSignal },
  use: (link: Link<Uint8Array>) => Promise<T>,
): Promise<T> {
  const limits = { what: `a link to the store of ${shortId(peer)}`, timeoutMs: ANSWER_MS, signal };
  const link = await withTimeout(runtime, limits, (limit) => open(peer, { signal: limit }));
  let code = 0;
  try {
    return await use(link);
  } catch (error) {
    if (error instanceof DecodeError) code = StoreCode.Malformed;
    throw error;
  } finally {
    if (link.end === undefined) void link.close(code);
  }
}

/** For a link that ended without the answer: whoever leaves says goodbye, and owes nobody one. */
export function unanswered({ end, peer }: Link<Uint8Array>): LinkEndedError {
  invariant(end !== undefined, `the link to ${shortId(peer)} has ended`);
  return new LinkEndedError(end);
}

/** Asks on an open link for a log; resolves when the holder has begun to answer. */
export async function ask(
  { runtime, signedMe }: Reach,
  link: Link<Uint8Array>,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Session> {
  const { identity, from, to } = wanted;
  const kind = to === undefined ? 'follow' : 'read';
  const request = encodeRead({ kind, identity, entry: signedMe(), from, to: to ?? 0 });
  const limits = { what: `an answer of ${shortId(link.peer)}`, timeoutMs: ANSWER_MS, signal };
  const answer = await withTimeout(runtime, limits, async (limit) => {
    await link.sendEncoded(request, { signal: limit });
    return await link.receive({ signal: limit });
  });
  if (answer === undefined) throw unanswered(link);
  return { link, gate: new Gate(from), opened: decodeOpened(answer) };
}

/** Hands each piece that comes to `onPiece`, until that returns true; false when the holder has ended it before. */
export async function receive(
  { link, gate }: Session,
  signal: AbortSignal,
  onPiece: (piece: Piece) => Promise<boolean | undefined> | boolean | undefined,
): Promise<boolean> {
  for (let message = await link.receive({ signal }); message !== undefined; ) {
    const piece = gate.take(message);
    if (piece !== undefined) {
      const isDone = onPiece(piece);
      if ((isDone instanceof Promise ? await isDone : isDone) === true) return true;
    }
    message = await link.receive({ signal });
  }
  return false;
}
