/** Bounds that the schema and the rules after it share. The reasons are in docs/file-reference.md. */
export const bounds = {
  /** Slots: for a customer that is not cached, ranking takes a worker about 25 ns each (4,096: 0.1 ms). */
  hosts: 4096,
  /** `x-shard-assignment` lists every slot: 1,024 are 5 KB of header, and servers refuse more than 8 KB. */
  shardSize: 1024,
  /** How often a customer can be dealt anew: five digits, the most that the Envoy filter reads of a number. */
  deal: 99_999,
  /** UTF-8 bytes: what the Envoy filter takes as `x-customer-id`. */
  customerIdBytes: 256,
  runtimeKeyLength: 1024,
  runtimeStringLength: 16_384,
} as const;

// no control characters, and no space at either end (a header's value has none)
const customerId =
  '^[^\\s\\u0000-\\u001f\\u007f-\\u009f]([^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f])?$';
const octet = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const port = '([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
const address = `^(${octet}(\\.${octet}){3}|\\[[0-9a-f:]{2,39}\\]):${port}$`;
// words between dots, of anything but spaces, dots and control characters
const runtimeKey = '^[^\\s.\\u0000-\\u001f\\u007f-\\u009f]+(\\.[^\\s.\\u0000-\\u001f\\u007f-\\u009f]+)*$';

const size = { type: 'integer', minimum: 1, maximum: bounds.shardSize } as const;

const totalHosts = {
  title: 'Total hosts',
  description:
    'How many hosts (slots) customers are dealt over. May be left out where `hosts` is given, else they must agree.',
  type: 'integer',
  minimum: 1,
  maximum: bounds.hosts,
  examples: [8],
} as const;

const defaultShardSize = {
  title: 'Default shard size',
  description: 'How many hosts a customer gets that is not listed under `customer`. Not more than there are hosts.',
  ...size,
  examples: [2],
} as const;

const shardSize = {
  title: 'Shard size',
  description: 'How many hosts this customer gets. Not more than there are hosts.',
  ...size,
  examples: [3],
} as const;

const deal = {
  title: 'Deal',
  description:
    'Deals this customer other hosts: each number is another draw. `shardplane deal` finds the ones that are needed.',
  type: 'integer',
  minimum: 1,
  maximum: bounds.deal,
  examples: [1],
} as const;

const quarantine = {
  title: 'Quarantine',
  description:
    'Whether this customer gets hosts of the quarantine alone: the last `quarantine_hosts`, which nobody else gets.',
  type: 'boolean',
  examples: [true],
} as const;

const quarantineUntil = {
  title: 'Quarantine until',
  description:
    'When the quarantine should be over, as in `2026-12-24T18:00:00Z`. Then the daemon shows a problem; it ends by a commit alone.',
  type: 'string',
  pattern:
    '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$',
  examples: ['2026-12-24T18:00:00Z'],
} as const;

const quarantineHosts = {
  title: 'Quarantine hosts',
  description: 'How many hosts, the last ones, only customers with `quarantine: true` get. Fewer than there are hosts.',
  type: 'integer',
  minimum: 0,
  maximum: bounds.hosts - 1,
  examples: [1],
} as const;

const customer = {
  title: 'Customers',
  description: 'The customers that have something of their own, mostly a shard size, by their `x-customer-id`.',
  type: 'object',
  propertyNames: {
    description: `A customer id has 1 to ${bounds.customerIdBytes} bytes of UTF-8, no control characters, and no space at either end.`,
    type: 'string',
    maxLength: bounds.customerIdBytes,
    pattern: customerId,
  },
  additionalProperties: {
    title: 'A customer',
    description: 'One customer, for example `customer-A: {shard_size: 3}`.',
    type: 'object',
    properties: { shard_size: shardSize, deal, quarantine, quarantine_until: quarantineUntil },
    anyOf: [{ required: ['shard_size'] }, { required: ['deal'] }, { required: ['quarantine'] }],
    additionalProperties: false,
  },
  examples: [{ 'customer-A': { shard_size: 3 } }],
} as const;

const drain = {
  title: 'Drain',
  description: 'Whether this host gets nobody: the customers who have it get the next best one in its place.',
  type: 'boolean',
  examples: [true],
} as const;

const hosts = {
  title: 'Hosts',
  description:
    'The address of each slot, in order. Add new hosts at the end: a customer moves only where its slots do.',
  type: 'array',
  minItems: 1,
  maxItems: bounds.hosts,
  items: {
    title: 'A host',
    description:
      'An IP address and a port: `10.0.0.1:8080` or `[2001:db8::1]:8080`. Or `{address: 10.0.0.1:8080, drain: true}`.',
    type: ['string', 'object'],
    pattern: address,
    properties: {
      address: {
        title: 'Address',
        description: 'An IP address and a port: `10.0.0.1:8080` or `[2001:db8::1]:8080`.',
        type: 'string',
        pattern: address,
        examples: ['127.0.0.1:8001'],
      },
      drain,
    },
    required: ['address'],
    additionalProperties: false,
  },
  examples: [['127.0.0.1:8001', { address: '127.0.0.1:8002', drain: true }]],
} as const;

const runtime = {
  title: 'Other runtime keys',
  description: 'Any other Envoy runtime keys to push with the release.',
  type: 'object',
  propertyNames: {
    description: 'A runtime key is written flat: words with dots between them, without spaces.',
    type: 'string',
    maxLength: bounds.runtimeKeyLength,
    pattern: runtimeKey,
  },
  additionalProperties: {
    title: 'A runtime value',
    description:
      'A number (of at most 6 significant digits), a string or a boolean. Keys are flat: `my_feature.percent: 25`.',
    type: ['number', 'string', 'boolean'],
    maxLength: bounds.runtimeStringLength,
    // tabs and line ends are fine
    pattern: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$',
  },
  examples: [{ 'my_feature.percent': 25 }],
} as const;

/**
 * The JSON Schema of shard-config.yaml: the one that the daemon enforces. schemas/shard-config.schema.json, which
 * editors use, is this object; test/config/schema-file.test.ts compares them, and writes the file with UPDATE=1.
 */
export const shardConfigSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'shard-config.yaml',
  description: 'How an Envoy fleet shuffle-shards its customers. The path of a value is its Envoy runtime key.',
  type: 'object',
  properties: {
    shuffle_sharding: {
      title: 'Shuffle sharding',
      description: 'Which customers get how many of which hosts.',
      type: 'object',
      properties: {
        total_hosts: totalHosts,
        default_shard_size: defaultShardSize,
        quarantine_hosts: quarantineHosts,
        customer,
        hosts,
      },
      required: ['default_shard_size'],
      anyOf: [{ required: ['total_hosts'] }, { required: ['hosts'] }],
      additionalProperties: false,
    },
    runtime,
  },
  required: ['shuffle_sharding'],
  additionalProperties: false,
} as const;

/**
 * What the compiler needs even where a schema of the user's own replaces ours: the same `shuffle_sharding`, with room
 * for keys that the user's schema adds, and any `runtime` mapping.
 */
export const neededShape = {
  ...shardConfigSchema,
  properties: {
    shuffle_sharding: {
      ...shardConfigSchema.properties.shuffle_sharding,
      properties: {
        ...shardConfigSchema.properties.shuffle_sharding.properties,
        customer: {
          ...customer,
          additionalProperties: { ...customer.additionalProperties, additionalProperties: true },
        },
      },
      additionalProperties: true,
    },
    runtime: { type: 'object' },
  },
  additionalProperties: true,
} as const;
