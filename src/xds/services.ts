import type { Server } from '@grpc/grpc-js';
import type { OnFailure } from './answer.ts';
import { csdsHandlers, type ServedFleet } from './csds.ts';
import { Health } from './health.ts';
import { LRS } from './load/load-reports.ts';
import { service, services, serviceWith } from './protos.ts';
import { addReflection } from './reflection.ts';

const CSDS = 'envoy.service.status.v3.ClientStatusDiscoveryService';
const HEALTH = 'grpc.health.v1.Health';

/** Adds the services for operators: grpc.health.v1, server reflection (v1 and v1alpha) and CSDS. */
export function addOperatorServices(server: Server, fleet: ServedFleet, onFailure: OnFailure): Health {
  const names = Object.keys(services).filter((name) => !('format' in (services[name] ?? {})));
  const health = new Health(names);
  const csds = serviceWith(CSDS, () => ({ responseSerialize: (encoded: Buffer) => encoded }));
  server.addService(csds, { ...csdsHandlers(fleet, onFailure) });
  server.addService(service(HEALTH), { ...health.handlers() });
  addReflection(server, services, onFailure);
  return health;
}

/** How a method's streams are counted (gate.ts). */
export function kindOf(path: string): 'xds' | 'load' | 'check' | 'operator' {
  if (path.includes('DiscoveryService/') && !path.startsWith(`/${CSDS}/`)) return 'xds';
  if (path.startsWith(`/${LRS}/`)) return 'load';
  return path === `/${HEALTH}/Check` || path === `/${HEALTH}/List` ? 'check' : 'operator';
}
