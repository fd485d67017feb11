import type { ReplayFrom } from 'mosaik';
import { usage } from '../failure.ts';

/**
 * Where to begin, as it is typed: `start`, `end`, an offset, or a time in ISO 8601.
 *
 * @throws {Failure} when it is none of these.
 */
export function replayFrom(text: string): ReplayFrom {
  if (text === 'start' || text === 'end') return text;
  if (/^\d{1,15}$/.test(text)) return { offset: Number(text) };
  const since = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(since)) return { since };
  throw usage(
    `--from does not take "${text}"`,
    'it takes start, end, an offset such as 120, or a time such as 2026-01-31T12:00Z',
  );
}
