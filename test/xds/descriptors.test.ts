import assert from 'node:assert/strict';
import { it } from 'node:test';
import descriptor, { type IDescriptorProto, type IFileDescriptorProto } from 'protobufjs/ext/descriptor/index.js';
import { toReflection } from '../../src/xds/descriptors.ts';
import { services } from '../../src/xds/protos.ts';

it('descriptors for reflection are complete: grpcurl resolves each name in the file itself or in one that it imports', () => {
  const files = new Map(decodeAll().map((file) => [file.name ?? '', file]));
  assert.ok(files.size > 5);
  for (const file of files.values()) {
    const imported = (file.dependency as string[]).map((name) => files.get(name));
    assert.ok(!imported.includes(undefined), `${file.name} imports a file that is not there`);
    const known = new Set([file, ...imported].flatMap((one) => declared(one!)));
    for (const used of usedTypes(file)) assert.ok(known.has(used), `${file.name} uses ${used}`);
  }
});

it('a map field has the entry that its name asks for', () => {
  const file = decodeAll().find(({ package: name }) => name === 'envoy.service.discovery.v3');
  const request = file?.messageType?.find(({ name }) => name === 'DeltaDiscoveryRequest');
  const field = request?.field?.find(({ name }) => name === 'initial_resource_versions');
  assert.deepEqual(
    request?.nestedType?.map(({ name }) => name),
    ['InitialResourceVersionsEntry'],
  );
  assert.equal(field?.typeName, '.envoy.service.discovery.v3.DeltaDiscoveryRequest.InitialResourceVersionsEntry');
});

function decodeAll(): IFileDescriptorProto[] {
  const one = toReflection(services)['envoy.service.runtime.v3.Runtime'] as { fileDescriptorProtos: Buffer[] };
  return one.fileDescriptorProtos.map((bytes) => descriptor.FileDescriptorProto.decode(bytes) as IFileDescriptorProto);
}

function declared(file: IFileDescriptorProto): string[] {
  const walk = (scope: string, message: IDescriptorProto): string[] => {
    const name = `${scope}.${message.name}`;
    const enums = (message.enumType ?? []).map((one) => `${name}.${one.name}`);
    return [name, ...enums, ...(message.nestedType ?? []).flatMap((nested) => walk(name, nested))];
  };
  const scope = `.${file.package}`;
  return [
    ...(file.enumType ?? []).map((one) => `${scope}.${one.name}`),
    ...(file.messageType ?? []).flatMap((message) => walk(scope, message)),
  ];
}

function usedTypes(file: IFileDescriptorProto): string[] {
  const walk = (message: IDescriptorProto): string[] => [
    ...(message.field ?? []).flatMap(({ typeName }) => (typeName ? [typeName] : [])),
    ...(message.nestedType ?? []).flatMap(walk),
  ];
  const methods = (file.service ?? []).flatMap(({ method }) => method ?? []);
  return [
    ...(file.messageType ?? []).flatMap(walk),
    ...methods.flatMap(({ inputType, outputType }) => [inputType!, outputType!]),
  ];
}
