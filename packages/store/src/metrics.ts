import type { Metrics } from '@mosaik/primitives';

/** What is counted for the store of a node. */
export interface StoreMetrics {
  kept(datums: number, bytes: number): void;
  served(datums: number, bytes: number): void;
  refused(code: number): void;
  misbehaved(): void;
}

/** The counters of a store; added to once a block, not once a datum. */
export function storeMetrics(metrics: Metrics): StoreMetrics {
  const counter = (name: string, description: string) =>
    metrics.counter(`mosaik.store.${name}`, { description }).with({});
  const keptDatums = counter('kept.datums', 'Data kept in logs, own and copied');
  const keptBytes = counter('kept.bytes', 'Bytes kept in logs');
  const servedDatums = counter('served.datums', 'Data sent to replays and mirrors');
  const servedBytes = counter('served.bytes', 'Bytes sent to replays and mirrors');
  const misbehaved = counter('misbehaved', 'Holders that broke the protocol');
  const refused = metrics.counter('mosaik.store.refused', { description: 'Requests refused, by code' });
  return {
    kept: (datums, bytes) => {
      keptDatums.add(datums);
      keptBytes.add(bytes);
    },
    served: (datums, bytes) => {
      servedDatums.add(datums);
      servedBytes.add(bytes);
    },
    refused: (code) => refused.add(1, { code: String(code) }),
    misbehaved: () => misbehaved.add(1),
  };
}
