import { InvalidArgumentError } from '@mosaik/primitives';
import type { StreamDefinition } from '@mosaik/streams';
import type { Retention } from '../log/log-storage.ts';
import type { RetainOptions } from './retained.ts';
import type { RetainSettings } from './retained-node.ts';

/** @throws {InvalidArgumentError} when an option is out of range. */
export function retainSettings(
  { name }: Pick<StreamDefinition<never, unknown>, 'name'>,
  options: RetainOptions,
): RetainSettings {
  const { storage, retention = {}, acceptIf, mirror = false } = options;
  const isOwn = options.own ?? !mirror;
  if (!isOwn && !mirror)
    throw new InvalidArgumentError('own', 'true, unless it mirrors: else nothing is kept');
  return {
    storage,
    name: options.name ?? name,
    retention: checkedRetention(retention),
    acceptIf: acceptIf ?? (() => true),
    isMirror: mirror,
    isOwn,
  };
}

/** Without the limits that are none. */
function checkedRetention({ maxItems, maxBytes, maxAgeMs }: Retention): Retention {
  const limits = Object.entries({ maxItems, maxBytes, maxAgeMs }).filter(
    ([, value]) => value !== undefined && value !== Number.POSITIVE_INFINITY,
  );
  for (const [limit, value] of limits) {
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      throw new InvalidArgumentError(`retention.${limit}`, `a whole number of 1 or more, not ${value}`);
  }
  return Object.fromEntries(limits);
}
