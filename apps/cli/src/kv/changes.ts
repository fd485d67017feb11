import { createEventStream, type EventSource, type MapCommand, type MapEntry } from 'mosaik';
import type { MapListener } from './map.ts';

/** What became of a key. */
export type Change =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown; readonly version: number }
  /** Without a version where it shows only by the key's absence in a newer state. */
  | { readonly type: 'delete'; readonly key: string; readonly version?: number };

/** Changes that wait to be printed; more is a reader that stands still, which is told. */
const BACKLOG = 65_536;

/** The changes of a map as this member applies them; where it took over a newer state as a whole, the differences to it. */
export class Changes implements MapListener {
  readonly events: EventSource<Change> = createEventStream<Change>({ backlog: BACKLOG });
  readonly #prefix: string;
  /** Versions by key, of what is looked at. */
  readonly #versions = new Map<string, number>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  applied: MapListener['applied'] = (command, { done }, version) => {
    const key = keyOf(command);
    if (!done || !key.startsWith(this.#prefix)) return;
    const value = 'delete' in command ? undefined : command.value;
    if (value === undefined) this.#deleted(key, version);
    else this.#put({ key, value, version });
  };

  restored: MapListener['restored'] = (state) => {
    const seen = new Set<string>();
    let [from, more] = [this.#prefix, true];
    while (more) {
      const answer = state.query({ from }, { index: 0 as never });
      for (const entry of answer.entries) {
        more = entry.key.startsWith(this.#prefix);
        if (!more) break;
        seen.add(entry.key);
        if (this.#versions.get(entry.key) !== entry.version) this.#put(entry);
        // The smallest key after it.
        from = `${entry.key}\0`;
      }
      more &&= answer.more;
    }
    for (const key of this.#versions.keys()) if (!seen.has(key)) this.#deleted(key);
  };

  #put({ key, value, version }: MapEntry<unknown>): void {
    this.#versions.set(key, version);
    this.events.emit({ type: 'put', key, value, version });
  }

  #deleted(key: string, version?: number): void {
    this.#versions.delete(key);
    this.events.emit({ type: 'delete', key, ...(version === undefined ? {} : { version }) });
  }
}

function keyOf(command: MapCommand<unknown>): string {
  if ('put' in command) return command.put;
  return 'delete' in command ? command.delete : command.compareAndSet;
}
