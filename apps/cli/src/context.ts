import type { Console } from './output/console.ts';
import type { Settings } from './settings/settings.ts';
import type { World } from './world.ts';

/** What every command gets. */
export interface Context {
  readonly world: World;
  readonly settings: Settings;
  readonly console: Console;
}
