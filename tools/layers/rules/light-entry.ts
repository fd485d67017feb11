// A package's main entry does not load its heavy or platform-bound part, neither directly nor through other files.

import { lightEntries } from '../policy.ts';
import { targetOf } from '../specifier.ts';
import type { SourceModule } from '../syntax/module.ts';
import { type Rule, violationIn } from '../violation.ts';
import type { Package } from '../workspace.ts';

export const lightEntry: Rule = (module, owner) =>
  lightEntries
    .filter(({ entry }) => module.path === entry)
    .flatMap(({ without, instead }) => {
      const way = wayInto(without, module, owner);
      const [first] = way ?? [];
      if (way === undefined || first === undefined) return [];
      return [
        violationIn(module, {
          rule: 'light-entry',
          start: first.start,
          what: `this entry loads ${[module.path, ...way.map((step) => step.path)].join(' → ')}`,
          wayOut: `export it from ${instead} only; types may be imported with \`import type\``,
        }),
      ];
    });

interface Reached {
  readonly path: string;
  readonly start: number;
}

/** The shortest chain of imports that exist at run time from the entry to a file below `place`. */
function wayInto(place: string, entry: SourceModule, owner: Package): readonly Reached[] | undefined {
  const byPath = new Map(owner.modules.map((module) => [module.path, module]));
  const seen = new Set([entry.path]);
  let ways: readonly { readonly at: SourceModule; readonly steps: readonly Reached[] }[] = [
    { at: entry, steps: [] },
  ];
  while (ways.length > 0) {
    const longer = ways.flatMap(({ at, steps }) => loadedBy(at).map((step) => [...steps, step]));
    const arrived = longer.find((steps) => steps.at(-1)?.path.startsWith(place));
    if (arrived !== undefined) return arrived;
    ways = longer.flatMap((steps) => {
      const at = byPath.get(steps.at(-1)?.path ?? '');
      if (at === undefined || seen.has(at.path)) return [];
      seen.add(at.path);
      return [{ at, steps }];
    });
  }
  return undefined;
}

function loadedBy(module: SourceModule): readonly Reached[] {
  return module.imports.flatMap(({ specifier, start, erased }) => {
    const target = targetOf(specifier, module.path);
    return erased || target.kind !== 'file' ? [] : [{ path: target.path, start }];
  });
}
