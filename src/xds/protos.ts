import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromJSON, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import type { ServiceDefinition as GrpcService } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** Next to src/ in a checkout and to dist/ in the package: two levels up from here in both. */
const directory = fileURLToPath(new URL('../../protos/', import.meta.url));

const files = [
  'envoy/service/discovery/v3/ads.proto',
  'envoy/service/load_stats/v3/lrs.proto',
  'envoy/service/runtime/v3/rtds.proto',
  'envoy/service/status/v3/csds.proto',
  'grpc/health/v1/health.proto',
];

/** All message types of the xDS port. */
export const root: protobuf.Root = loadRoot();

/** The services, for the gRPC server, and their descriptors, for reflection. */
export const services: PackageDefinition = fromJSON(root.toJSON({ keepComments: false }), {
  longs: Number,
  enums: String,
  defaults: false,
  oneofs: true,
});

/** One service by its full name; throws when the .proto files do not define it. */
export function service(name: string): ServiceDefinition {
  const found = services[name];
  if (found === undefined || 'format' in found) throw new Error(`the service ${name} is not in ${directory}`);
  return found;
}

/** The service, with other ways to decode requests and to encode responses. */
export function serviceWith(name: string, coding: (method: string) => Partial<Coding>): GrpcService {
  return Object.fromEntries(
    Object.entries(service(name)).map(([method, definition]) => [method, { ...definition, ...coding(method) }]),
  );
}

type Coding = Pick<GrpcService[string], 'requestDeserialize' | 'responseSerialize'>;

function loadRoot(): protobuf.Root {
  const loaded = new protobuf.Root();
  loaded.resolvePath = (_origin, target) => {
    if (protobuf.common.get(target) !== null || existsSync(target)) return target; // protobufjs has google/protobuf/*
    return directory + target;
  };
  loaded.loadSync(files, { keepCase: true });
  loaded.resolveAll();
  return loaded;
}
