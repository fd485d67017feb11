import type { DetectorOptions } from '@mosaik/discovery';

/** What the times suit: processes of one machine, a local network, long distances. */
export type Preset = 'local' | 'lan' | 'wan';

/** Times that go together, in milliseconds. What is not in here keeps the default of its package, which is that of a LAN. */
export interface PresetTimes {
  readonly silenceMs: number;
  readonly detector: Partial<DetectorOptions>;
  /** Of groups; heartbeats and elections are multiples of it. */
  readonly tickMs: number;
}

/** A crash is noticed after about silence, or probe + suspicion, whichever is less; false alarms grow the other way. */
export const presets: Readonly<Record<Preset, PresetTimes>> = {
  local: {
    silenceMs: 2_500,
    detector: { probeIntervalMs: 500, probeTimeoutMs: 300, suspicionMs: 1_500, confirmedSuspicionMs: 1_000 },
    tickMs: 50,
  },
  lan: { silenceMs: 5_000, detector: {}, tickMs: 100 },
  wan: {
    silenceMs: 15_000,
    detector: {
      probeIntervalMs: 3_000,
      probeTimeoutMs: 1_500,
      suspicionMs: 8_000,
      confirmedSuspicionMs: 6_000,
      lostSuspicionMs: 3_000,
    },
    tickMs: 250,
  },
};
