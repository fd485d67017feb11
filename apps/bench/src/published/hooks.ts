/**
 * Loaded before anything else: our packages are taken as they are published, built and bundled, and not as their sources, whose
 * types Node strips. That is what users run, with a smaller heap and faster collections.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const PACKAGES = new URL('../../../../packages/', import.meta.url);

interface Manifest {
  readonly name: string;
  readonly publishConfig?: {
    readonly exports?: Readonly<Record<string, { readonly node?: string; readonly default?: string }>>;
  };
}

const published = new Map(
  readdirSync(PACKAGES).flatMap((folder) => exportsOf(new URL(`${folder}/`, PACKAGES))),
);

registerHooks({
  resolve(specifier, context, next) {
    const url = published.get(specifier);
    return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
  },
});

/** What a package exports, with its URL. */
function exportsOf(folder: URL): [specifier: string, url: string][] {
  const manifest = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as Manifest;
  return Object.entries(manifest.publishConfig?.exports ?? {}).flatMap(([path, { node, default: other }]) => {
    const file = node ?? other;
    return file === undefined ? [] : [[manifest.name + path.slice(1), new URL(file, folder).href]];
  });
}
