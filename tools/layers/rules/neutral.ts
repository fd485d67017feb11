// Packages run in a browser too: Node's modules and globals stay in the few places that exist to use them.

import { nodePackages, nodePlaces, processFiles } from '../policy.ts';
import { targetOf } from '../specifier.ts';
import type { GlobalUse } from '../syntax/globals.ts';
import type { Import } from '../syntax/imports.ts';
import { type Finding, type Rule, violationIn } from '../violation.ts';
import { isLibrary } from '../workspace.ts';

const rule = 'runtime-neutral';

const wayOut = `use what browsers have too, or move it to ${nodePlaces.join(', ')}`;

const nodeGlobals = new Set(['Buffer', 'process', 'require', 'module', '__dirname', '__filename', 'global']);

const nodeImportMeta = new Set(['dirname', 'filename', 'main']);

export const neutral: Rule = (module, owner) => {
  if (!isLibrary(module, owner)) return [];
  if (nodePlaces.some((place) => module.path.startsWith(place))) return [];
  const findings = [
    ...module.imports.flatMap((found) => importFinding(found, module.path)),
    ...module.globals.flatMap((use) => globalFinding(use, module.path)),
  ];
  return findings.map((finding) => violationIn(module, finding));
};

function importFinding({ specifier, start, erased }: Import, importer: string): readonly Finding[] {
  const target = targetOf(specifier, importer);
  const isOfNode =
    target.kind === 'node' || (target.kind === 'package' && nodePackages.includes(target.name));
  return isOfNode && !erased ? [{ rule, what: `${specifier} exists on Node only`, wayOut, start }] : [];
}

/** Asking with `typeof` whether something exists is how neutral code adapts. */
function globalFinding({ root, path, how, start }: GlobalUse, importer: string): readonly Finding[] {
  if (how === 'typeof' || !isOfNode(root, path)) return [];
  if (path[0] === 'process' && processFiles.includes(importer)) return [];
  return [{ rule, what: `${path.slice(0, 2).join('.')} exists on Node only`, wayOut, start }];
}

function isOfNode(root: string, path: readonly string[]): boolean {
  if (path[0] === 'import.meta') return nodeImportMeta.has(path[1] ?? '');
  return root === 'global' || nodeGlobals.has(path[0] ?? '');
}
