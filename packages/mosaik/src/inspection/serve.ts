import { createLog, encodeCbor } from '@mosaik/primitives';
import { CloseCode, LinkEndedError, type Transport } from '@mosaik/transport';
import { type Inspected, inspectNode } from './inspect.ts';
import { inspectionProtocol } from './protocol.ts';

const log = createLog('inspection');

/** Tells whoever asks how this node stands, until disposed. A peer may ask ten times a second, on average. */
export function serveInspection(transport: Transport, inspected: Inspected): Disposable {
  return transport.accept(
    inspectionProtocol,
    async (link) => {
      try {
        await link.send(encodeCbor(inspectNode(inspected)));
        await link.close(CloseCode.Done);
      } catch (thrown) {
        if (!(thrown instanceof LinkEndedError)) throw thrown;
        log('%s went before it was told: %s', link.peer, thrown.message);
      }
    },
    { maxLinks: 4, maxOpensPerSecond: 10 },
  );
}
