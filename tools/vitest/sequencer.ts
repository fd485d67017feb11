// The order in which test files begin, on a checkout that remembers no durations: those that take longest first, as one that
// took a minute and began last would leave all cores but one without work.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take more than 20 seconds, by how their paths end. */
export const LONGEST: readonly string[] = [
  'integration/test/guide.test.ts',
  'integration/test/groups/kill.test.ts',
  'integration/test/groups/late.test.ts',
  'integration/test/demo/demo.test.ts',
  'integration/test/transport/compliance.test.ts',
  'groups/test/sim/swarm.test.ts',
  'discovery/test/sim/faults.test.ts',
  'discovery/test/detector/mesh.test.ts',
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return longestFirst(await super.sort(files), ({ moduleId }) => moduleId);
  }
}

/** The longest first, everything else in the order in which it is. */
export function longestFirst<T>(files: readonly T[], pathOf: (file: T) => string): T[] {
  const placeOf = (file: T): number => {
    const path = pathOf(file).replaceAll('\\', '/');
    const place = LONGEST.findIndex((end) => path.endsWith(end));
    return place < 0 ? LONGEST.length : place;
  };
  return files.toSorted((a, b) => placeOf(a) - placeOf(b));
}
