// Every way in which a module names another one.

import { childrenOf, type Node, nameOf, nodeAt, nodesAt } from './walk.ts';

export interface Import {
  readonly specifier: string;
  readonly start: number;
  /** Nothing of it is left at run time. `import { type X }` does not count: it still loads the module. */
  readonly erased: boolean;
  /** The names taken; `*` stands for all of them, `default` for the default export. */
  readonly names: readonly string[];
}

export function importsOf(program: Node): readonly Import[] {
  const found: Import[] = [];
  collect(program, found);
  return found;
}

function collect(node: Node, found: Import[]): void {
  const specifier = nameOf(nodeAt(node, 'source'));
  if (specifier !== undefined) {
    found.push({ specifier, start: node.start, erased: isErased(node), names: namesOf(node) });
  }
  for (const child of childrenOf(node)) collect(child, found);
}

function isErased(node: Node): boolean {
  return node['importKind'] === 'type' || node['exportKind'] === 'type' || node.type === 'TSImportType';
}

function namesOf(node: Node): readonly string[] {
  if (node.type !== 'ImportDeclaration' && node.type !== 'ExportNamedDeclaration') return ['*'];
  return nodesAt(node, 'specifiers').flatMap((part) => {
    if (part['importKind'] === 'type' || part['exportKind'] === 'type') return [];
    if (part.type === 'ImportDefaultSpecifier') return ['default'];
    if (part.type === 'ImportNamespaceSpecifier') return ['*'];
    return [nameOf(nodeAt(part, 'imported') ?? nodeAt(part, 'local')) ?? '*'];
  });
}
