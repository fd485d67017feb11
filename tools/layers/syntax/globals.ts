// Every use of a global, as the path by which it is reached: `Date.now()` is a call of Date.now, and so is
// `globalThis.Date['now']()`.

import { type Scope, scopeWithin } from './scope.ts';
import { childrenOf, type Node, nameOf, nodeAt, nodesAt } from './walk.ts';

export interface GlobalUse {
  /** The name that the code starts from: `globalThis`, or the first part of the path. */
  readonly root: string;
  /** e.g. ['Math', 'random']; `globalThis` and its aliases are left out. */
  readonly path: readonly string[];
  readonly how: 'call' | 'construct' | 'typeof' | 'instanceof' | 'value';
  /** Of a call or a construction. */
  readonly argumentCount: number;
  readonly start: number;
}

const aliasesOfGlobal = new Set(['globalThis', 'window', 'self', 'global']);

/** Nodes around an expression that change its type only. */
const transparent = new Set([
  'ChainExpression',
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSInstantiationExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
]);

/** Fields that hold a name and not a reference, unless computed. */
const nameFields: Readonly<Record<string, string>> = {
  AccessorProperty: 'key',
  MethodDefinition: 'key',
  Property: 'key',
  PropertyDefinition: 'key',
  BreakStatement: 'label',
  ContinueStatement: 'label',
  LabeledStatement: 'label',
  MemberExpression: 'property',
  ExportSpecifier: 'exported',
};

/** `import.meta` is reached like a global, and is as particular to its host. */
const importMeta = 'import.meta';

export function globalsOf(program: Node, outermost: Scope): readonly GlobalUse[] {
  const found: GlobalUse[] = [];
  visit(program, outermost, found);
  return found;
}

function visit(node: Node, outer: Scope, found: GlobalUse[]): void {
  if (isWithoutReferences(node)) return;
  const scope = scopeWithin(node, outer);
  if (note({ node, how: 'value', argumentCount: 0 }, scope, found)) return;
  if (node.type === 'VariableDeclarator') noteDestructuring(node, scope, found);
  const operand = operandOf(node);
  const isNoted = operand !== undefined && note(operand, scope, found);
  for (const child of referringChildren(node)) {
    if (!isNoted || child !== operand?.node) visit(child, scope, found);
  }
}

/** Types, and declarations of imports and re-exports, name things without using them. */
function isWithoutReferences(node: Node): boolean {
  if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return true;
  if (node.type === 'ExportNamedDeclaration') return nodeAt(node, 'source') !== undefined;
  return node.type.startsWith('TS') && !transparent.has(node.type);
}

function referringChildren(node: Node): readonly Node[] {
  const name = node['computed'] === true ? undefined : nodeAt(node, nameFields[node.type] ?? '');
  return childrenOf(node).filter((child) => child !== name);
}

interface Operand {
  readonly node: Node;
  readonly how: GlobalUse['how'];
  readonly argumentCount: number;
}

function operandOf(node: Node): Operand | undefined {
  const take = (field: string, how: GlobalUse['how']): Operand | undefined => {
    const operand = nodeAt(node, field);
    return operand && { node: operand, how, argumentCount: nodesAt(node, 'arguments').length };
  };
  if (node.type === 'CallExpression') return take('callee', 'call');
  if (node.type === 'NewExpression') return take('callee', 'construct');
  if (node.type === 'UnaryExpression' && node['operator'] === 'typeof') return take('argument', 'typeof');
  if (node.type === 'BinaryExpression' && node['operator'] === 'instanceof')
    return take('right', 'instanceof');
  return undefined;
}

/** Notes the operand if it is a path from a global; tells whether it was. */
function note({ node, how, argumentCount }: Operand, scope: Scope, found: GlobalUse[]): boolean {
  const path = freePath(node, scope);
  if (path === undefined) return false;
  found.push({ root: path[0] ?? '', path: withoutAliases(path), how, argumentCount, start: node.start });
  return true;
}

/** `const { now } = Date` uses Date.now. */
function noteDestructuring(declarator: Node, scope: Scope, found: GlobalUse[]): void {
  const pattern = nodeAt(declarator, 'id');
  const source = nodeAt(declarator, 'init');
  if (pattern?.type !== 'ObjectPattern' || source === undefined) return;
  const path = freePath(source, scope);
  if (path === undefined) return;
  for (const property of nodesAt(pattern, 'properties')) {
    const name = nameOf(nodeAt(property, 'key'));
    if (name === undefined) continue;
    const whole = withoutAliases([...path, name]);
    found.push({ root: path[0] ?? '', path: whole, how: 'value', argumentCount: 0, start: property.start });
  }
}

function withoutAliases(path: readonly string[]): readonly string[] {
  const first = path.findIndex((name) => !aliasesOfGlobal.has(name));
  return first < 0 ? path.slice(-1) : path.slice(first);
}

/** The path of an expression that starts at a name which no scope declares. */
function freePath(node: Node, scope: Scope): readonly string[] | undefined {
  const path = pathOf(node);
  return path?.[0] === undefined || scope.declares(path[0]) ? undefined : path;
}

function pathOf(node: Node): readonly string[] | undefined {
  const inner = transparent.has(node.type) ? nodeAt(node, 'expression') : undefined;
  if (inner !== undefined) return pathOf(inner);
  if (node.type === 'Identifier') return [nameOf(node) ?? ''];
  if (node.type === 'MetaProperty') return [importMeta];
  if (node.type !== 'MemberExpression') return undefined;
  const object = nodeAt(node, 'object');
  const property = memberName(node);
  const path = object && pathOf(object);
  return path === undefined || property === undefined ? undefined : [...path, property];
}

function memberName(member: Node): string | undefined {
  const property = nodeAt(member, 'property');
  const isExpression = member['computed'] === true && property?.type === 'Identifier';
  return isExpression ? undefined : nameOf(property);
}
