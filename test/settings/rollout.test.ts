import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Plan, RolloutPolicy } from '../../src/rollout/plan.ts';
import { builtinStrategies } from '../../src/rollout/strategies.ts';
import { loadSettings } from '../../src/settings/load.ts';
import { SettingsError } from '../../src/settings/settings-error.ts';
import { drawDiagnostic } from '../../src/terminal.ts';

function load(text: string): RolloutPolicy {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  try {
    writeFileSync(join(folder, 'f.yaml'), text);
    return loadSettings(join(folder, 'f.yaml')).rollout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `line:column message | hint` of each fault. */
function faultsOf(text: string): string[] {
  try {
    load(text);
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    const found = error.faults?.diagnostics ?? [];
    return found.map(({ line, column, message, hint }) => `${line}:${column} ${message} | ${hint ?? ''}`);
  }
}

const minute = 60_000;
const everyone = { nodes: { type: 'everyone' }, customers: null, bakeMs: 0, isManual: false };

test('without settings: all at once, the built-in strategies, the check of load reports', () => {
  const { strategies, ...rest } = load('');
  assert.deepEqual(rest, {
    strategy: 'all-at-once',
    rules: [],
    checks: { errors: { ratio: 1.5, points: 0.5, requests: 100 }, prometheus: [] },
    freeze: [],
  });
  assert.deepEqual(
    [...strategies],
    builtinStrategies.map((plan) => [plan.strategy, plan]),
  );
});

const whole = `rollout:
  strategy: by-region
  strategies:
    careful:
      - {nodes: 1, bake: 2m}
      - {nodes: 10%, bake: 5m}
      - {nodes: 50%, bake: 5m}
      - {bake: 10m}
    customers:
      - {nodes: 1, bake: 2m}
      - {customers: [acme-test], bake: 2m}
      - {customers: 10%, bake: 5m}
      - {customers: 50%, bake: 5m}
      - {bake: 10m}
    by-region:
      - {nodes: {locality: eu-west/*, cluster: edge-*, metadata: {tier.name: canary}}, bake: 10m}
      - {promote: manual}
    short:
      - {nodes: 0.5%}
  rules:
    - {when: {moved: 20%}, strategy: careful}
  checks: {errors: {ratio: 2}, prometheus: [{name: p99, url: http://localhost:9090/prom, query: 'a{version="{{version}}",node=~"{{nodes}}"}', max: 0.5}]}
  freeze: [{from: 2026-12-24T00:00, to: 2026-12-27T00:00, zone: Europe/Berlin, reason: holidays}, {cron: '0 16 * * 5', for: 64h, zone: UTC, reason: weekend}]
`;

test('the whole of it', () => {
  const { strategies, ...rest } = load(whole);
  assert.deepEqual(rest, {
    strategy: 'by-region',
    rules: [{ moved: 0.2, strategy: 'careful' }],
    checks: {
      errors: { ratio: 2, points: 0.5, requests: 100 },
      prometheus: [
        {
          name: 'p99',
          url: 'http://localhost:9090/prom',
          query: 'a{version="{{version}}",node=~"{{nodes}}"}',
          max: 0.5,
          min: null,
          everyMs: 5000,
          timeoutMs: 3000,
        },
      ],
    },
    freeze: [
      { type: 'once', from: '2026-12-24T00:00', to: '2026-12-27T00:00', zone: 'Europe/Berlin', reason: 'holidays' },
      { type: 'cron', cron: '0 16 * * 5', forMs: 64 * 60 * minute, zone: 'UTC', reason: 'weekend' },
    ],
  });
  for (const plan of builtinStrategies) assert.deepEqual(strategies.get(plan.strategy), plan, plan.strategy);
  assert.deepEqual(strategies.get('by-region')?.waves, [
    {
      ...everyone,
      nodes: {
        type: 'matching',
        globs: { locality: 'eu-west/*', cluster: 'edge-*', metadata: { 'tier.name': 'canary' } },
      },
      bakeMs: 10 * minute,
    },
    { ...everyone, isManual: true },
  ]);
});

const strategy = (waves: string): string => `rollout: {strategies: {s: ${waves}}}\n`;
const wavesOf = (text: string): Plan['waves'] => load(strategy(text)).strategies.get('s')!.waves;

test('a strategy ends with everyone, whether it says so or not', () => {
  assert.deepEqual(wavesOf('[{nodes: 0.5%}]'), [{ ...everyone, nodes: { type: 'share', share: 0.005 } }, everyone]);
  assert.deepEqual(wavesOf('[{customers: [a, "1"], promote: manual}]'), [
    { ...everyone, customers: { type: 'named', ids: ['a', '1'] }, isManual: true },
    everyone,
  ]);
  assert.deepEqual(wavesOf('[{bake: 1m}]'), [{ ...everyone, bakeMs: minute }]);
  assert.deepEqual(wavesOf('[{}]'), [everyone]);
});

test('100 % is everyone', () => {
  assert.deepEqual(wavesOf('[{nodes: 1}, {nodes: 100%}]'), [
    { ...everyone, nodes: { type: 'count', count: 1 } },
    everyone,
  ]);
  assert.deepEqual(wavesOf('[{customers: 50%}, {customers: 100.00%}]').at(-1), everyone);
});

test('what is allowed, as it stands beside what is not', () => {
  for (const waves of [
    '[{nodes: 5}, {nodes: 1%}, {nodes: 6}, {nodes: 2%}]',
    '[{nodes: {id: a}}, {nodes: {id: b}}, {nodes: 1}]',
    '[{customers: 10%}, {customers: [a]}, {customers: [a, b]}, {customers: 11%}]',
    `[${Array.from({ length: 20 }, (_, i) => `{nodes: ${i + 1}}`).join(', ')}]`,
  ])
    assert.deepEqual(faultsOf(strategy(waves)), [], waves);
  assert.equal(load('rollout: {checks: {errors: off}}\n').checks.errors, null);
  assert.equal(load('rollout: {rules: [{when: {moved: 0%}, strategy: careful}]}\n').rules[0]?.moved, 0);
  assert.deepEqual(faultsOf(check(good.replace('query: q', 'query: "{{ version }} {{nodes}}"'))), []);
  const own = load('rollout: {strategies: {careful: [{promote: manual}]}}\n').strategies.get('careful');
  assert.deepEqual(own?.waves, [{ ...everyone, isManual: true }], 'careful may be defined anew');
});

const check = (fields: string): string => `rollout: {checks: {prometheus: [{${fields}}]}}\n`;
const good = 'name: a, url: "http://p", query: q, max: 1';
const freeze = (fields: string): string => `rollout: {freeze: [{${fields}, reason: x}]}\n`;

const faults: readonly [text: string, ...found: RegExp[]][] = [
  // names
  [
    'rollout: {strategy: carefull}\n',
    /^1:21 rollout\.strategy: there is no strategy "carefull" \| did you mean "careful"\?$/,
  ],
  ['rollout: {strategy: zzz}\n', /^1:21 .*"zzz" \| there are: all-at-once, careful, customers$/],
  ['rollout: {strategies: {by-region: [{}]}, strategy: by-regoin}\n', /\| did you mean "by-region"\?$/],
  [
    'rollout:\n  rules:\n    - {when: {moved: 1%}, strategy: al-at-once}\n',
    /^3:37 rollout\.rules\.0\.strategy: there is no strategy "al-at-once" \| did you mean "all-at-once"\?$/,
  ],
  [
    'rollout: {strategies: {all-at-once: [{}]}}\n',
    /^1:24 rollout\.strategies: all-at-once is built in, .* \| give yours another name/,
  ],
  ['rollout: {strategies: {a b: [{}]}}\n', /^1:24 the key "a b" is not of the required form \| A strategy's name/],
  ['rollout: {strategies: {__proto__: [{}]}}\n', /^1:24 the key "__proto__" is not of the required form/],
  ['rollout: {stratgies: {}}\n', /^1:11 rollout has no key "stratgies" \| did you mean "strategies"\?$/],
  // waves
  [strategy('[]'), /^1:27 rollout\.strategies\.s must have at least 1 item, not 0/],
  [
    strategy('{nodes: 1}'),
    /^1:27 rollout\.strategies\.s must be a list, not a mapping \| A strategy is a list of waves/,
  ],
  [strategy('[{node: 1}]'), /^1:29 .* has no key "node" \| did you mean "nodes"\?$/],
  [strategy('[{nodes: 1, customers: 10%}]'), /^1:28 wave 1 of s has both nodes and customers \| make it two waves/],
  [strategy('[{nodes: 0}]'), /^1:36 .*nodes must be from 1 to 1000000, not 0/],
  [strategy('[{nodes: 0%}]'), /^1:36 wave 1 of s: 0% is nobody \| from 0\.01% to 100%$/],
  [strategy('[{nodes: 101%}]'), /^1:36 wave 1 of s: 101% is more than there are/],
  [strategy('[{nodes: 100.01%}]'), /100\.01% is more than there are/],
  [strategy('[{nodes: 10 %}]'), /^1:36 .*nodes is not of the required form: "10 %" \| So many nodes/],
  [strategy('[{nodes: 0.001%}]'), /is not of the required form/],
  [strategy('[{nodes: 1.5}]'), /nodes must be an integer, a string or a mapping, not 1\.5/],
  [strategy('[{nodes: {}}]'), /^1:36 wave 1 of s: nodes says nothing of which \| id, cluster, locality or metadata/],
  [strategy('[{nodes: {metadata: {}}}]'), /nodes says nothing of which/],
  [strategy('[{nodes: {zone: a}}]'), /nodes has no key "zone" \| known here: id, cluster, locality, metadata$/],
  [strategy('[{customers: 0.00%}]'), /^1:40 wave 1 of s: 0\.00% is nobody/],
  [strategy('[{customers: []}]'), /must have at least 1 item, not 0/],
  [strategy('[{customers: [1]}]'), /must be a string, not 1 \| A customer's id; put it in quotes/],
  [strategy(`[{customers: [${'a, '.repeat(1001)}]}]`), /must have at most 1,000 items, not 1001/],
  [strategy('[{bake: 5}]'), /bake must be a string, not 5 \| A number and a unit: 500ms, 30s, 5m/],
  [strategy('[{bake: 25d}]'), /^1:35 wave 1 of s: 25d is too long \| bake is up to 24d$/],
  [strategy('[{promote: manually}]'), /promote must be "auto" or "manual", not "manually"/],
  [strategy(`[${'{}, '.repeat(21)}]`), /must have at most 20 items, not 21/],
  [
    `rollout: {strategies: {${Array.from({ length: 51 }, (_, i) => `s${i}: [{}]`).join(', ')}}}\n`,
    /^1:23 rollout\.strategies must have at most 50 keys, not 51/,
  ],
  // their order
  [
    strategy('[{nodes: 2}, {nodes: 2}]'),
    /^1:48 wave 2 of s adds nobody to the waves before it \| numbers and shares must grow/,
  ],
  [strategy('[{nodes: 50%}, {nodes: {id: a}}, {nodes: 10%}]'), /^1:68 wave 3 of s adds nobody/],
  [strategy('[{nodes: {id: a, cluster: b}}, {nodes: {cluster: b, id: a}}]'), /wave 2 of s adds nobody/],
  [strategy('[{customers: 50%}, {customers: 50%}]'), /wave 2 of s adds nobody/],
  [strategy('[{customers: [a]}, {customers: [b]}, {customers: [b, a]}]'), /wave 3 of s adds nobody/],
  [
    strategy('[{bake: 1m}, {bake: 2m}]'),
    /^1:40 wave 2 of s adds nobody: a wave before it is for everyone \| leave it out$/,
  ],
  [strategy('[{nodes: 100%}, {}]'), /wave 2 of s adds nobody: a wave before it is for everyone/],
  [strategy('[{}, {customers: 1%}]'), /wave 2 of s adds nobody: a wave before it is for everyone/],
  [
    strategy('[{customers: 1%}, {nodes: 1}]'),
    /^1:53 wave 2 of s is of nodes, after one of customers \| put waves of nodes first$/,
  ],
  // rules
  [
    'rollout: {rules: [{when: {}, strategy: careful}]}\n',
    /rules\.0\.when lacks the key "moved" \| More than this part/,
  ],
  [
    'rollout: {rules: [{when: {moved: 0.2}, strategy: careful}]}\n',
    /must be a string, not 0\.2 \| A percentage with up to two decimals, as in 10% or 0\.5%\.$/,
  ],
  ['rollout: {rules: [{when: {moved: 100%}, strategy: careful}]}\n', /^1:34 rule 1: more than 100% can't change hosts/],
  [
    'rollout: {rules: [{when: {moved: 20%}, strategy: careful}, {when: {moved: 50%}, strategy: customers}]}\n',
    /^1:75 rule 2 never counts: what moves more than 50% moves more than 20%/,
  ],
  [
    'plan: {limits: {moved: 100%}}\n',
    /^1:24 plan\.limits\.moved: more than 100% can't change hosts \| from 0% to below 100%; null for no limit$/,
  ],
  // checks
  ['rollout: {checks: {errors: on}}\n', /^1:28 on is a string in YAML 1\.2/],
  [
    'rollout: {checks: {errors: "on"}}\n',
    /^1:28 rollout\.checks\.errors is not of the required form: "on" \| Envoy's load reports.*or off\.$/,
  ],
  ['rollout: {checks: {errors: {ratio: 0.5}}}\n', /ratio must be from 1 to 1000, not 0\.5/],
  [
    'rollout: {checks: {errors: {points: 101, requests: 0}}}\n',
    /points must be from 0 to 100, not 101/,
    /requests must be from 1 to/,
  ],
  [check('name: a, url: "http://p", query: q'), /^1:33 rollout\.checks\.prometheus\.0 has neither max nor min/],
  [check(`${good}, min: 2`), /^1:\d+ rollout\.checks\.prometheus\.0\.min: 2 is more than max, 1 \|/],
  [
    check(good.replace('http://p', 'prometheus:9090')),
    /^1:48 .*url is no http:\/\/ or https:\/\/ URL \| as in http:\/\/prometheus:9090$/,
  ],
  [check(good.replace('http://p', 'prometheus')), /url is no URL \| as in/],
  [check(good.replace('http://p', 'http://p?token=1')), /url has a part from \? or # on \| the base URL alone/],
  [check(good.replace('name: a', 'name: A b')), /name is not of the required form: "A b" \| A label of metrics/],
  [
    check(good.replace('name: a', 'name: errors')),
    /^1:40 .*errors is the check of load reports \| choose another name$/,
  ],
  [`rollout: {checks: {prometheus: [{${good}}, {${good}}]}}\n`, /prometheus\.1\.name: "a" is given twice/],
  [
    check(good.replace('query: q', 'query: "x{{versoin}} {{nodes}}"')),
    /^1:67 .*query: nothing is known as "\{\{versoin\}\}" \| did you mean \{\{version\}\}\?$/,
  ],
  [check(good.replace('query: q', 'query: "{{ verison }}"')), /"\{\{ verison \}\}" \| did you mean \{\{version\}\}\?$/],
  [
    check(good.replace('query: q', 'query: "{{other}}"')),
    /"\{\{other\}\}" \| there are \{\{version\}\} and \{\{nodes\}\}$/,
  ],
  [check(`${good}, every: 100ms`), /every: 100ms is too short or too long \| from 1s to 1h/],
  [check(`${good}, timeout: 2m`), /timeout: 2m is too short or too long \| from 100ms to 1m/],
  [check(`${good}, every: 2s`), /timeout: 3s is longer than every, 2s/],
  [`rollout: {checks: {prometheus: [${`{${good}}, `.repeat(21)}]}}\n`, /must have at most 20 items, not 21/],
  // freeze
  [
    freeze('from: 2026-12-24T00:00, to: 2026-12-27T00:00, zone: Europe/Berln'),
    /^1:73 rollout\.freeze\.0\.zone: there is no time zone "Europe\/Berln" \| did you mean "Europe\/Berlin"\?$/,
  ],
  [
    freeze('from: 2026-12-24T00:00, to: 2026-12-27T00:00, zone: "+01:00"'),
    /no time zone "\+01:00" \| a name of the IANA list/,
  ],
  [
    'rollout: {freeze: [{from: 2026-12-24T00:00, to: 2026-12-27T00:00, reason: x}]}\n',
    /^1:20 rollout\.freeze\.0 lacks the key "zone" \| The time zone of these times/,
  ],
  [
    freeze('from: 2026-02-30T00:00, to: 2026-12-27T00:00, zone: UTC'),
    /^1:27 .*from: "2026-02-30T00:00" is no local date and time \| as in 2026-12-24T00:00/,
  ],
  [
    freeze('from: 2026-12-24, to: 2026-12-27T00:00Z, zone: UTC'),
    /from: "2026-12-24" is no/,
    /to: "2026-12-27T00:00Z" is no/,
  ],
  [
    freeze('from: 2026-12-24T00:00, to: 2026-12-24T00:00, zone: UTC'),
    /^1:49 rollout\.freeze\.0\.to: 2026-12-24T00:00 is not after from, 2026-12-24T00:00/,
  ],
  // there, both are the moment when the clock goes forward
  [freeze('from: 2026-03-29T02:00, to: 2026-03-29T03:00, zone: Europe/Berlin'), /is not after from/],
  [
    freeze('from: 2026-12-24T00:00, for: 2h, zone: UTC'),
    /^1:20 rollout\.freeze\.0 has from and for, where two keys belong together \| from and to, for once; or cron and for/,
  ],
  [freeze('zone: UTC'), /has no times, where two keys belong together/],
  [
    freeze('cron: "0 16 * * 5", from: 2026-12-24T00:00, to: 2026-12-27T00:00, zone: UTC'),
    /has from and to and cron, where/,
  ],
  [
    freeze('cron: "0 16 * * 8", for: 64h, zone: UTC'),
    /^1:27 rollout\.freeze\.0\.cron: "0 16 \* \* 8" is no cron expression: Invalid value for dayOfWeek: 8 \| minute, hour, /,
  ],
  [freeze('cron: "0 16 * *", for: 64h, zone: UTC'), /"0 16 \* \*" has 4 fields, not 5/],
  [freeze('cron: "", for: 64h, zone: UTC'), /"" has 0 fields, not 5/],
  [freeze('cron: "@daily", for: 64h, zone: UTC'), /has 1 field, not 5/],
  [freeze('cron: "0 0 31 2 *", for: 64h, zone: UTC'), /never comes/],
  [
    freeze('cron: "0 0 * * *", for: 59s, zone: UTC'),
    /^1:45 rollout\.freeze\.0\.for: 59s is too short or too long \| from 1m to 366d$/,
  ],
  [
    freeze('cron: "0 0 * * * *", for: 367d, zone: Mars/X'),
    /has 6 fields/,
    /for: 367d/,
    /zone: there is no time zone "Mars\/X"/,
  ],
  [
    `rollout: {freeze: [${'{from: 2026-12-24T00:00, to: 2026-12-27T00:00, zone: UTC, reason: x}, '.repeat(51)}]}\n`,
    /must have at most 50 items, not 51/,
  ],
];
for (const [text, ...expected] of faults)
  test(`refused: ${text.trim().slice(0, 120)}`, () => {
    const found = faultsOf(text);
    assert.equal(found.length, expected.length, found.join('\n'));
    for (const [i, pattern] of expected.entries()) assert.match(found[i]!, pattern);
  });

test('a password in a URL is refused, and told to nobody', () => {
  for (const url of ['http://admin:hunter2@p:9090', 'http://hunter2@p', 'http://a:hunter2@p:99999', 'ftp://hunter2:@p'])
    try {
      load(check(good.replace('http://p', url)));
      assert.fail(url);
    } catch (error) {
      assert.ok(error instanceof SettingsError);
      const { diagnostics, source } = error.faults!;
      const drawn = diagnostics.map((each) => drawDiagnostic(each, source, { color: false })).join('\n');
      assert.doesNotMatch(`${drawn} ${error.message} ${error.hint ?? ''} ${source}`, /hunter2/);
      assert.match(
        drawn,
        url.startsWith('http') && !url.includes('99999') ? /a proxy before Prometheus/ : /as in http:/,
      );
    }
});

test('the examples of the documentation are valid', () => {
  for (const [page, count] of [
    ['docs/settings.md', 4],
    ['docs/operating.md', 5],
    ['README.md', 1],
  ] as const) {
    const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
    const examples = [...text.matchAll(/^```yaml\n(rollout:.*?)^```/gms)].map(([, example = '']) => example);
    assert.equal(examples.length, count, page);
    for (const example of examples) assert.deepEqual(faultsOf(example), [], example);
  }
  assert.deepEqual(faultsOf(freeze('cron: "0 16 * JAN-MAR FRI#2", for: 1h, zone: UTC')), []);
});

test('faults of all kinds are told at once', () => {
  const found = faultsOf(`rollout:
  strategy: nope
  strategies:
    s: [{nodes: 0%}]
  checks:
    prometheus: [{name: a, url: x, query: q, max: 1}]
  freeze:
    - {cron: x, for: 1h, zone: UTC, reason: r}
`);
  assert.deepEqual(
    found.map((line) => line.split(' ')[0]),
    ['2:13', '4:17', '6:33', '8:14'],
  );
});
