// What a rule reports, and how it is printed.

import { positionOf, type SourceModule } from './syntax/module.ts';
import type { Package, Workspace } from './workspace.ts';

export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly what: string;
  /** What to do instead. */
  readonly wayOut: string;
}

/** A rule looks at one module of one package at a time. */
export type Rule = (module: SourceModule, owner: Package, workspace: Workspace) => readonly Violation[];

export interface Finding {
  readonly rule: string;
  /** Offset into the module's text. */
  readonly start: number;
  readonly what: string;
  readonly wayOut: string;
}

export function violationIn(module: SourceModule, { start, ...finding }: Finding): Violation {
  return { ...finding, path: module.path, ...positionOf(module.text, start) };
}

export function lineOf({ path, line, column, rule, what, wayOut }: Violation): string {
  return `${path}:${line}:${column} ${rule}: ${what}; ${wayOut}`;
}
