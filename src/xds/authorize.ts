import type { GrpcCall } from './client-of.ts';
import { matchesSan } from './san.ts';

/** Why the client's certificate doesn't allow it to be this node; null if it does, or without a rule (`xds.tls.san`). */
export function authorizeBySan(
  rule: string | null,
  call: Pick<GrpcCall, 'getAuthContext'>,
  nodeId: string,
): string | null {
  if (rule === null) return null;
  const names = call.getAuthContext().sslPeerCertificate?.subjectaltname;
  return matchesSan(rule, nodeId, names)
    ? null
    : `no SAN of the client's certificate matches xds.tls.san for node.id ${nodeId}`;
}
