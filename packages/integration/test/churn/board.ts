import { machine, type StateMachine } from '@mosaik/groups';
import { deterministic, type Model } from '@mosaik/testing/linearizability';

/** Writes a cell, and says which command of which client it is: a client counts from 0, and has one under way at a time. */
export interface Command {
  readonly client: string;
  readonly number: number;
  readonly cell: string;
  readonly value: number;
  /** Only when this is what the cell holds; `null` when it holds nothing. Absent: in any case. */
  readonly ifHolds?: number | null;
}

/** Whether it wrote, and what was there before. */
export type Written = readonly [done: boolean, before: number | undefined];

/** How often the commands of a client were applied. */
export interface Tally {
  /** The highest number that was applied. */
  last: number;
  /** Numbers below it that were not: nobody may have been told that they were. */
  readonly missing: number[];
  /** Numbers that were applied again. */
  readonly repeated: number[];
}

interface State {
  readonly cells: Map<string, number>;
  readonly tallies: Map<string, Tally>;
}

/** A cell, or everything: as text, to be compared, and the tallies. */
export type Question = { readonly cell: string } | { readonly all: true };
export interface Answer {
  readonly value?: number | undefined;
  readonly cells?: string;
  readonly tallies?: Readonly<Record<string, Tally>>;
}

/** Cells that hold numbers, and for each client which of its commands were applied, and whether once. */
export const Board: StateMachine<Command, Written, Question, Answer> = machine({
  signature: 'integration.board/1',
  initial: (): State => ({ cells: new Map(), tallies: new Map() }),
  apply({ cells, tallies }: State, { client, number, cell, value, ifHolds }: Command): Written {
    const tally = tallies.get(client) ?? { last: -1, missing: [], repeated: [] };
    tallies.set(client, tally);
    count(tally, number);
    const before = cells.get(cell);
    const isDone = ifHolds === undefined || ifHolds === (before ?? null);
    if (isDone) cells.set(cell, value);
    return [isDone, before];
  },
  query: ({ cells, tallies }: State, question: Question): Answer =>
    'cell' in question
      ? { value: cells.get(question.cell) }
      : { cells: JSON.stringify([...cells]), tallies: Object.fromEntries(tallies) },
});

function count(tally: Tally, number: number): void {
  if (number > tally.last) {
    for (let below = tally.last + 1; below < number; below++) tally.missing.push(below);
    tally.last = number;
    return;
  }
  const late = tally.missing.indexOf(number);
  if (late < 0) tally.repeated.push(number);
  else tally.missing.splice(late, 1);
}

/** What clients do with a cell. */
export type Input =
  | { readonly type: 'read'; readonly cell: string }
  | { readonly type: 'write'; readonly command: Command };
export type Output = number | undefined | Written;

/** What the board must look like to all clients: one cell after the other. */
export const boardModel: Model<number | undefined, Input, Output> = deterministic<
  number | undefined,
  Input,
  Output
>({
  init: () => undefined,
  key: (input) => (input.type === 'read' ? input.cell : input.command.cell),
  apply(state, input) {
    if (input.type === 'read') return { state, output: state };
    const { value, ifHolds } = input.command;
    const isDone = ifHolds === undefined || ifHolds === (state ?? null);
    return { state: isDone ? value : state, output: [isDone, state] };
  },
});
