import { ReflectionService } from '@grpc/reflection';
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { csdsHandlers, type Fleet } from './csds.ts';
import { toReflection } from './descriptors.ts';
import { service, services } from './protos.ts';

const CSDS = 'envoy.service.status.v3.ClientStatusDiscoveryService';

/** Health of the whole server and of each service, by its full name. */
export interface Health {
  readonly set: (serving: boolean) => void;
}

/** Adds what operators ask, beside xDS: grpc.health.v1, server reflection (v1 and v1alpha) and CSDS. */
export function addOperatorServices(server: Server, fleet: Fleet): Health {
  server.addService(service(CSDS), { ...csdsHandlers(fleet) });
  new ReflectionService(toReflection(services)).addToServer(server);
  const health = new HealthImplementation();
  health.addToServer(server);
  const names = ['', ...Object.keys(services).filter((name) => !('format' in (services[name] ?? {})))];
  return {
    set: (serving) => {
      for (const name of names) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
  };
}
