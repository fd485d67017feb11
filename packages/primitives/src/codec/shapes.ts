import { TEXT } from './head.ts';
import { type FieldReader, type Fields, type Shape, type ShapeKey, shapeOf, takePart } from './shape.ts';
import { compile } from './shape-code.ts';
import { source } from './source.ts';

/** Objects of more fields, or of longer keys together, are not learned. */
export const FIELDS_MAX = 32;
const KEY_BYTES_MAX = 512;
/** So many objects of no known shape teach the first one. */
const LEARN_AFTER = 8;
/** Of so many objects of no known shape there are others of the one on trial in between, or it was not worth it. */
const TRIAL = 64;
/** For so many objects nothing is learned then; twice as many the next time, up to a limit. */
const REST = 64;
const REST_MAX = 4096;
/** So many objects of a shape make it worth a function of its own; and it stays then. */
const SETTLED_AFTER = 32;
/** Reading this much again takes less than to keep what was read. */
const READ_AGAIN_BYTES = 256;

/** A power of 2. */
const PLACES = 128;
const SHAPES_PER_PLACE = 4;

/** The shapes of objects that begin alike. */
interface Place {
  /** The last one is on trial while it has not settled. */
  readonly shapes: Shape[];
  /** Objects of no known shape until something is learned, or what was is judged. */
  missesLeft: number;
  /** What the one on trial had come to when it was judged before. */
  hitsBefore: number;
  rest: number;
}

/**
 * Shapes that came before, by the number of fields and the first bytes. Of fixed size: what has settled stays, and of others there
 * is one at each place, so that objects that are all different neither drive out what comes again and again nor take much more time.
 */
const places: readonly Place[] = Array.from({ length: PLACES }, () => ({
  shapes: [],
  missesLeft: LEARN_AFTER,
  hitsBefore: 0,
  rest: REST,
}));

/**
 * Reads the fields of an object, of which there are one to {@link FIELDS_MAX}. Objects of a stream are mostly of a few shapes, and it
 * takes less to compare the bytes of their keys with those that are expected than to find out which keys they are.
 */
export function readShaped(count: number, reader: FieldReader): Fields {
  const { bytes, at, items } = source;
  const place = places[
    (count * 31 + (bytes[at] as number) * 7 + (bytes[at + 1] as number)) & (PLACES - 1)
  ] as Place;
  const { shapes } = place;
  for (let index = 0; index < shapes.length; index++) {
    const shape = shapes[index] as Shape;
    if (shape.keys.length !== count) continue;
    const object = shape.read();
    if (object !== undefined) {
      if (shape.hits < SETTLED_AFTER) countHit(place, shape, reader);
      return object;
    }
    const part = takePart();
    if (!isReadAgain(at, items, part.count)) return reader.readFields(part.object, count - part.count);
    source.at = at;
    source.items = items;
  }
  return isToLearn(place) ? learn(place, count, reader) : reader.readFields({}, count);
}

/** Whether so many fields are only read again when another shape is tried: never what holds something itself, at any depth. */
function isReadAgain(at: number, items: number, count: number): boolean {
  return source.items - items === 2 * count && source.at - at <= READ_AGAIN_BYTES;
}

function countHit(place: Place, shape: Shape, reader: FieldReader): void {
  if (++shape.hits < SETTLED_AFTER) return;
  place.rest = REST;
  compile(shape, reader);
}

/** Counts an object of no known shape. */
function isToLearn(place: Place): boolean {
  if (--place.missesLeft > 0) return false;
  place.missesLeft = TRIAL;
  const trial = onTrial(place);
  if (trial === undefined) return place.shapes.length < SHAPES_PER_PLACE;
  if (trial.hits === place.hitsBefore) {
    place.shapes.pop();
    rest(place);
  }
  place.hitsBefore = trial.hits;
  return false;
}

function onTrial({ shapes }: Place): Shape | undefined {
  const last = shapes.at(-1);
  return last !== undefined && last.hits < SETTLED_AFTER ? last : undefined;
}

function rest(place: Place): void {
  place.missesLeft = place.rest;
  place.rest = Math.min(2 * place.rest, REST_MAX);
}

/** Reads an object and learns its shape, if it is one that can be. */
function learn(place: Place, count: number, reader: FieldReader): Fields {
  const object: Fields = {};
  const keys: ShapeKey[] = [];
  for (let left = count; left > 0; left--) {
    const { bytes, at } = source;
    const name = reader.readKey();
    keys.push({ name, bytes: Array.from(bytes.subarray(at, source.at)) });
    object[name] = reader.readItem();
  }
  // An object within this one may have been quicker.
  const isFree = place.shapes.length < SHAPES_PER_PLACE && onTrial(place) === undefined;
  if (isFree && isLearnable(keys)) begin(place, shapeOf(keys, reader));
  else rest(place);
  return object;
}

function begin(place: Place, shape: Shape): void {
  place.shapes.push(shape);
  place.hitsBefore = 0;
}

/** Keys that are texts, each once. What looks like an index is left alone: engines keep such fields elsewhere. */
function isLearnable(keys: readonly ShapeKey[]): boolean {
  const areTexts = keys.every(({ name, bytes }) => (bytes[0] as number) >> 5 === TEXT && !/^\d/.test(name));
  const length = keys.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return areTexts && length <= KEY_BYTES_MAX && new Set(keys.map(({ name }) => name)).size === keys.length;
}
