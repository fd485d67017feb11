/** What went over the streams of a connection so far: counts that only grow, for whoever looks now and then. */
export interface Traffic {
  /** Frames of control links, which the other side reads as they come; those of others it may leave where they are. */
  controlSent: number;
  /** Times that something has come in, of any link. */
  received: number;
}

export function createTraffic(): Traffic {
  return { controlSent: 0, received: 0 };
}
