import { invariant } from '@mosaik/primitives';
import type { MapCommand, MapResult } from '../../../src/machine/index.ts';
import type { MachineInstance, StateMachine } from '../../../src/machine/machine.ts';
import type { CoreBeginning } from '../../../src/options.ts';
import type { Output, Raft, StoredState } from '../../../src/raft/raft.ts';
import type { LogIndex, Term } from '../../../src/raft/types.ts';
import { writeLog } from '../../raft/sim/disk.ts';
import {
  createOracle,
  entryAt,
  judgeVotes,
  type LogCopy,
  type Oracle,
  Violation,
} from '../../raft/sim/oracle.ts';
import { ApplyBook, type Page } from './apply-book.ts';

/**
 * Sees what the cores and machines of all nodes do, as they do it, and holds it against what is promised. What it finds first
 * is kept: a member that was stopped in the middle would only blur it.
 */
export class Watch {
  readonly #histories = new Map<string, History>();
  readonly #found = Promise.withResolvers<never>();

  constructor() {
    this.#found.promise.catch(() => {});
  }

  /** Rejects with what is broken first. */
  get violated(): Promise<never> {
    return this.#found.promise;
  }

  /** For one life of a node. */
  node(): NodeWatch {
    return new NodeWatch(this);
  }

  /** What has been seen of a history. */
  history(id: string): History {
    const known = this.#histories.get(id) ?? { oracle: createOracle(), book: new ApplyBook() };
    this.#histories.set(id, known);
    return known;
  }

  judge(check: () => void): void {
    try {
      check();
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown;
      this.#found.reject(thrown);
    }
  }
}

/** What members of one history have done. */
interface History {
  readonly oracle: Oracle;
  readonly book: ApplyBook;
}

/** Sees one node: its core is told which history it is of, and its machine is not. */
class NodeWatch {
  readonly #watch: Watch;
  #history: History | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /** For `GroupsTestOptions`. */
  core(raft: Raft, { history, stored }: CoreBeginning): Raft {
    this.#history = this.#watch.history(history);
    const witness = new CoreWitness(raft, stored, this.#history.oracle);
    return {
      ...raft,
      takeOutput: (options) => {
        const output = raft.takeOutput(options);
        this.#watch.judge(() => witness.saw(output));
        return output;
      },
    };
  }

  /** A machine that does the same, seen. */
  machine<Query, Answer>(
    machine: StateMachine<MapCommand<number>, MapResult<number>, Query, Answer>,
  ): StateMachine<MapCommand<number>, MapResult<number>, Query, Answer> {
    return { ...machine, create: () => this.#watched(machine) };
  }

  #watched<Query, Answer>(
    machine: StateMachine<MapCommand<number>, MapResult<number>, Query, Answer>,
  ): MachineInstance<MapCommand<number>, MapResult<number>, Query, Answer> {
    const instance = machine.create();
    let isRestored = false;
    let page: Page | undefined;
    const note = (index: number, command: MapCommand<number>, result: MapResult<number>): void => {
      page ??= this.#open(isRestored);
      page.applied(index, command, result);
    };
    return {
      apply: (command, context) => {
        const result = instance.apply(command, context);
        this.#watch.judge(() => note(context.index, command, result));
        return result;
      },
      // The way that is taken: a machine that has it is given bytes.
      applyEncoded: (bytes, context) => {
        const result = instance.applyEncoded?.(bytes, context);
        invariant(result !== undefined, 'the map takes bytes');
        const command = machine.codecs.command.decode(bytes);
        this.#watch.judge(() => note(context.index, command, result.value()));
        return result;
      },
      query: (query, context) => instance.query(query, context),
      snapshot: () => instance.snapshot(),
      restore: (chunks) => {
        isRestored = true;
        page?.restored();
        return instance.restore(chunks);
      },
    };
  }

  #open(isRestored: boolean): Page {
    invariant(this.#history !== undefined, 'a machine applies what its core has committed');
    const page = this.#history.book.open();
    if (isRestored) page.restored();
    return page;
  }
}

/** One life of a core, with its log as it is in memory. */
class CoreWitness {
  readonly #raft: Raft;
  readonly #oracle: Oracle;
  readonly #log: LogCopy;
  #commit: number;

  constructor(raft: Raft, { snapshot, entries = [] }: StoredState, oracle: Oracle) {
    this.#raft = raft;
    this.#oracle = oracle;
    const { index = 0 as LogIndex, term = 0 as Term } = snapshot ?? {};
    this.#log = { base: { index, term }, entries: [...entries] };
    this.#commit = index;
  }

  saw({ persist, messages, leadership }: Output): void {
    const { id, status } = this.#raft;
    if (persist !== undefined) {
      writeLog(this.#log, persist);
      for (const entry of persist.entries) {
        const before = entryAt(this.#log, entry.index - 1);
        this.#oracle.appended(entry, before?.term ?? this.#log.base.term);
      }
    }
    judgeVotes(this.#oracle, messages);
    if (leadership?.role === 'leader') this.#oracle.leads(id, leadership.term, this.#log);
    for (let index = this.#commit + 1; index <= status.commit; index++) {
      const entry = entryAt(this.#log, index);
      if (entry !== undefined) this.#oracle.commits(id, entry, status.term);
    }
    this.#commit = status.commit;
  }
}
