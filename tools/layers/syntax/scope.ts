// Names that a piece of code declares, so that a local `performance` or `process` is not taken for the global one.

import { type Node, nameOf, nodeAt, nodesAt } from './walk.ts';

export class Scope {
  readonly #names = new Set<string>();
  readonly #parent: Scope | undefined;

  constructor(parent: Scope | undefined, names: Iterable<string>) {
    this.#parent = parent;
    for (const name of names) this.#names.add(name);
  }

  declares(name: string): boolean {
    return this.#names.has(name) || (this.#parent?.declares(name) ?? false);
  }
}

/** The scope that a node opens around its children, or the one given when it opens none. */
export function scopeWithin(node: Node, outer: Scope): Scope {
  const names = namesDeclaredBy(node);
  return names.length > 0 ? new Scope(outer, names) : outer;
}

function namesDeclaredBy(node: Node): readonly string[] {
  switch (node.type) {
    case 'Program':
    case 'BlockStatement':
    case 'StaticBlock':
      return nodesAt(node, 'body').flatMap(declaredByStatement);
    case 'SwitchStatement':
      return nodesAt(node, 'cases').flatMap((part) =>
        nodesAt(part, 'consequent').flatMap(declaredByStatement),
      );
    case 'ForStatement':
      return optional(nodeAt(node, 'init')).flatMap(declaredByStatement);
    case 'ForInStatement':
    case 'ForOfStatement':
      return optional(nodeAt(node, 'left')).flatMap(declaredByStatement);
    case 'CatchClause':
      return optional(nodeAt(node, 'param')).flatMap(bindingsOf);
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return [...optional(nodeAt(node, 'id')), ...nodesAt(node, 'params')].flatMap(bindingsOf);
    case 'ClassExpression':
      return optional(nodeAt(node, 'id')).flatMap(bindingsOf);
    default:
      return [];
  }
}

function declaredByStatement(statement: Node): readonly string[] {
  switch (statement.type) {
    case 'VariableDeclaration':
      return nodesAt(statement, 'declarations').flatMap((part) =>
        optional(nodeAt(part, 'id')).flatMap(bindingsOf),
      );
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return optional(nodeAt(statement, 'id')).flatMap(bindingsOf);
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration':
      return optional(nodeAt(statement, 'declaration')).flatMap(declaredByStatement);
    case 'ImportDeclaration':
      return declaredByImport(statement);
    default:
      return [];
  }
}

/** A type does not hide a value of the same name. */
function declaredByImport(statement: Node): readonly string[] {
  if (statement['importKind'] === 'type') return [];
  const values = nodesAt(statement, 'specifiers').filter((part) => part['importKind'] !== 'type');
  return values.flatMap((part) => optional(nodeAt(part, 'local')).flatMap(bindingsOf));
}

function bindingsOf(pattern: Node): readonly string[] {
  switch (pattern.type) {
    case 'Identifier':
      return optional(nameOf(pattern));
    case 'ObjectPattern':
      return nodesAt(pattern, 'properties').flatMap((part) =>
        optional(nodeAt(part, part.type === 'RestElement' ? 'argument' : 'value')).flatMap(bindingsOf),
      );
    case 'ArrayPattern':
      return nodesAt(pattern, 'elements').flatMap(bindingsOf);
    case 'AssignmentPattern':
      return optional(nodeAt(pattern, 'left')).flatMap(bindingsOf);
    case 'RestElement':
      return optional(nodeAt(pattern, 'argument')).flatMap(bindingsOf);
    default:
      return [];
  }
}

function optional<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
