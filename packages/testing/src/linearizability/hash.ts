/** FNV-1a, 32 bits: Fowler, Noll and Vo; the constants are theirs. */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** A hash of 32 bits by structure: values that `isEqual` takes for the same have the same. */
export function hashOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return hashOfText(`${typeof value} ${String(value)}`);
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value))
    return hashOfList(value as ArrayLike<unknown>);
  if (value instanceof Map) return hashOfEntries(value);
  if (value instanceof Set) return hashOfEntries(Array.from(value, (member) => [member, true]));
  return hashOfEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

function hashOfText(text: string): number {
  let hash = OFFSET;
  for (let index = 0; index < text.length; index++) hash = mix(hash, text.charCodeAt(index));
  return hash;
}

function hashOfList(list: ArrayLike<unknown>): number {
  let hash = mix(OFFSET, list.length);
  for (let index = 0; index < list.length; index++) hash = mix(hash, hashOf(list[index]));
  return hash;
}

/** A sum, so that the order of entries does not matter. */
function hashOfEntries(entries: Iterable<readonly [unknown, unknown]>): number {
  let sum = 0;
  for (const [key, value] of entries) sum = (sum + mix(hashOf(key), hashOf(value))) | 0;
  return mix(OFFSET, sum);
}

function mix(hash: number, word: number): number {
  return Math.imul(hash ^ word, PRIME) ^ (word >>> 15);
}
