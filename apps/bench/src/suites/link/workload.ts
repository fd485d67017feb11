/** One size of message, and how many of them make a run of a second or so. */
export interface Load {
  readonly name: string;
  readonly bytes: number;
  readonly messages: number;
}

/** A connection to a responder, ours or the peer's, that both are measured through. */
export interface Subject {
  readonly name: string;
  /** Sends all messages and waits until the other side has said that it has them all; returns seconds. */
  transfer(load: Load): Promise<number>;
  /** Round trips of one message at a time; returns each one's milliseconds. */
  roundTrips(count: number, bytes: number): Promise<number[]>;
  /** The same while something else sends all it can to the same responder. */
  besideBulk(count: number, bytes: number): Promise<BesideBulk>;
}

/** What round trips and bulk on one connection do to each other. */
export interface BesideBulk {
  /** Milliseconds of each round trip. */
  readonly times: readonly number[];
  /** What the bulk sent in the meantime. */
  readonly bytesPerSecond: number;
}

/** Bulk in messages of this size… */
export const BULK_BYTES = 65_536;
/** …of which so many have gone before anything is measured. */
export const BULK_WARM_UP = 200;
/** More than any run sends: bulk ends when it is told to. */
export const ENDLESS = 0xffff_ffff;

/** The first bytes of a stream tell the responder what to do with the rest. */
export const SINK = 1;
export const ECHO = 2;

export const HELLO_BYTES = 9;

/** `[kind, size of a message, number of messages]`. */
export function encodeHello(
  kind: number,
  load: { readonly bytes: number; readonly messages: number },
): Uint8Array {
  const view = new DataView(new ArrayBuffer(HELLO_BYTES));
  view.setUint8(0, kind);
  view.setUint32(1, load.bytes);
  view.setUint32(5, load.messages);
  return new Uint8Array(view.buffer);
}

export function decodeHello(bytes: Uint8Array): { kind: number; bytes: number; messages: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { kind: view.getUint8(0), bytes: view.getUint32(1), messages: view.getUint32(5) };
}
