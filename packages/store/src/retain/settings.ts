import { InvalidArgumentError } from '@mosaik/primitives';
import type { StreamDefinition } from '@mosaik/streams';
import type { RetainOptions } from './retained.ts';
import type { RetainSettings } from './retained-node.ts';

/** @throws {InvalidArgumentError} when an option is out of range. */
export function retainSettings(
  { name }: Pick<StreamDefinition<never, unknown>, 'name'>,
  options: RetainOptions,
): RetainSettings {
  const { storage, retention = {}, acceptIf, mirror = false } = options;
  for (const [limit, value] of Object.entries(retention)) {
    if (value !== undefined && !(value > 0))
      throw new InvalidArgumentError(`retention.${limit}`, `above 0, not ${value}`);
  }
  const isOwn = options.own ?? !mirror;
  if (!isOwn && !mirror)
    throw new InvalidArgumentError('own', 'true, unless it mirrors: else nothing is kept');
  return {
    storage,
    name: options.name ?? name,
    retention,
    acceptIf: acceptIf ?? (() => true),
    isMirror: mirror,
    isOwn,
  };
}
