import type { PeerInfo } from '@mosaik/discovery';

/** What went over one channel between a producer and a consumer, as seen from one side. */
export interface ChannelStats {
  readonly datums: number;
  /** Of the encoded data. */
  readonly bytes: number;
  /** Since the subscription began. */
  readonly uptimeMs: number;
  /** Data that wait here: to be sent by a producer, to be read at a consumer. */
  readonly lagDatums: number;
  readonly lagBytes: number;
  /** What ended the subscription before this one, or made the last attempt fail. */
  readonly lastError: string | undefined;
  /** All of it in one line. */
  toString(): string;
}

/** How a channel stands: `live`, on its way, or waiting before the next attempt. A producer has only live ones. */
export type ChannelState = 'connecting' | 'live' | 'waiting';

/** One channel, as it is now. */
export interface ChannelView {
  readonly peer: PeerInfo;
  readonly state: ChannelState;
  readonly stats: ChannelStats;
}

/** Stats that can be printed. */
export function channelStats(values: Omit<ChannelStats, 'toString'>): ChannelStats {
  return { ...values, toString: () => describeStats(values) };
}

function describeStats({
  datums,
  bytes,
  uptimeMs,
  lagDatums,
  lagBytes,
  lastError,
}: Omit<ChannelStats, 'toString'>): string {
  const flow = `${datums} datums, ${describeBytes(bytes)} in ${(uptimeMs / 1000).toFixed(1)} s`;
  const lag = lagDatums === 0 ? '' : `, ${lagDatums} waiting (${describeBytes(lagBytes)})`;
  return `${flow}${lag}${lastError === undefined ? '' : `, last error: ${lastError}`}`;
}

function describeBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
