import { Argument } from 'commander';
import type { Command, Option } from 'commander';
import { allCommands } from './help.ts';

const shells = { bash: toBash, zsh: toZsh, fish: toFish };

/** `shardplane completion SHELL`: generated from the commands, so it can't be out of date. */
export function defineCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes these commands in a shell')
    .addArgument(new Argument('<shell>', 'which one').choices(Object.keys(shells)))
    .action((shell: keyof typeof shells) => void process.stdout.write(shells[shell](program)));
}

/** What can be completed after one command. */
interface Completed {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  /** Subcommands, and an argument's choices. */
  readonly words: readonly string[];
  readonly takesFile: boolean;
}

function completedOf(program: Command): Completed[] {
  return program.commands.map((command) => {
    const all = [command, ...allCommands(command)];
    const { argChoices: choices = [] } = command.registeredArguments[0] ?? {};
    return {
      name: command.name(),
      description: command.description(),
      options: all.flatMap((each) => [...each.options]).filter(({ hidden, long }) => !hidden && long !== undefined),
      words: [...command.commands.map((each) => each.name()), ...choices],
      takesFile: command.registeredArguments.some((argument) => argument.name() === 'file'),
    };
  });
}

/** How an option's value is completed. */
function kindOf(option: Option): 'flag' | 'choices' | 'path' | 'other' {
  if (!option.required && !option.optional) return 'flag';
  if (option.argChoices) return 'choices';
  return /<(file|path|directory|socket)>/.test(option.flags) ? 'path' : 'other';
}

function toBash(program: Command): string {
  const commands = completedOf(program);
  const values = (option: Option): string => {
    const words = option.argChoices?.join(' ') ?? '';
    const generate = { choices: `compgen -W '${words}' -- "$cur"`, path: 'compgen -f -- "$cur"', other: '', flag: '' };
    const from = generate[kindOf(option)];
    return `      ${option.long ?? ''}) ${from === '' ? '' : `mapfile -t COMPREPLY < <(${from}); `}return ;;`;
  };
  const cases = commands.map(({ name, options, words, takesFile }) => {
    const offered = [...options.map(({ long }) => long), '--help', ...words].join(' ');
    const valued = options.filter((option) => kindOf(option) !== 'flag').map(values);
    const files = takesFile ? '; compgen -f -- "$cur"' : '';
    return [
      `    ${name})`,
      ...(valued.length > 0 ? ['      case $prev in', ...valued, '      esac'] : []),
      `      mapfile -t COMPREPLY < <(compgen -W '${offered}' -- "$cur"${files})`,
      '      ;;',
    ].join('\n');
  });
  return `# bash completion for shardplane: source <(shardplane completion bash)
_shardplane() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$cur")
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
}
complete -o filenames -F _shardplane shardplane
`;
}

function toZsh(program: Command): string {
  const commands = completedOf(program);
  const text = (words: string): string => words.replaceAll(/[[\]:'\\]/g, (sign) => (sign === "'" ? '’' : `\\${sign}`));
  const spec = (option: Option): string => {
    const value = {
      flag: '',
      choices: `:value:(${option.argChoices?.join(' ') ?? ''})`,
      path: ':path:_files',
      other: ':value:',
    };
    return `        '${option.long ?? ''}[${text(option.description)}]${value[kindOf(option)]}'`;
  };
  const rest = ({ words, takesFile }: Completed): string[] =>
    words.length > 0 ? [`        '1:word:(${words.join(' ')})'`] : takesFile ? ["        '1:file:_files'"] : [];
  const cases = commands.map((command) =>
    [
      `    ${command.name})`,
      ['      _arguments', ...command.options.map(spec), ...rest(command)].join(' \\\n'),
      '      ;;',
    ].join('\n'),
  );
  return `#compdef shardplane
# zsh completion for shardplane: shardplane completion zsh > "\${fpath[1]}/_shardplane"
_shardplane() {
  local -a commands=(
${commands.map(({ name, description }) => `    '${name}:${text(description)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _shardplane ]; then _shardplane "$@"; else compdef _shardplane shardplane; fi
`;
}

function toFish(program: Command): string {
  const quote = (words: string): string => `'${words.replaceAll(/['\\]/g, '\\$&')}'`;
  const lines = completedOf(program).flatMap(({ name, description, options, words, takesFile }) => {
    const here = `complete -c shardplane -n '__fish_seen_subcommand_from ${name}'`;
    const value = (option: Option): string =>
      ({ flag: '', choices: ` -x -a ${quote(option.argChoices?.join(' ') ?? '')}`, path: ' -r -F', other: ' -x' })[
        kindOf(option)
      ];
    return [
      `complete -c shardplane -n __fish_use_subcommand -a ${name} -d ${quote(description)}`,
      ...options.map(
        (option) => `${here} -l ${(option.long ?? '').slice(2)} -d ${quote(option.description)}${value(option)}`,
      ),
      ...(words.length > 0 ? [`${here} -a ${quote(words.join(' '))}`] : []),
      ...(takesFile ? [`${here} -F`] : []),
    ];
  });
  return ['# fish completion for shardplane', 'complete -c shardplane -f', ...lines, ''].join('\n');
}
