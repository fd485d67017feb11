/** What the way from one host to another is like at this moment. */
export interface Path {
  /** Packets do not get through; they wait, as TCP would send them again. */
  blocked: boolean;
  /** Time on the way, in milliseconds. */
  latencyMs: number;
  /** Up to this much more, drawn anew for each packet, in milliseconds. */
  jitterMs: number;
  /** Bytes a second that fit through; `Infinity` for no bound. */
  bytesPerSecond: number;
  /** Some packets take longer; what is behind them on the same connection waits for them. */
  delays: readonly PacketDelay[];
  /** How often a connection over this way is reset, on average and per minute. */
  connectionLossesPerMinute: number;
}

/** A share of packets, from 0 to 1, that is late by some milliseconds. */
export interface PacketDelay {
  readonly share: number;
  readonly byMs: number;
}

/** What a network is like without faults. */
export interface PathOptions {
  /** One way, in milliseconds. Default 1. */
  readonly latencyMs?: number | undefined;
  /** Up to this much more, drawn for each packet, in milliseconds. Default 0.2. */
  readonly jitterMs?: number | undefined;
  /** Bytes a second, each way and shared by all connections between two hosts. Default 125 million (1 Gbit/s). */
  readonly bytesPerSecond?: number | undefined;
}

/** Who a path leads from or to. */
export interface Place {
  readonly name: string;
}

/** The same everywhere, or a function of where from and where to. */
export type NetworkOptions = PathOptions | ((from: Place, to: Place) => PathOptions);

/** A connection of a host to itself does not leave the machine. */
const LOOPBACK: PathOptions = { latencyMs: 0.02, jitterMs: 0.01, bytesPerSecond: 2e9 };

/** The way between two hosts before any fault. */
export function basePath(options: NetworkOptions, from: Place, to: Place): Path {
  const own = typeof options === 'function' ? options(from, to) : options;
  const { latencyMs = 1, jitterMs = 0.2, bytesPerSecond = 125e6 } = from === to ? LOOPBACK : own;
  return { blocked: false, latencyMs, jitterMs, bytesPerSecond, delays: [], connectionLossesPerMinute: 0 };
}
