import type { BoundCounter, Metrics } from '@mosaik/primitives';

/** What is counted for one stream, labelled by its name. */
export interface StreamMetrics {
  /** A block was handed to one consumer's connection. */
  sent(datums: number, bytes: number): void;
  tooSlow(): void;
  received(datums: number, bytes: number): void;
  /** How many are subscribed now. */
  consumers(count: number): void;
  undelivered(): void;
  gap(): void;
  invalid(): void;
}

/** The counters of one stream; added to once a block, not once a datum. */
export function streamMetrics(metrics: Metrics, name: string): StreamMetrics {
  const labels = { stream: name };
  const bound = (metric: string, description: string): BoundCounter =>
    metrics.counter(`mosaik.streams.${metric}`, { description }).with(labels);
  const datumsOut = bound('sent.datums', 'Data sent to consumers, one for each consumer');
  const bytesOut = bound('sent.bytes', 'Bytes of data sent to consumers');
  const tooSlow = bound('too_slow', 'Consumers dropped because they fell behind');
  const datumsIn = bound('received.datums', 'Data received from producers');
  const bytesIn = bound('received.bytes', 'Bytes of data received from producers');
  const undelivered = bound('undelivered', 'Data that were handed to nobody, where somebody asks');
  const consumers = metrics
    .gauge('mosaik.streams.consumers', { description: 'Consumers subscribed to a producer' })
    .with(labels);
  const gaps = bound('gaps', 'Gaps seen by consumers');
  const invalid = bound('invalid', 'Data that could not be decoded, or that their schema refused');
  return {
    sent: (datums, bytes) => {
      datumsOut.add(datums);
      bytesOut.add(bytes);
    },
    tooSlow: () => tooSlow.add(1),
    received: (datums, bytes) => {
      datumsIn.add(datums);
      bytesIn.add(bytes);
    },
    consumers: (count) => consumers.set(count),
    undelivered: () => undelivered.add(1),
    gap: () => gaps.add(1),
    invalid: () => invalid.add(1),
  };
}
