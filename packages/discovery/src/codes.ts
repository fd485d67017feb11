/** Codes that the links of discovery close with, besides those of the transport. */
export const DiscoveryCode = {
  /** A sync peer sent, asked for, or reported on what nobody asked it about. */
  Unasked: 20403,
  /** A sync peer listed an entry and then did not deliver it. */
  NotDelivered: 20404,
  /** A sync peer took too long over a step, or over the session. */
  StepTimeout: 20408,
  /** A sync peer sent more entries than a session takes. */
  TooManyEntries: 20413,
  /** A sync took more rounds than any two catalogs need. */
  NotConverging: 20429,
} as const;
