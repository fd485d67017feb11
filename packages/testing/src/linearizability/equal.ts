/**
 * Whether two values are the same by structure: primitives (NaN is itself, -0 is 0), arrays, byte lists, maps, sets of
 * primitives, and plain objects. Members that are `undefined` count as absent ones.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (!isObject(a) || !isObject(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (isList(a) && isList(b)) return isEqualList(a, b);
  if (a instanceof Map && b instanceof Map) return isEqualMap(a, b);
  if (a instanceof Set && b instanceof Set) return a.size === b.size && a.isSubsetOf(b);
  return isEqualRecord(a, b);
}

type List = ArrayLike<unknown>;
type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isList(value: unknown): value is List {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}

function isEqualList(a: List, b: List): boolean {
  if (a.length !== b.length) return false;
  // From the end: lists that only grow differ there.
  for (let index = a.length - 1; index >= 0; index--) if (!isEqual(a[index], b[index])) return false;
  return true;
}

function isEqualMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !isEqual(value, b.get(key))) return false;
  return true;
}

function isEqualRecord(a: Fields, b: Fields): boolean {
  for (const name of Object.keys(a)) if (!isEqual(a[name], b[name])) return false;
  for (const name of Object.keys(b)) if (b[name] !== undefined && a[name] === undefined) return false;
  return true;
}
