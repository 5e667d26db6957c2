import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What does I/O or reads the clock: the pure folders import none of it. */
const io = {
  paths: ['@grpc/grpc-js', '@grpc/proto-loader', 'chokidar', 'pino', 'commander'],
  patterns: [
    { regex: '^node:(?!buffer$|util$)', message: 'this folder is pure: no I/O, no clock (docs/design.md)' },
    { regex: '^[.]{2}/(git|ledger|http|cli|settings|daemon)', message: 'a pure folder imports pure folders only' },
  ],
};
const clock = [
  { object: 'Date', property: 'now', message: 'time is a field of an event (docs/design.md)' },
  { object: 'Math', property: 'random', message: 'chance is a field of an event (docs/design.md)' },
  { object: 'performance', property: 'now', message: 'time is a field of an event (docs/design.md)' },
];

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
  {
    files: ['src/{config,release,rollout,shard}/**/*.ts', 'src/xds/stream/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', io], 'no-restricted-properties': ['error', ...clock] },
  },
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
