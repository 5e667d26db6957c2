import type { Command, Option } from 'commander';
import { allCommands, examplesOf } from './help.ts';

/** The manual page shardplane(1) in man(7) macros, generated from the commands. */
export function toManPage(program: Command, version: string): string {
  const [commands, ends] = [allCommands(program), 'https://github.com/shardplane/shardplane'];
  return [
    `.TH SHARDPLANE 1 "" "shardplane ${version}"`,
    '.SH NAME',
    'shardplane \\- change how a fleet of Envoys shuffle\\-shards its customers, safely, from git',
    '.SH SYNOPSIS',
    '.B shardplane',
    '.I COMMAND',
    '[\\fIOPTION\\fR]...',
    '.SH DESCRIPTION',
    escape(
      'shardplane serve follows a git repository, and pushes each commit of its shard-config.yaml to the Envoys that connect.',
    ),
    escape(
      'What an Envoy refuses is rolled back. The other commands ask or tell the daemon, check a config, or set something up.',
    ),
    '.SH COMMANDS',
    ...commands.flatMap(describe),
    '.SH FILES',
    ...entry(['.TP', '.I shard\\-config.yaml'], 'who gets which hosts; in the repository'),
    ...entry(['.TP', '.I shardplane.yaml'], 'settings of the daemon; all are optional'),
    '.SH SEE ALSO',
    ...entry(['.BR git (1)'], `The documentation is in the package's docs/, and at ${ends}.`),
    '',
  ].join('\n');
}

function describe(command: Command): string[] {
  const parents = command.parent?.parent ? `${command.parent.name()} ` : '';
  const operands = command.registeredArguments.map((each) => (each.required ? `<${each.name()}>` : `[${each.name()}]`));
  const example = examplesOf(command);
  return [
    `.SS ${escape([`${parents}${command.name()}`, ...operands].join(' '))}`,
    escape(sentence(command.description())),
    ...command.options.filter(({ hidden }) => !hidden).flatMap(option),
    ...(example.length > 0 ? ['.PP', '.nf', '.RS', ...example.map(escape), '.RE', '.fi'] : []),
  ];
}

function option({ flags, description, argChoices }: Option): string[] {
  const choices = argChoices ? `: ${argChoices.join(', ')}` : '';
  return entry(['.TP', `.B ${escape(flags)}`], `${description}${choices}`);
}

function entry(head: readonly string[], words: string): string[] {
  return [...head, escape(words)];
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** roff interprets a backslash and a leading dot or quote, and prints a bare hyphen as a typographic one. */
function escape(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replace(/^([.'])/, '\\&$1');
}
