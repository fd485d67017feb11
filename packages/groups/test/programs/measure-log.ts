// What sqlite(path) does on this disk: `node test/programs/measure-log.ts [folder]`. Durable appends a second with one and with
// many under way, and how late timers of the main thread fire meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { groupId, systemRuntime } from '@mosaik/primitives';
import type { Entry, LogIndex, Term } from '../../src/raft/types.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import type { LogStorage } from '../../src/storage/storage.ts';

const DURATION_MS = 3_000;
const ENTRY_BYTES = 100;

let next = 1;

function batch(count: number): Entry[] {
  return Array.from({ length: count }, () => ({
    index: next++ as LogIndex,
    term: 1 as Term,
    kind: 'command',
    data: new Uint8Array(ENTRY_BYTES).fill(next & 0xff),
  }));
}

/** Appends for a while, `inFlight` at a time, each of `entries`. */
async function measure(log: LogStorage, inFlight: number, entries: number): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startMs = performance.now();
  let appends = 0;
  const latencies: number[] = [];
  const lane = async (): Promise<void> => {
    while (performance.now() - startMs < DURATION_MS) {
      const from = performance.now();
      await log.append({ entries: batch(entries) });
      latencies.push(performance.now() - from);
      appends++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - startMs) / 1_000;
  delay.disable();
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
  const ms = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(2);
  console.log(
    `${inFlight} under way, ${entries} entries of ${ENTRY_BYTES} B each: ` +
      `${Math.round(appends / seconds)} appends/s, ${Math.round((appends * entries) / seconds)} entries/s; ` +
      `latency p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ` +
      `event loop late (1 ms timer) p50 ${ms(delay.percentile(50))}, p99 ${ms(delay.percentile(99))}, max ${ms(delay.max)} ms`,
  );
}

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'mosaik-measure-'));
try {
  await using log = await sqlite(join(folder, 'log.db')).open({
    group: groupId('measure'),
    runtime: systemRuntime,
  });
  await measure(log, 1, 1);
  await measure(log, 64, 1);
  await measure(log, 1, 64);
  await measure(log, 64, 64);
} finally {
  rmSync(folder, { recursive: true });
}
