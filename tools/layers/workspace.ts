// The workspace as the rules see it: packages with their manifests and parsed sources, built from any tree of files,
// on disk or in a test.

import { parseModule, type SourceModule } from './syntax/module.ts';

/** Paths from the root of the repository, with forward slashes, and the text of each file. */
export type Tree = ReadonlyMap<string, string>;

export interface Package {
  readonly name: string;
  /** e.g. `packages/primitives` */
  readonly folder: string;
  readonly isPublished: boolean;
  /** What code that ships may import: dependencies, peers and optional ones. */
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  /** Sub-paths that others may import, as in `exports`: '.', './libp2p'. */
  readonly exports: ReadonlySet<string>;
  readonly modules: readonly SourceModule[];
}

export interface Workspace {
  readonly packages: readonly Package[];
  readonly byName: ReadonlyMap<string, Package>;
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export function workspaceOf(tree: Tree): Workspace {
  const manifests = [...tree.keys()]
    .filter((path) => /^(packages|apps)\/[^/]+\/package\.json$/.test(path))
    .sort();
  const packages = manifests.map((path) => packageAt(path, tree));
  return { packages, byName: new Map(packages.map((found) => [found.name, found])) };
}

function packageAt(manifestPath: string, tree: Tree): Package {
  const folder = manifestPath.slice(0, -'/package.json'.length);
  const manifest = JSON.parse(tree.get(manifestPath) ?? '{}') as Manifest;
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  return {
    name: manifest.name,
    folder,
    isPublished: manifest.private !== true,
    dependencies: new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })),
    devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
    exports: new Set(Object.keys(manifest.exports ?? {})),
    modules: sourcesBelow(folder, tree),
  };
}

function sourcesBelow(folder: string, tree: Tree): readonly SourceModule[] {
  const paths = [...tree.keys()]
    .filter((path) => path.startsWith(`${folder}/`) && /\.[mc]?ts$/.test(path))
    .sort();
  return paths.map((path) => parseModule(path, tree.get(path) ?? ''));
}

/** Code that ships, as against tests, configuration and private packages. */
export function isShipped(module: SourceModule, owner: Package): boolean {
  return owner.isPublished && module.path.startsWith(`${owner.folder}/src/`);
}

/** Code that others build on: what ships, but for the apps, which are programs of their own. */
export function isLibrary(module: SourceModule, owner: Package): boolean {
  return isShipped(module, owner) && owner.folder.startsWith('packages/');
}
