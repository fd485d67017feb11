import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describePeers, type Peers } from '../peers/peers.ts';
import type { Result } from '../result.ts';

/** Where ratios were measured: on another machine, or beside other versions, they differ. */
export interface Setting {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly peers: string;
}

/** The recorded ratios: as a file, which is committed. */
export interface Records {
  /** For who reads the file. */
  readonly about: string;
  readonly recordedOn: string;
  readonly setting: Setting;
  /** Of each session. */
  readonly runs: number;
  /** By result, the ratio of each session. */
  readonly ratios: Readonly<Record<string, readonly number[]>>;
}

const RECORDS_FILE = fileURLToPath(new URL('../../recorded.json', import.meta.url));

const ABOUT =
  'Ratios of ours to the peer that the gate (npm run check -- --perf) compares with; one a session. Written by: npm run bench -- --record';

export function settingOf(peers: Peers): Setting {
  const cpu = cpus()[0]?.model ?? 'unknown';
  return { cpu, cores: availableParallelism(), node: process.version, peers: describePeers(peers) };
}

/** What several sessions took; a result that one of them could not take is left out. */
export function recordsOf(
  sessions: readonly (readonly Result[])[],
  about: Pick<Records, 'recordedOn' | 'setting' | 'runs'>,
): Records {
  const ratios: Record<string, number[]> = {};
  for (const { name } of sessions[0] ?? []) {
    const taken = sessions.flatMap((results) => results.filter((result) => result.name === name));
    const figures = taken.map(({ ratio }) => Number(ratio.toPrecision(4)));
    if (figures.length === sessions.length && figures.every(Number.isFinite)) ratios[name] = figures;
  }
  return { about: ABOUT, ...about, ratios };
}

export function writeRecords(records: Records, file: string = RECORDS_FILE): void {
  writeFileSync(file, `${JSON.stringify(records, null, 2)}\n`);
}

/** @throws {Error} when there is no such file, or when it is not one of ours. */
export function readRecords(file: string = RECORDS_FILE): Records {
  if (!existsSync(file)) throw new Error(`nothing was recorded yet in ${file}: npm run bench -- --record`);
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isRecords(parsed)) throw new Error(`${file} is not what \`npm run bench -- --record\` writes`);
  return parsed;
}

function isRecords(value: unknown): value is Records {
  if (typeof value !== 'object' || value === null) return false;
  const { ratios, setting, recordedOn } = value as Partial<Records>;
  if (typeof ratios !== 'object' || typeof setting !== 'object' || typeof recordedOn !== 'string')
    return false;
  return Object.values(ratios).every((figures) => figures.length > 0 && figures.every(Number.isFinite));
}

/** In which ways this is not where the ratios were recorded. */
export function differencesOf(now: Setting, recorded: Setting): string[] {
  const keys = Object.keys(recorded) as (keyof Setting)[];
  return keys
    .filter((key) => now[key] !== recorded[key])
    .map((key) => `${key}: ${now[key]}, not ${recorded[key]}`);
}
