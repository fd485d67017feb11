/** Virtual time: things to do, in the order of their times, and of their making where these are equal. */
export interface Schedule {
  readonly now: number;
  after(delay: number, act: () => void): void;
  /** Does all that is due up to a time. */
  runUntil(time: number): void;
}

/** A run takes some ten thousand events; a storm of messages takes any number, and is a failure. */
const eventsMax = 2_000_000;

interface Event {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

export function createSchedule(): Schedule {
  const heap: Event[] = [];
  let now = 0;
  let order = 0;
  const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
  const push = (event: Event): void => {
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = event;
  };
  const pop = (): Event => {
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return top;
  };
  return {
    get now() {
      return now;
    },
    after: (delay, act) => push({ at: now + delay, order: order++, act }),
    runUntil(time) {
      while (heap.length > 0 && heap[0]!.at <= time) {
        if (order > eventsMax) throw new Error('a storm: more happens than can be');
        const event = pop();
        now = event.at;
        event.act();
      }
      now = time;
    },
  };
}
