import type { PackageDefinition } from '@grpc/proto-loader';
import descriptor, {
  type IDescriptorProto,
  type IFieldDescriptorProto,
  type IFileDescriptorProto,
} from 'protobufjs/ext/descriptor/index.js';

/**
 * A package definition for server reflection. The descriptors of proto-loader have relative type names, no imports, and wrong names
 * for map entries, so that grpcurl can't read them (https://github.com/grpc/grpc-node/issues/3034). Here names are absolute, imports are
 * complete, and entries are named as in https://protobuf.dev/programming-guides/proto3/#maps-features.
 */
export function toReflection(services: PackageDefinition): PackageDefinition {
  const files = readFiles(services);
  const fileOf = new Map<string, string>();
  for (const file of files)
    for (const name of typeNames(file.messageType, file.enumType, `.${file.package ?? ''}`))
      fileOf.set(name, file.name ?? '');
  for (const file of files) repairFile(file, fileOf);
  const fileDescriptorProtos = files.map((file) => Buffer.from(descriptor.FileDescriptorProto.encode(file).finish()));
  return Object.fromEntries(
    Object.entries(services).map(([name, value]) => [name, { ...value, fileDescriptorProtos }]),
  ) as PackageDefinition;
}

function readFiles(services: PackageDefinition): IFileDescriptorProto[] {
  const files = new Map<string, IFileDescriptorProto>();
  for (const value of Object.values(services)) {
    if (!('fileDescriptorProtos' in value) || !Array.isArray(value.fileDescriptorProtos)) continue;
    for (const bytes of value.fileDescriptorProtos) {
      const file = descriptor.FileDescriptorProto.decode(bytes) as IFileDescriptorProto;
      files.set(file.name ?? '', file);
    }
  }
  return [...files.values()];
}

function typeNames(messages: IDescriptorProto[] = [], enums: { name?: string }[] = [], scope: string): string[] {
  return [
    ...enums.map(({ name }) => `${scope}.${name ?? ''}`),
    ...messages.flatMap(({ name, nestedType, enumType }) => {
      const full = `${scope}.${name ?? ''}`;
      return [full, ...typeNames(nestedType, enumType, full)];
    }),
  ];
}

function repairFile(file: IFileDescriptorProto, fileOf: ReadonlyMap<string, string>): void {
  const needed = new Set<string>();
  const use = (name: string): void => void needed.add(fileOf.get(name) ?? '');
  const resolve = (name: string, scope: string): string => {
    for (let at = scope; ; at = at.slice(0, at.lastIndexOf('.'))) {
      const full = name.startsWith('.') ? name : `${at}.${name}`;
      if (fileOf.has(full) || at === '') {
        use(full);
        return full;
      }
    }
  };
  for (const message of file.messageType ?? []) repairMessage(message, `.${file.package ?? ''}`, resolve);
  for (const service of file.service ?? [])
    for (const { inputType, outputType } of service.method ?? [])
      [inputType, outputType].forEach((type) => use(type ?? ''));
  needed.delete(file.name ?? '');
  needed.delete('');
  file.dependency = [...needed];
}

type Resolve = (name: string, scope: string) => string;

function repairMessage(message: IDescriptorProto, scope: string, resolve: Resolve): void {
  const full = `${scope}.${message.name ?? ''}`;
  for (const field of message.field ?? []) {
    if (!field.typeName) continue;
    field.typeName = resolve(field.typeName, full);
    renameEntry(message, field);
  }
  for (const nested of message.nestedType ?? []) repairMessage(nested, full, resolve);
}

/** A map field's entry type is named after the field: `resource_versions` has `ResourceVersionsEntry`. */
function renameEntry(message: IDescriptorProto, field: IFieldDescriptorProto): void {
  const entry = message.nestedType?.find(
    ({ name, options }) => options?.mapEntry && field.typeName?.endsWith(`.${name ?? ''}`),
  );
  if (!entry) return;
  const name = `${(field.name ?? '').replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Entry`;
  field.typeName = (field.typeName ?? '').replace(/[^.]+$/, name);
  entry.name = name;
}
