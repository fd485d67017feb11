/** Codes that bonds are refused and their links closed with, besides those of the transport. */
export const GroupCode = {
  /** What arrived is no message of a bond, or not one that may come now. */
  Malformed: 30400,
  /** This node's `acceptIf` does not take the peer. */
  NotAllowed: 30403,
  /** This node is no member of the group, or not any more. */
  GroupNotFound: 30404,
  /** The proof of the group key is wrong: of another key, another group, another connection, or the other role. */
  WrongProof: 30405,
  /** The handshake took too long, or the peer fell silent. */
  Timeout: 30408,
  /** There is a bond between the two nodes already, over another link. */
  AlreadyBonded: 30409,
  /** Too many bonds, handshakes, or refused attempts. */
  TooMany: 30429,
} as const;
