// A package declares what it imports, so that installing it alone brings all that it needs.

import { targetOf } from '../specifier.ts';
import type { SourceModule } from '../syntax/module.ts';
import { type Rule, violationIn } from '../violation.ts';
import { isShipped, type Package } from '../workspace.ts';

export const declared: Rule = (module, owner) =>
  module.imports.flatMap(({ specifier, start }) => {
    const target = targetOf(specifier, module.path);
    if (target.kind !== 'package' || isDeclared(target.name, module, owner)) return [];
    const field = isShipped(module, owner) ? 'dependencies' : 'dependencies or devDependencies';
    return [
      violationIn(module, {
        rule: 'undeclared',
        start,
        what: `${target.name} is not among the ${field} of ${owner.name}`,
        wayOut: `add it to ${owner.folder}/package.json, or do without`,
      }),
    ];
  });

function isDeclared(name: string, module: SourceModule, owner: Package): boolean {
  return owner.dependencies.has(name) || (!isShipped(module, owner) && owner.devDependencies.has(name));
}
