/** What kinds of events there are: the number goes into the trace's hash, the name into its lines. */
export const EventKind = {
  timer: 1,
  yield: 2,
  wake: 3,
  packet: 4,
  notice: 5,
  silence: 6,
  dial: 7,
  loss: 8,
  crash: 9,
  restart: 10,
  fault: 11,
  stall: 12,
  connected: 13,
  disconnected: 14,
  opened: 15,
  gossip: 16,
} as const;

export type EventKind = (typeof EventKind)[keyof typeof EventKind];

const names = new Map<number, string>(Object.entries(EventKind).map(([name, value]) => [value, name]));

export function nameOfKind(kind: EventKind): string {
  return names.get(kind) ?? String(kind);
}
