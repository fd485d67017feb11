import siftModule from 'sift';
import { CriteriaError } from '../errors.ts';
import { checkCriteria } from './criteria.ts';

type Sift = typeof siftModule.default;

/** Node takes the package as CommonJS, whose default export is a level deeper than that of its ES module. */
const sift: Sift = siftModule.default ?? (siftModule as unknown as Sift);

/** Whether a datum is wanted. Never throws: what cannot be evaluated is not wanted. */
export type Filter = (datum: unknown) => boolean;

/**
 * Compiles criteria; they are checked first, so that what sift could also do (functions, regular expressions) stays out.
 *
 * @throws {CriteriaError}
 */
export function compileCriteria(criteria: unknown): Filter {
  checkCriteria(criteria);
  const test = compiled(criteria);
  return (datum) => {
    try {
      return test(datum);
    } catch {
      return false;
    }
  };
}

function compiled(criteria: object): (datum: unknown) => boolean {
  try {
    return sift(criteria);
  } catch (cause) {
    throw new CriteriaError('cannot be compiled', { cause });
  }
}
