// What an import names: a file of the same package, a package, or a part of Node.

import { builtinModules } from 'node:module';
import { posix } from 'node:path';

export type Target =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'node'; readonly module: string }
  /** `subpath` is as in `exports`: '.', './libp2p'. */
  | { readonly kind: 'package'; readonly name: string; readonly subpath: string };

const builtins = new Set(builtinModules);

export function targetOf(specifier: string, importer: string): Target {
  if (specifier.startsWith('.'))
    return { kind: 'file', path: posix.join(posix.dirname(importer), specifier) };
  if (specifier.startsWith('/')) return { kind: 'file', path: specifier };
  if (specifier.startsWith('node:')) return { kind: 'node', module: specifier.slice('node:'.length) };
  const parts = specifier.split('/');
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  if (builtins.has(specifier) || builtins.has(name)) return { kind: 'node', module: specifier };
  return { kind: 'package', name, subpath: `.${specifier.slice(name.length)}` };
}
