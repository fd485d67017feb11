import type { Group } from '@mosaik/groups';
import { sharedNowMs } from './clock.ts';
import type { WriteReport, WriteRequest } from './groups.ts';
import type { Audit, Deposit, Receipt } from './ledger.ts';

/** The deposits that a client asks for. */
export function depositsOf({ prefix, from, count, textBytes }: WriteRequest): Deposit[] {
  const text = textBytes === undefined ? {} : { text: 't'.repeat(textBytes) };
  return Array.from({ length: count }, (_, position) => ({ id: `${prefix}${from + position}`, ...text }));
}

/** Writes for a client, and tells where it was applied, and when it was known to be. */
export async function writeDeposits(
  group: Group<Deposit, number, readonly Receipt[], Audit>,
  request: WriteRequest,
): Promise<WriteReport> {
  const startedAtMs = sharedNowMs();
  const executed = await group.executeMany(depositsOf(request));
  return {
    indices: executed.map(({ index }) => index),
    repeated: executed.filter(({ result }) => result !== 1).length,
    startedAtMs,
    acknowledgedAtMs: sharedNowMs(),
  };
}
