import type { Peers } from '../peers/peers.ts';
import type { Result } from '../result.ts';
import { type Outcome, runSuites } from '../run.ts';
import type { Suite } from '../suite.ts';
import { compare, isPassed } from './compare.ts';
import { differencesOf, type Records, readRecords, recordsOf, settingOf, writeRecords } from './records.ts';
import { GATE_RUNS, SELECTION, SESSIONS } from './selection.ts';
import { formatCompared } from './table.ts';

export interface GateOptions {
  readonly suites: readonly Suite[];
  readonly peers: Peers;
  /** How often each measurement is taken in a session; as many as usual when undefined. */
  readonly runs: number | undefined;
}

/** Measures the selection several times, and writes the ratios down for {@link runGate}. Whether all could be had. */
export async function record(options: GateOptions): Promise<boolean> {
  const sessions: (readonly Result[])[] = [];
  for (let session = 1; session <= SESSIONS; session++) {
    console.error(`· session ${session} of ${SESSIONS}`);
    const { results, failures } = await take(options, SELECTION);
    if (!isAll(failures)) return false;
    sessions.push(results);
  }
  const records = recordsOf(sessions, {
    recordedOn: new Date().toISOString().slice(0, 10),
    setting: settingOf(options.peers),
    runs: options.runs ?? GATE_RUNS,
  });
  const missing = SELECTION.filter((name) => records.ratios[name] === undefined);
  if (missing.length > 0) {
    console.error(`! nothing was recorded, as these could not be measured: ${missing.join(', ')}`);
    return false;
  }
  writeRecords(records);
  console.log(formatCompared(compare(SELECTION, records.ratios, sessions.flat())));
  return true;
}

/**
 * Measures the selection, and tells what is worse than what was recorded by more than noise. What seems to be is measured a
 * second time before it counts. Whether all is well.
 */
export async function runGate(options: GateOptions): Promise<boolean> {
  const records = readRecords();
  tellSetting(options.peers, records);
  const first = await take(options, SELECTION);
  if (!isAll(first.failures)) return false;
  const suspects = compare(SELECTION, records.ratios, first.results)
    .filter(({ verdict }) => verdict === 'worse')
    .map(({ name }) => name);
  if (suspects.length > 0) console.error(`· once more: ${suspects.join(', ')}`);
  const second = suspects.length > 0 ? await take(options, suspects) : { results: [], failures: [] };
  const compared = compare(SELECTION, records.ratios, [...first.results, ...second.results]);
  console.log(formatCompared(compared));
  const worse = compared.filter(({ verdict }) => verdict === 'worse').map(({ name }) => name);
  if (worse.length > 0)
    console.log(`Worse than recorded on ${records.recordedOn}, twice: ${worse.join(', ')}`);
  if (compared.some(({ verdict }) => verdict === 'better' || verdict === 'not recorded'))
    console.log('To record anew, on a quiet machine: npm run bench -- --record');
  return isAll(second.failures) && isPassed(compared);
}

function take({ suites, peers, runs = GATE_RUNS }: GateOptions, only: readonly string[]): Promise<Outcome> {
  return runSuites(suites, peers, { only, runs });
}

function isAll(failures: readonly string[]): boolean {
  for (const failure of failures) console.error(`! not measured: ${failure}`);
  return failures.length === 0;
}

/** Ratios are compared, not figures; even so they are not the same everywhere. */
function tellSetting(peers: Peers, { setting, recordedOn }: Records): void {
  const differences = differencesOf(settingOf(peers), setting);
  if (differences.length > 0)
    console.error(
      `! recorded on ${recordedOn} elsewhere, which alone may make a difference: ${differences.join('; ')}`,
    );
}
