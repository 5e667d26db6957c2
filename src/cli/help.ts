import type { Command, Option } from 'commander';

/** What a command's help shows besides its own flags. */
interface Help {
  /** The settings' flags that matter to it. The others are accepted, but hidden. */
  readonly settings: readonly string[];
  /** Lines to copy. */
  readonly example: readonly string[];
}

const where = ['--config', '--repository', '--state'];

/** By command name. A test checks that every command is here, and that the examples use flags that exist. */
const helps: Readonly<Record<string, Help>> = {
  serve: {
    settings: [...where, '--file', '--ref', '--xds-port', '--http-port'],
    example: ['shardplane serve --repository /srv/fleet', 'shardplane serve --config /etc/shardplane/shardplane.yaml'],
  },
  check: {
    settings: ['--config', '--repository', '--file'],
    example: ['shardplane check', 'shardplane check drafts/shard-config.yaml'],
  },
  plan: {
    settings: [...where, '--file', '--http-port'],
    example: ['shardplane plan', 'shardplane plan origin/main...HEAD --markdown', 'shardplane plan --live --full'],
  },
  status: {
    settings: [...where, '--http-port'],
    example: ['shardplane status', 'shardplane status --watch', "shardplane status --node 'edge-*' --json"],
  },
  history: {
    settings: [...where, '--http-port'],
    example: [
      'shardplane history --outcome rolled_back',
      'shardplane history 8b144b1f5dbf',
      'shardplane history --customer customer-A',
    ],
  },
  explain: {
    settings: [...where, '--http-port'],
    example: ['shardplane explain customer-A'],
  },
  deal: {
    settings: ['--config', '--repository', '--file'],
    example: ['shardplane deal', 'shardplane deal --overlap 2 --write'],
  },
  impact: {
    settings: [...where, '--file', '--ref', '--http-port'],
    example: [
      'shardplane impact --hosts 3,7-9',
      'shardplane impact --hosts 10.0.0.3:8080 --at 90m',
      'shardplane impact --customer customer-A --json',
    ],
  },
  quarantine: {
    settings: ['--config', '--repository', '--file'],
    example: ['shardplane quarantine acme.com --until 4h -m "Keep its flood from the others"'],
  },
  unquarantine: {
    settings: ['--config', '--repository', '--file'],
    example: ['shardplane unquarantine acme.com -m "Its clients back off now"'],
  },
  retry: { settings: where, example: ['shardplane retry 8b144b1f5dbf', 'shardplane retry HEAD --wait 5m'] },
  accept: { settings: where, example: ['shardplane accept 8b144b1f5dbf'] },
  pause: { settings: where, example: ["shardplane pause -m 'p99 is up in eu-west'"] },
  resume: { settings: where, example: ["shardplane resume -m 'it was the load test'"] },
  promote: { settings: where, example: ['shardplane promote', "shardplane promote --all -m 'it is the fix'"] },
  abort: { settings: where, example: ["shardplane abort -m 'customers complain'"] },
  freeze: {
    settings: where,
    example: ["shardplane freeze --until 4h -m 'load test'", 'shardplane freeze --until 2027-01-04T08:00'],
  },
  unfreeze: { settings: where, example: ['shardplane unfreeze'] },
  node: { settings: [], example: ['shardplane node mute edge-2'] },
  mute: { settings: where, example: ['shardplane node mute edge-2'] },
  unmute: { settings: where, example: ['shardplane node unmute edge-2'] },
  sync: { settings: where, example: ['shardplane sync', 'shardplane sync --wait'] },
  hooks: { settings: [], example: ['shardplane hooks install'] },
  install: { settings: ['--repository'], example: ['shardplane hooks install --repository /srv/fleet'] },
  bootstrap: {
    settings: [],
    example: [
      'shardplane bootstrap --xds 10.0.0.1:18000 --listen 0.0.0.0:10000 --admin /run/envoy/admin.sock \\',
      '  --endpoints 10.0.1.1:8080,10.0.1.2:8080 --node edge-1 > envoy.yaml',
    ],
  },
  schema: {
    settings: [],
    example: ['shardplane schema > shard-config.schema.json', 'shardplane schema settings > settings.schema.json'],
  },
  completion: {
    settings: [],
    example: [
      'source <(shardplane completion bash)',
      'shardplane completion fish > ~/.config/fish/completions/shardplane.fish',
    ],
  },
};

/** Flags that select a daemon or repository: the same in all commands that have them. */
const settings = new Set([...where, '--file', '--ref', '--xds-port', '--http-port']);

function isSetting({ long }: Option): boolean {
  return settings.has(long ?? '');
}

/** The examples of a command; none for one that has no help of its own. */
export function examplesOf(command: Command): readonly string[] {
  return helps[command.name()]?.example ?? [];
}

/** Adds examples to the commands' help, and hides the flags that don't matter to them. */
export function completeHelp(program: Command): void {
  for (const command of allCommands(program)) {
    const shown: readonly string[] = helps[command.name()]?.settings ?? [];
    for (const option of command.options)
      if (isSetting(option) && !shown.includes(option.long ?? '')) option.hideHelp();
    const example = examplesOf(command);
    if (example.length > 0)
      command.addHelpText('after', `\nExample:\n${example.map((line) => `  ${line}`).join('\n')}`);
  }
}

/** All subcommands, at any depth. */
export function allCommands(program: Command): Command[] {
  return program.commands.flatMap((command) => [command, ...allCommands(command)]);
}
