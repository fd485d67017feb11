import type { StandardSchemaV1 } from '@standard-schema/spec';
import { toError } from '../errors.ts';
import { DecodeError } from './errors.ts';

/** As many issues as a message names; all are in `issues`. */
const ISSUES_NAMED_MAX = 3;

/**
 * What a Standard Schema makes of a value.
 *
 * @throws {DecodeError} with `reason` `schema` and the issues; also when the schema itself throws, or validates
 *   asynchronously, which a decoder cannot wait for.
 */
export function validateSync<T>(schema: StandardSchemaV1<unknown, T>, value: unknown): T {
  const result = runSchema(schema, value);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new DecodeError('schema', 'the schema validates asynchronously; it must do so at once');
  }
  if (result.issues !== undefined) {
    throw new DecodeError('schema', describe(result.issues), { issues: result.issues });
  }
  return result.value;
}

function runSchema<T>(
  schema: StandardSchemaV1<unknown, T>,
  value: unknown,
): StandardSchemaV1.Result<T> | Promise<StandardSchemaV1.Result<T>> {
  try {
    return schema['~standard'].validate(value);
  } catch (thrown) {
    throw new DecodeError('schema', `the schema failed: ${toError(thrown).message}`, { cause: thrown });
  }
}

function describe(issues: readonly StandardSchemaV1.Issue[]): string {
  const named = issues.slice(0, ISSUES_NAMED_MAX).map(({ message, path = [] }) => {
    const at = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
    return at === '' ? message : `${at}: ${message}`;
  });
  const more = issues.length - named.length;
  return `of another shape than agreed: ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
