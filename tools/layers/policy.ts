// What the layering check enforces, as data. The rules that apply it are in rules/.

/** A package may import only from packages before it. */
export const order = [
  '@mosaik/primitives',
  '@mosaik/transport',
  '@mosaik/discovery',
  '@mosaik/streams',
  '@mosaik/groups',
  '@mosaik/store',
  'mosaik',
] as const;

/** The simulator: below everything but these, and used by tests only. */
export const simulator = '@mosaik/testing';
export const simulatorMayImport: readonly string[] = ['@mosaik/primitives', '@mosaik/transport'];

/** The only places that read the real clock, set real timers or draw real randomness. */
export const worldFiles: readonly string[] = [
  'packages/primitives/src/runtime/system.ts',
  // Patches the world's clock and timers to catch whoever uses them.
  'packages/testing/src/guard.ts',
  // Makes them throw while a state machine applies.
  'packages/groups/src/machine/guard/globals.ts',
  // Blocks a worker's thread until a test lets it go, as a disk does; no time is set.
  'packages/groups/src/sqlite-kit/hold.ts',
];

/** Where Node itself may be used: everything else also runs in a browser. Prefixes of paths. */
export const nodePlaces: readonly string[] = [
  'packages/transport/src/libp2p/',
  'packages/groups/src/sqlite',
  'packages/store/src/sqlite',
];

/** Files that may name the process, and do without where there is none: two watch it, two read its environment. */
export const processFiles: readonly string[] = [
  'packages/testing/src/guard.ts',
  'packages/testing/src/seeds/environment.ts',
  'packages/groups/src/machine/guard/node-modules.ts',
  'packages/groups/src/machine/development.ts',
];

/** Packages that work on Node only. */
export const nodePackages: readonly string[] = ['@libp2p/tcp', '@libp2p/mdns'];

/** Entries that must not bring a heavier or platform-bound part along, also not indirectly. */
export const lightEntries: readonly {
  readonly entry: string;
  readonly without: string;
  readonly instead: string;
}[] = [
  {
    entry: 'packages/transport/src/index.ts',
    without: 'packages/transport/src/libp2p/',
    instead: '@mosaik/transport/libp2p',
  },
  {
    entry: 'packages/groups/src/index.ts',
    without: 'packages/groups/src/sqlite',
    instead: '@mosaik/groups/sqlite',
  },
  {
    entry: 'packages/store/src/index.ts',
    without: 'packages/store/src/sqlite',
    instead: '@mosaik/store/sqlite',
  },
];

/** Folders that may import nothing but themselves and these packages. */
export const islands: readonly { readonly folder: string; readonly mayImport: readonly string[] }[] = [
  { folder: 'packages/groups/src/raft/', mayImport: ['@mosaik/primitives'] },
];

/** How the tests of all packages run: what their configurations may import from outside of their package. */
export const testConfiguration = 'tools/vitest/';
