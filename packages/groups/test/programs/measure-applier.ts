// How many commands an applier takes: `node test/programs/measure-applier.ts`. Entries of one run of 100 commands of the ready-made
// counter and map, with the outcomes heard, with and without the determinism guard.
import { encodeCbor } from '@mosaik/primitives';
import { createApplier } from '../../src/machine/applier.ts';
import { encodeEntry, encodeRecord } from '../../src/machine/commands.ts';
import type { StateMachine } from '../../src/machine/machine.ts';
import { Counter } from '../../src/machine/ready/counter.ts';
import { keyValue } from '../../src/machine/ready/map.ts';
import type { Entry, LogIndex, Term } from '../../src/raft/types.ts';

const ENTRIES = 3_000;
const COMMANDS = 100;

/** A log that opens a session and goes on with it. */
function logOf(command: (at: number) => unknown): Entry[] {
  const open = encodeRecord({ kind: 'open', nonce: new Uint8Array(16) });
  return Array.from({ length: ENTRIES }, (_, entry) => {
    const sequence = 1 + (entry - 1) * COMMANDS;
    const commands = Array.from({ length: COMMANDS }, (_value, at) => encodeCbor(command(sequence + at)));
    const settled = Math.max(0, sequence - 2 * COMMANDS);
    const record =
      entry === 0 ? open : encodeRecord({ kind: 'run', session: 1, sequence, settled, commands });
    return {
      index: (entry + 1) as LogIndex,
      term: 1 as Term,
      kind: 'command',
      data: encodeEntry(entry, [record]),
    };
  });
}

function measure<C, R, Q, A>(machine: StateMachine<C, R, Q, A>, command: (at: number) => C): void {
  const log = logOf(command);
  for (const guard of [false, true]) {
    let heard = 0;
    const observer = { wants: () => true, outcome: () => void heard++ };
    const applier = createApplier({ machine, guard, observer });
    const startMs = performance.now();
    applier.apply(log);
    const perSecond = (heard / (performance.now() - startMs)) * 1_000;
    console.log(`${machine.signature}, guard ${guard ? 'on' : 'off'}: ${Math.round(perSecond)} commands/s`);
  }
}

measure(Counter, () => ({ add: 1 }));
measure(keyValue<string>(), (at) => ({ put: `key-${at % 10_000}`, value: 'a value of some length' }));
