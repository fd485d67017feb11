// A plain walk over the syntax tree, which is treated as untyped: there are over a hundred kinds of nodes, and each
// rule cares for a handful.

import { visitorKeys } from 'oxc-parser';

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** A field that holds a node, or undefined. */
export function nodeAt(node: Node, field: string): Node | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

/** A field that holds a list of nodes; holes are left out. */
export function nodesAt(node: Node, field: string): readonly Node[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function childrenOf(node: Node): readonly Node[] {
  return (visitorKeys[node.type] ?? []).flatMap((field) => {
    const child = nodeAt(node, field);
    return child === undefined ? nodesAt(node, field) : [child];
  });
}

/** The text of an identifier, a string literal or a template without holes. */
export function nameOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (node.type === 'Identifier') return node['name'] as string;
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node.type !== 'TemplateLiteral' || nodesAt(node, 'expressions').length > 0) return undefined;
  const [quasi] = nodesAt(node, 'quasis');
  return (quasi?.['value'] as { cooked?: string } | undefined)?.cooked;
}
