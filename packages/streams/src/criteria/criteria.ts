import { CriteriaError } from '../errors.ts';

/** A comparison of one field of a datum. */
export interface FieldCriteria<V = unknown> {
  readonly $eq?: V;
  readonly $ne?: V;
  readonly $gt?: V;
  readonly $gte?: V;
  readonly $lt?: V;
  readonly $lte?: V;
  readonly $in?: readonly V[];
  readonly $nin?: readonly V[];
  /** Whether the field is there. */
  readonly $exists?: boolean;
  readonly $not?: FieldCriteria<V>;
}

interface Combined<T> {
  readonly $and?: readonly Criteria<T>[];
  readonly $or?: readonly Criteria<T>[];
  readonly $nor?: readonly Criteria<T>[];
}

/**
 * What a consumer wants of a stream, as plain data: it travels to the producer and is evaluated there, so that what is
 * not wanted never travels. The notation is MongoDB's: `{ symbol: 'BTC', price: { $gte: 100 } }`, `$and`, `$or`, `$nor`,
 * and fields within fields as `'order.side'`.
 */
export type Criteria<T = unknown> = {
  readonly [Field in keyof T & string]?: T[Field] | FieldCriteria<T[Field]>;
} & {
  readonly [path: `${string}.${string}`]: unknown;
} & Combined<T>;

/** How large criteria may be: they are evaluated for every datum, for each consumer that has some. */
export const CRITERIA_LIMITS = {
  /** Operators and fields. */
  nodes: 128,
  /** Values in all `$in` and `$nin` together. */
  values: 256,
  depth: 8,
  /** Characters of a text. */
  characters: 1024,
} as const;

const COMPARING = new Set(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte']);
const LISTING = new Set(['$in', '$nin']);
const COMBINING = new Set(['$and', '$or', '$nor']);

/**
 * Checks criteria, from a user or from a peer.
 *
 * @throws {CriteriaError} that names what cannot be used.
 */
export function checkCriteria(criteria: unknown): asserts criteria is Criteria {
  checkQuery(criteria, { nodes: 0, values: 0 }, 0);
}

/** How much was looked at so far. */
interface Effort {
  nodes: number;
  values: number;
}

function checkQuery(query: unknown, effort: Effort, depth: number): void {
  if (depth > CRITERIA_LIMITS.depth) throw new CriteriaError(`nested deeper than ${CRITERIA_LIMITS.depth}`);
  for (const [name, operand] of entriesOf(query)) {
    count(effort);
    if (COMBINING.has(name)) checkCombined(name, operand, effort, depth);
    else if (name.startsWith('$')) throw unknownOperator(name);
    else checkField(name, operand, effort, depth + 1);
  }
}

function checkCombined(name: string, operand: unknown, effort: Effort, depth: number): void {
  if (!Array.isArray(operand) || operand.length === 0) {
    throw new CriteriaError(`${name} takes a list that is not empty`);
  }
  for (const part of operand) checkQuery(part, effort, depth + 1);
}

function checkField(path: string, operand: unknown, effort: Effort, depth: number): void {
  if (path.length > CRITERIA_LIMITS.characters) throw new CriteriaError('the name of a field is too long');
  if (isOperators(operand)) checkOperators(path, operand, effort, depth);
  else checkValue(path, operand);
}

function checkOperators(path: string, operators: object, effort: Effort, depth: number): void {
  if (depth > CRITERIA_LIMITS.depth) throw new CriteriaError(`nested deeper than ${CRITERIA_LIMITS.depth}`);
  for (const [name, operand] of Object.entries(operators)) {
    count(effort);
    if (COMPARING.has(name)) checkValue(`${path}.${name}`, operand);
    else if (LISTING.has(name)) checkList(`${path}.${name}`, operand, effort);
    else if (name === '$exists') checkBoolean(`${path}.${name}`, operand);
    else if (name === '$not') checkOperators(path, recordOf(operand), effort, depth + 1);
    else throw unknownOperator(name);
  }
}

function checkList(path: string, operand: unknown, effort: Effort): void {
  if (!Array.isArray(operand)) throw new CriteriaError(`${path} takes a list`);
  effort.values += operand.length;
  if (effort.values > CRITERIA_LIMITS.values) {
    throw new CriteriaError(`more than ${CRITERIA_LIMITS.values} values in lists`);
  }
  for (const value of operand) checkValue(path, value);
}

function checkBoolean(path: string, operand: unknown): void {
  if (typeof operand !== 'boolean') throw new CriteriaError(`${path} takes true or false`);
}

/** Only values that are compared in constant time, or in proportion to a bounded length. */
function checkValue(path: string, value: unknown): void {
  if (value === null || value === undefined || value instanceof Date) return;
  if (typeof value === 'string') {
    if (value.length <= CRITERIA_LIMITS.characters) return;
    throw new CriteriaError(`${path} is longer than ${CRITERIA_LIMITS.characters} characters`);
  }
  if (['number', 'bigint', 'boolean'].includes(typeof value)) return;
  throw new CriteriaError(
    `${path} cannot be compared with ${Array.isArray(value) ? 'a list' : typeof value}`,
  );
}

function count(effort: Effort): void {
  effort.nodes++;
  if (effort.nodes > CRITERIA_LIMITS.nodes) {
    throw new CriteriaError(`more than ${CRITERIA_LIMITS.nodes} fields and operators`);
  }
}

function isOperators(operand: unknown): operand is object {
  if (typeof operand !== 'object' || operand === null || operand instanceof Date) return false;
  return !Array.isArray(operand) && Object.keys(operand).some((key) => key.startsWith('$'));
}

function entriesOf(query: unknown): [string, unknown][] {
  return Object.entries(recordOf(query));
}

function recordOf(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new CriteriaError(`an object was expected, not ${Array.isArray(value) ? 'a list' : typeof value}`);
}

function unknownOperator(name: string): CriteriaError {
  return new CriteriaError(`there is no operator ${name.slice(0, 40)}`);
}
