// One source file, parsed once, as the rules see it.

import { parseSync } from 'oxc-parser';
import { type GlobalUse, globalsOf } from './globals.ts';
import { type Import, importsOf } from './imports.ts';
import { Scope } from './scope.ts';
import type { Node } from './walk.ts';

export interface SourceModule {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly globals: readonly GlobalUse[];
  /** Set when the file does not parse; then the lists are empty. */
  readonly syntaxError?: string;
}

export function parseModule(path: string, text: string): SourceModule {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) return { path, text, imports: [], globals: [], syntaxError: error.message };
  const root = program as unknown as Node;
  return { path, text, imports: importsOf(root), globals: globalsOf(root, new Scope(undefined, [])) };
}

/** Line and column of an offset, both counted from 1. */
export function positionOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
