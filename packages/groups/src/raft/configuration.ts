import { invariant } from './invariant.ts';
import type { Configuration, MemberId } from './types.ts';

/** Of a member that has not heard of any group yet. */
export const nobody: Configuration = { voters: [], learners: [] };

/**
 * A configuration as the data of its entry: JSON of `[voters, learners]`, in ASCII, as the language alone has no
 * encoder of text. Such entries are rare and small.
 */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  invariant(isWellFormed(configuration), 'a configuration is sorted, and names nobody twice');
  const text = JSON.stringify([configuration.voters, configuration.learners]);
  const ascii = text.replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Uint8Array.from(ascii, (character) => character.charCodeAt(0));
}

/** The configuration in the data of an entry; undefined when it is none. The gate asks this of what peers send. */
export function decodeConfiguration(data: Uint8Array): Configuration | undefined {
  let text = '';
  for (const byte of data) text += String.fromCharCode(byte);
  const parsed = parseJson(text);
  if (!Array.isArray(parsed) || parsed.length !== 2) return undefined;
  const [voters, learners] = parsed;
  if (!isListOfIds(voters) || !isListOfIds(learners)) return undefined;
  const configuration: Configuration = { voters, learners };
  return isWellFormed(configuration) ? configuration : undefined;
}

/** Sorted, nobody twice, nobody in both. */
export function isWellFormed({ voters, learners }: Configuration): boolean {
  return isAscending(voters) && isAscending(learners) && !learners.some((id) => voters.includes(id));
}

/** How many voters one configuration has and the other has not, both ways. */
export function votersChanged(a: Configuration, b: Configuration): number {
  const gone = a.voters.filter((id) => !b.voters.includes(id)).length;
  const come = b.voters.filter((id) => !a.voters.includes(id)).length;
  return gone + come;
}

/** Everybody in it, sorted. */
export function membersOf({ voters, learners }: Configuration): MemberId[] {
  return [...voters, ...learners].sort();
}

function isAscending(ids: readonly MemberId[]): boolean {
  return ids.every((id, place) => place === 0 || (ids[place - 1] as MemberId) < id);
}

function isListOfIds(value: unknown): value is MemberId[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string' && id.length > 0);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
