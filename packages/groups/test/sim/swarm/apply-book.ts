import type { MapCommand, MapResult } from '../../../src/machine/index.ts';
import { Violation } from '../../raft/sim/oracle.ts';

/** Where a command was applied: the index of its entry, and its place among those of it that were applied. */
type Place = `${number}.${number}`;

interface Application {
  readonly what: string;
  /** The one before. */
  readonly previous: Place | undefined;
}

/** What one replica of the machine does, in order. */
export interface Page {
  applied(index: number, command: MapCommand<number>, result: MapResult<number>): void;
  /** What was applied before is not known. */
  restored(): void;
}

/**
 * What all replicas have applied, where, and what came of it: the same everywhere, and each command once. Values are unique, so
 * that a command is known by what it writes.
 */
export class ApplyBook {
  readonly #applications = new Map<Place, Application>();
  readonly #places = new Map<number, Place>();

  /** A replica begins, empty. */
  open(): Page {
    let last: Place | undefined = '0.0';
    let place = { index: 0, count: 0 };
    return {
      applied: (index, command, result) => {
        place = { index, count: index === place.index ? place.count + 1 : 1 };
        const here: Place = `${index}.${place.count}`;
        const previous = last;
        last = here;
        this.#once(here, command);
        this.#same(here, { what: JSON.stringify([command, result]), previous });
      },
      restored: () => {
        last = undefined;
      },
    };
  }

  #once(here: Place, command: MapCommand<number>): void {
    const value = 'value' in command ? command.value : undefined;
    if (value === undefined) return;
    const known = this.#places.get(value);
    if (known !== undefined && known !== here)
      throw new Violation('exactly once', `${JSON.stringify(command)} is applied at ${known} and ${here}`);
    this.#places.set(value, here);
  }

  #same(here: Place, { what, previous }: Application): void {
    const known = this.#applications.get(here);
    if (known !== undefined && known.what !== what)
      throw new Violation('equal states', `${known.what} elsewhere, ${what} here, at ${here}`);
    const before = known?.previous ?? previous;
    if (previous !== undefined && before !== previous)
      throw new Violation('equal states', `${here} comes after ${before} elsewhere, after ${previous} here`);
    this.#applications.set(here, { what, previous: before });
  }
}
