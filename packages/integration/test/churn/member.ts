import {
  CommandAbortedError,
  type Group,
  GroupClosedError,
  GroupOverloadedError,
  type GroupStats,
} from '@mosaik/groups';
import { simulated } from '@mosaik/groups/simulated';
import type { History } from '@mosaik/testing/linearizability';
import {
  type Answer,
  Board,
  type Command,
  type Input,
  type Output,
  type Question,
  type Written,
} from './board.ts';
import type { Churn } from './churn.ts';
import type { Life, Part } from './node.ts';

export type BoardGroup = Group<Command, Written, Question, Answer>;

/** How long a cell is in use: so few operations on each that a history can be checked. */
const CELL_MS = 20_000;
const CELLS = 3;
const PAUSE_MS = 2_000;

/** What a client was told of its writes, by number. */
export type Acknowledged = Map<string, number[]>;

/** A member of the group with its log on the disk, and a client at it. */
export class Member implements Part {
  group: BoardGroup | undefined;
  /** A client lives as long as its process. */
  readonly acknowledged: Acknowledged = new Map();

  async begin(life: Life): Promise<void> {
    const { network, node, churn } = life;
    const { members, snapshotEvery, retainEntries } = churn.plan;
    const group = await network.groups.join({
      key: 'churn',
      machine: Board,
      storage: simulated(node.disk, { rules: { syncsFirst: churn.mutant.groupSyncsLate !== true } }),
      consensus: { founders: members, compareStateEvery: 64, snapshotEvery, retainEntries },
    });
    this.group = group;
    churn.watch(this.#work(group, life));
  }

  /** The state of this member, as text, and its tallies. */
  async dump(): Promise<Answer | undefined> {
    return (await this.group?.query({ all: true }, 'weak'))?.result;
  }

  get stats(): GroupStats | undefined {
    return this.group?.stats;
  }

  async #work(group: BoardGroup, { node, churn, signal }: Life): Promise<void> {
    const client = `${node.host.name}#${node.host.incarnation}`;
    const told: number[] = [];
    this.acknowledged.set(client, told);
    let number = 0;
    while (!signal.aborted && !churn.isOver) {
      const input = this.#draw(churn, client, number);
      if (input.type === 'write') number++;
      const isDone = await operate({ group, input, client, churn });
      if (isDone && input.type === 'write') told.push(input.command.number);
      await churn.world.sleep(churn.below(PAUSE_MS));
    }
  }

  #draw(churn: Churn, client: string, number: number): Input {
    const cell = `${Math.floor(churn.world.now / CELL_MS)}/${churn.below(CELLS)}`;
    const chance = churn.world.runtime.random();
    if (chance < 0.4) return { type: 'read', cell };
    const value = churn.nextValue();
    const command = { client, number, cell, value };
    if (chance < 0.8) return { type: 'write', command };
    const ifHolds = churn.chance(0.2) ? null : Math.max(0, value - churn.below(4));
    return { type: 'write', command: { ...command, ifHolds } };
  }
}

interface Operation {
  readonly group: BoardGroup;
  readonly input: Input;
  readonly client: string;
  readonly churn: Churn;
}

/** Asks, for as long as the client has patience, and writes down what came of it; whether it was answered. */
async function operate({ group, input, client, churn }: Operation): Promise<boolean> {
  const history: History<Input, Output> = churn.history;
  const pending = history.invoke(client, input);
  const limit = new AbortController();
  let outcome: 'open' | 'ok' | 'ended' = 'open';
  const end = (as: 'ok' | 'ended', finish: () => void): void => {
    if (outcome !== 'open') return;
    outcome = as;
    finish();
  };
  const run = ask(group, input, limit.signal).then(
    (output) => end('ok', () => pending.ok(output)),
    (error: unknown) => end('ended', () => (isWithoutEffect(error) ? pending.fail() : pending.unknown())),
  );
  // A node that crashes never answers; one that lives is told to give up.
  await Promise.race([run, churn.world.sleep(500 + churn.below(5_000))]);
  limit.abort();
  await Promise.race([run, churn.world.sleep(1)]);
  end('ended', () => pending.unknown());
  return (outcome as string) === 'ok';
}

async function ask(group: BoardGroup, input: Input, signal: AbortSignal): Promise<Output> {
  if (input.type === 'read')
    return (await group.query({ cell: input.cell }, 'strong', { signal })).result.value;
  return (await group.execute(input.command, { signal })).result;
}

function isWithoutEffect(error: unknown): boolean {
  if (error instanceof GroupOverloadedError) return true;
  if (error instanceof CommandAbortedError || error instanceof GroupClosedError)
    return error.unknown.length === 0;
  return false;
}
