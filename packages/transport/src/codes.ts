/**
 * Codes a link closes with. Those of the transport itself are HTTP's three digits; the layers above prefix theirs:
 * discovery 20xxx, streams 10xxx, groups 30xxx, store 40xxx.
 */
export const CloseCode = {
  /** The conversation is over; nothing is wrong. */
  Done: 0,
  /** What arrived is not a frame, not decodable, or not of the shape the protocol asks for. */
  Malformed: 400,
  /** The peer is not allowed to do this. */
  NotAllowed: 403,
  /** No such thing here. */
  NotFound: 404,
  /** The other side took too long. */
  Timeout: 408,
  /** A frame is larger than the protocol's `maxFrameBytes`. */
  FrameTooLarge: 413,
  /** Too many links, or too many opens in a short time. */
  TooMany: 429,
  /** The handler of the link failed. */
  InternalError: 500,
  /** The node, or its connection to this one, is closing. */
  ShuttingDown: 503,
} as const;

/** The text a code is explained with when the closer gives none. */
export function describeCloseCode(code: number): string {
  const name = Object.entries(CloseCode).find(([, value]) => value === code)?.[0];
  return name ?? `code ${code}`;
}
