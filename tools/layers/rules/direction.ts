// Packages import leftwards only, through what the other one exports; nothing reaches into another package's files.

import { islands, order, simulator, simulatorMayImport, testConfiguration } from '../policy.ts';
import { targetOf } from '../specifier.ts';
import type { SourceModule } from '../syntax/module.ts';
import { type Rule, type Violation, violationIn } from '../violation.ts';
import { isShipped, type Package, type Workspace } from '../workspace.ts';

export const direction: Rule = (module, owner, workspace) =>
  module.imports.flatMap(({ specifier, start }) => {
    const target = targetOf(specifier, module.path);
    const problem =
      target.kind === 'file'
        ? outside(module, owner, target.path)
        : target.kind === 'package'
          ? (island(module, target.name) ?? wrongWay(module, owner, workspace, target))
          : undefined;
    return problem === undefined ? [] : [violationIn(module, { ...problem, start })];
  });

type Problem = Pick<Violation, 'rule' | 'what' | 'wayOut'>;

/** A relative import stays in its package, that of shipped code in `src`, that of an island on it; how tests run is said once for all. */
function outside(module: SourceModule, owner: Package, path: string): Problem | undefined {
  const home = islands.find(({ folder }) => module.path.startsWith(folder));
  if (home !== undefined && !path.startsWith(home.folder)) {
    return {
      rule: 'island',
      what: `${path} is outside ${home.folder}`,
      wayOut: `move what is needed inside, or pass it in as data; from outside only ${home.mayImport.join(', ')} may be imported`,
    };
  }
  const limit = isShipped(module, owner) ? `${owner.folder}/src/` : `${owner.folder}/`;
  if (path.startsWith(limit)) return undefined;
  if (module.path === `${owner.folder}/vitest.config.ts` && path.startsWith(testConfiguration))
    return undefined;
  return {
    rule: 'relative-import',
    what: `${path} is outside ${limit}`,
    wayOut: 'import another package by its name, and let shipped code import only what ships',
  };
}

function island(module: SourceModule, name: string): Problem | undefined {
  const home = islands.find(({ folder }) => module.path.startsWith(folder));
  if (home === undefined || home.mayImport.includes(name)) return undefined;
  return {
    rule: 'island',
    what: `${home.folder} may import only itself and ${home.mayImport.join(', ')}, not ${name}`,
    wayOut: 'do this in the code that drives it, and pass the outcome in as data',
  };
}

function wrongWay(
  module: SourceModule,
  owner: Package,
  workspace: Workspace,
  target: { readonly name: string; readonly subpath: string },
): Problem | undefined {
  const imported = workspace.byName.get(target.name);
  if (imported === undefined) return undefined;
  if (!mayImport(owner, target.name, isShipped(module, owner))) return notAllowed(owner, target.name);
  if (imported.exports.has(target.subpath)) return undefined;
  return {
    rule: 'deep-import',
    what: `${target.name} does not export "${target.subpath}"`,
    wayOut: `import one of ${[...imported.exports].join(', ')}, or export it there on purpose`,
  };
}

function mayImport(owner: Package, name: string, ships: boolean): boolean {
  if (!owner.isPublished || owner.folder.startsWith('apps/')) return true;
  if (owner.name === simulator) return simulatorMayImport.includes(name);
  const place = indexIn(owner.name);
  // A test below the simulator would make a circle of packages.
  if (name === simulator) return !ships && place > Math.max(...simulatorMayImport.map(indexIn));
  return indexIn(name) >= 0 && indexIn(name) < place;
}

function indexIn(name: string): number {
  return (order as readonly string[]).indexOf(name);
}

function notAllowed(owner: Package, name: string): Problem {
  if (name === simulator) {
    return {
      rule: 'simulator',
      what: `${owner.name} may not import ${name} here`,
      wayOut: 'use it in tests of the packages above it, in its own tests, or in packages/integration',
    };
  }
  return {
    rule: 'direction',
    what: `${owner.name} may not import ${name}`,
    wayOut: `imports go leftwards only: ${order.join(' → ')}; move the shared part to a package further left, or pass it in`,
  };
}
