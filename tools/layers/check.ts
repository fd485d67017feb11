// Applies every rule to every module.

import { declared } from './rules/declared.ts';
import { direction } from './rules/direction.ts';
import { lightEntry } from './rules/light-entry.ts';
import { neutral } from './rules/neutral.ts';
import { world } from './rules/world.ts';
import type { Rule, Violation } from './violation.ts';
import { type Tree, workspaceOf } from './workspace.ts';

const syntax: Rule = ({ path, syntaxError }) =>
  syntaxError === undefined
    ? []
    : [{ rule: 'syntax', path, line: 1, column: 1, what: syntaxError, wayOut: 'make it valid TypeScript' }];

const rules: readonly Rule[] = [syntax, direction, declared, world, neutral, lightEntry];

export function checkTree(tree: Tree): readonly Violation[] {
  const workspace = workspaceOf(tree);
  return workspace.packages.flatMap((owner) =>
    owner.modules.flatMap((module) => rules.flatMap((rule) => rule(module, owner, workspace))),
  );
}
