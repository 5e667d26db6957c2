import type { Json } from '../../src/config/config.ts';
import { viewFields, type Fields } from './layers.ts';

/** An integer from 0 to below `n`. */
export type Random = (n: number) => number;

/** The same numbers for the same seed (mulberry32, public domain). */
export function makeRandom(seed: number): Random {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)]!;

const names = [
  ...['total_hosts', 'default_shard_size', 'hosts', 'drain', 'version', 'sizes', 'cutover', 'first'],
  ...['deals', 'quarantined', 'quarantine_hosts'],
];
const ends = ['shard_size', 'shard_size', 'deal', 'quarantine'];
const ids = ['a', 'b-1', 'customer-A', 'other', 'q7', 'zz.top'];

/** A layer that an Envoy accepts: a good one, in which some keys are missing, hostile, or somebody else's. */
export function randomLayer(random: Random): Fields {
  const layer: Record<string, Json> = { ...randomView(random, '') };
  if (random(2) === 0) Object.assign(layer, randomView(random, 'next.'));
  for (let i = random(3); i > 0; i--) layer[randomKey(random)] = hostile(random);
  if (random(6) === 0) for (const key of Object.keys(layer)) if (random(3) === 0) Reflect.deleteProperty(layer, key);
  return layer;
}

function randomKey(random: Random): string {
  const view = pick(random, ['', '', 'next.']);
  const customer = `customer.${pick(random, ['a', 'q7', '', '"', 'x.shard_size', ']]--'])}.${pick(random, ends)}`;
  return `shuffle_sharding.${view}${pick(random, [...names, ...names, customer, 'unknown', '.', 'customer.'])}`;
}

function randomView(random: Random, view: '' | 'next.'): Fields {
  const total = 1 + random(40);
  const slots = Array.from({ length: total }, (_, slot) => (random(12) === 0 ? '' : `10.0.0.${slot}:80`));
  const drained = Array.from({ length: random(4) }, () => random(45));
  const sizes = ids.filter(() => random(2) === 0).map((id) => `${id}=${1 + random(9)}`);
  return viewFields(
    {
      total_hosts: random(8) === 0 ? String(total) : total,
      default_shard_size: 1 + random(6),
      version: `v${random(1e9)}`,
      ...(random(7) > 0 && { hosts: slots.join() }),
      ...(random(2) === 0 && { drain: drained.length > 0 ? `,${drained.join()},` : ',' }),
      ...(random(2) === 0 && { sizes: sizes.length > 0 ? `,${sizes.join()},` : ',' }),
      ...(random(3) === 0 && { [`customer.${pick(random, ids)}.shard_size`]: 1 + random(9) }),
      ...(random(3) === 0 && {
        deals: `,${ids
          .filter(() => random(2) === 0)
          .map((id) => `${id}=${1 + random(3)},`)
          .join('')}`,
      }),
      ...(random(4) === 0 && { [`customer.${pick(random, ids)}.deal`]: 1 + random(9) }),
      ...(random(3) === 0 && { quarantine_hosts: random(5) }),
      ...(random(3) === 0 && {
        quarantined: `,${ids
          .filter(() => random(3) === 0)
          .map((id) => `${id}=${random(2)},`)
          .join('')}`,
      }),
      ...(random(4) === 0 && { [`customer.${pick(random, ids)}.quarantine`]: random(3) > 0 }),
      ...(view === 'next.' && { cutover: random(10_001), first: pick(random, [',a,', ',q7,zz.top,', ',', '']) }),
    },
    view,
  );
}

function hostile(random: Random): Json {
  const numbers = [
    0,
    -1,
    0.5,
    1e9,
    1e300,
    -1e300,
    NaN,
    Infinity,
    -Infinity,
    4097,
    1025,
    2 ** 53,
    1e-300,
    -0,
    3,
    10_001,
  ];
  const texts = [
    '',
    ' ',
    ',',
    ',,',
    'NaN',
    'nan',
    'inf',
    '-0',
    '0x10',
    '1e3',
    '08',
    ' 8',
    '8 ',
    '99999',
    'true',
    '%',
    '\\',
    '"',
  ];
  const lua = [
    '%s%d%n',
    ']]',
    '--[[',
    '\u0000',
    'a\u0000b',
    '\r\n',
    '\u{10ffff}',
    '\\u0022',
    '{"entries": {',
    '}',
    '[^,]*',
    '%f[',
  ];
  const lists = [
    ',1,2',
    '1,2,',
    ',-1,',
    ',1.5,',
    ',0,1,2,3,4,5,',
    ',a=1,',
    ',a=,',
    ',=1,',
    ',a=1,a=2,',
    ',b-1=2,a=1,',
    'a:1',
    'a:1,,c:3',
  ];
  switch (random(6)) {
    case 0:
      return pick(random, numbers);
    case 1:
      return random(2) === 0;
    case 2:
      return pick(random, texts);
    case 3:
      return pick(random, lua);
    case 4:
      return pick(random, lists);
    default:
      return huge(random);
  }
}

/** Long ones: what takes time squared in their length would be seen. */
function huge(random: Random): string {
  const unit = pick(random, [' ', ',', '1', 'a:1,', ',0', ':1', '%', '\\', '"', 'é', '=', ',a=1', '\t']);
  return unit.repeat(1 + random(random(10) === 0 ? 60_000 : 600));
}
