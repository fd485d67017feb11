/** Codes that links of the store close with, besides those of the transport. */
export const StoreCode = {
  /** What was asked for or answered cannot be read, or is out of its place. */
  Malformed: 40400,
  /** `acceptIf` does not admit this peer, or does not any more. */
  NotAllowed: 40403,
  /** This node keeps no such log, fold or snapshot. */
  NotFound: 40404,
  /** Nothing was asked for in time. */
  Timeout: 40408,
  /** The log of that producer that is kept here began at another time. */
  OtherLog: 40410,
  /** The offset lies beyond what is kept here. */
  Ahead: 40416,
  /** One peer reads too much at once. */
  TooMany: 40429,
  /** What is kept here cannot be read. */
  Unreadable: 40500,
} as const;

/** One of {@link StoreCode}. */
export type StoreCode = (typeof StoreCode)[keyof typeof StoreCode];
