import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Note, type Noted, readJournal } from '../journal.ts';
import { CAST } from '../stage/cast.ts';
import { RUNNER_JOURNAL } from '../stage/cluster.ts';

/** What everybody wrote down. */
export interface Records {
  /** Of the process that started and killed the others. */
  readonly runner: readonly Noted[];
  readonly byName: ReadonlyMap<string, readonly Noted[]>;
}

export function readRecords(folder: string): Records {
  const written = CAST.flatMap(({ name }) => {
    const file = join(folder, `${name}.ndjson`);
    return existsSync(file) ? [[name, readJournal(file)] as const] : [];
  });
  return { runner: readJournal(join(folder, RUNNER_JOURNAL)), byName: new Map(written) };
}

type NotedAs<K extends Note['kind']> = Extract<Note, { readonly kind: K }> & { readonly atMs: number };

/** The notes of one kind. */
export function notesOf<K extends Note['kind']>(notes: readonly Noted[] | undefined, kind: K): NotedAs<K>[] {
  return (notes ?? []).filter((note): note is NotedAs<K> => note.kind === kind);
}

/** When a process was killed. */
export function killedAt({ runner }: Records, role: string): { name: string; atMs: number } | undefined {
  return notesOf(runner, 'killed').find(({ name }) => name.startsWith(role));
}
