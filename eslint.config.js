import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The pure folders, and all that each may import besides its own files (docs/design.md): whatever does I/O is left out by being left
 * out. A folder that needs more is first asked whether it is pure still.
 */
const pure = {
  config: ['yaml', 'ajv(/dist/[a-z0-9]+[.]js)?', 'ajv-formats'],
  plan: ['[.]{2}/(config/(config|words)|release/compile|rollout/(choose-plan|plan)|shard/[a-z0-9-]+)[.]ts'],
  release: ['[.]{2}/(config/[a-z0-9-]+|ids)[.]ts', 'protobufjs/minimal[.]js'],
  revisions: ['[.]{2}/(config/(diagnostic|words)|ids|release/short|rollout/(types|plan))[.]ts'],
  rollout: ['[.]{2}/(config/(diagnostic|words)|glob|ids|load/sums|shard/murmur3)[.]ts', 'croner'],
  shard: ['[.]{2}/config/[a-z0-9-]+[.]ts'],
  state: ['[.]{2}/((revisions|rollout)/[a-z0-9-]+|ids)[.]ts'],
  'xds/stream': ['[.]{2}/[.]{2}/(release/[a-z0-9-]+|ids)[.]ts'],
};
const timeless = 'time and chance are fields of an event (docs/design.md)';
const clock = [
  { object: 'Date', property: 'now', message: timeless },
  { object: 'Math', property: 'random', message: timeless },
];
const ambient = ['process', 'globalThis', 'performance', 'crypto', 'fetch', 'require', 'WebSocket', 'Worker'];
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];

function pureFolder([folder, allowed]) {
  const regex = `^(?!(${['[.]/[a-z0-9-]+[.]ts', ...allowed].join('|')})$)`;
  const message = `src/${folder}/ is pure: it may import what eslint.config.js lists for it, no more`;
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex, message }] }],
      'no-restricted-properties': ['error', ...clock],
      'no-restricted-globals': [
        'error',
        ...[...ambient, ...timers].map((name) => ({ name, message: `${message}: no I/O, no clock` })),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportExpression', message },
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: timeless },
        { selector: 'CallExpression[callee.name="Date"]', message: timeless },
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.tools/', 'scripts/bench/go/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: tseslint.configs.strictTypeChecked,
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  ...Object.entries(pure).map(pureFolder),
  { files: ['src/cli/**/*.ts', 'scripts/**/*.ts', 'test/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      'max-lines': 'off',
    },
  },
);
