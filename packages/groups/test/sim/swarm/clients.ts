import { randomInt } from '@mosaik/primitives';
import {
  assertLinearizable,
  createHistory,
  type History,
  LinearizabilityError,
  type PendingOperation,
} from '@mosaik/testing/linearizability';
import { CommandAbortedError, GroupClosedError, GroupOverloadedError } from '../../../src/errors.ts';
import type { MapResult } from '../../../src/machine/index.ts';
import { Violation } from '../../raft/sim/oracle.ts';
import type { Node } from '../cluster.ts';
import { ask, drawInput, type Input, model, type Output, outputOf } from './model.ts';
import type { Nodes } from './nodes.ts';

/** Clients at random members, and what they were told. */
export class Clients {
  readonly #nodes: Nodes;
  readonly #history: History<Input, Output>;
  #running: readonly Promise<void>[] = [];
  #lastValue = 0;
  #isOver = false;
  #heardLater = 0;
  /** Nobody asks for anything. */
  areHushed = false;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#history = createHistory(nodes.world.runtime);
  }

  get operations(): number {
    return this.#history.operations.length;
  }

  get answered(): number {
    return this.#history.operations.filter(({ outcome }) => outcome.type === 'ok').length;
  }

  /** Those of the answered that had been given up before. */
  get heardLater(): number {
    return this.#heardLater;
  }

  start(count: number): void {
    this.#running = Array.from({ length: count }, (_, index) => this.#client(`c${index}`));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  /** A value that was not written yet. */
  nextValue(): number {
    return ++this.#lastValue;
  }

  /** Holds what all were told against what can be. */
  check(): void {
    try {
      assertLinearizable(model, this.#history.operations, { maxSteps: 20_000_000 });
    } catch (thrown) {
      // A history that is too open to be judged proves nothing, either way.
      if (!(thrown instanceof LinearizabilityError) || thrown.verdict.verdict !== 'violation') throw thrown;
      throw new Violation('linearizability', thrown.message, { cause: thrown });
    }
  }

  async #client(name: string): Promise<void> {
    const { world, plan } = this.#nodes;
    const { runtime } = world;
    while (!this.#isOver) {
      const { live } = this.#nodes;
      const node = live[randomInt(runtime, live.length)];
      const isKnown = node === undefined || this.areHushed || (await this.#operate(name, node));
      // What is not known stays open in the history: long ones with many of those cannot be judged any more.
      const isLong = plan.hushes > 0;
      await world.sleep(runtime.random() * (isKnown || !isLong ? 60 : 4_000));
    }
  }

  /** Returns whether it is known what came of it. */
  async #operate(client: string, node: Node): Promise<boolean> {
    const { world, plan } = this.#nodes;
    const input = drawInput(world.runtime, plan.keys, () => this.nextValue());
    const pending = this.#history.invoke(client, input);
    const limit = new AbortController();
    let isEnded = false;
    let isKnown = false;
    const end = (finish: () => void, known: boolean): void => {
      if (isEnded) return;
      finish();
      isEnded = true;
      isKnown = known;
    };
    const run = ask(node.group, input, limit.signal).then(
      (output) => end(() => pending.ok(output), true),
      (error: unknown) => {
        if (isWithoutEffect(error)) end(() => pending.fail(), true);
        else if (error instanceof CommandAbortedError)
          end(() => this.#hearLater(error, { input, pending }), false);
        else end(() => pending.unknown(), false);
      },
    );
    const patienceMs = 500 + world.runtime.random() * 5_000;
    // A node that crashes never answers; one that lives is told to give up.
    await Promise.race([run, world.sleep(patienceMs)]);
    if (isEnded) return isKnown;
    limit.abort();
    await Promise.race([run, world.sleep(1)]);
    end(() => pending.unknown(), false);
    return isKnown;
  }

  /** What was given up may come to be known all the same; until then it is open. */
  #hearLater(
    error: CommandAbortedError,
    { input, pending }: { readonly input: Input; readonly pending: PendingOperation<Output> },
  ): void {
    void error.resolved().then(([outcome]) => {
      if (outcome?.effect === 'notApplied') pending.fail();
      if (outcome?.effect !== 'applied' || outcome.error !== undefined) return;
      pending.ok(outputOf(input, outcome.result as MapResult<number>));
      this.#heardLater++;
    });
  }
}

function isWithoutEffect(error: unknown): boolean {
  if (error instanceof GroupOverloadedError) return true;
  if (error instanceof CommandAbortedError || error instanceof GroupClosedError)
    return error.unknown.length === 0;
  return false;
}
