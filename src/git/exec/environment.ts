/** Like git's `-c key=value`, but passed in the environment so that no value shows in a process list. */
export type GitConfig = readonly (readonly [key: string, value: string])[];

/**
 * Every key by which a repository could make git run a program or use the network while we only read it, at command
 * scope, which overrides the repository's own config. (`false` is a program that fails; an empty value clears a list.)
 */
const neutral: GitConfig = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.sshCommand', 'false'],
  ['core.gitProxy', ''],
  ['core.askPass', ''],
  ['core.pager', 'cat'],
  ['core.editor', 'false'],
  ['core.alternateRefsCommand', 'true'],
  ['protocol.allow', 'never'],
  ['protocol.ext.allow', 'never'],
  ['log.showSignature', 'false'],
  ['gpg.program', 'false'],
  ['gpg.openpgp.program', 'false'],
  ['gpg.x509.program', 'false'],
  ['gpg.ssh.program', 'false'],
  ['gpg.ssh.defaultKeyCommand', ''],
  ['diff.external', ''],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['submodule.recurse', 'false'],
  ['advice.graftFileDeprecated', 'false'],
];

/** An empty value clears the list of helpers, including those for single URLs. */
const noHelpers: GitConfig = [['credential.helper', '']];

const fixed: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  LANGUAGE: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '',
  SSH_ASKPASS: '',
  SSH_ASKPASS_REQUIRE: 'never',
  GIT_PAGER: 'cat',
  GIT_EDITOR: 'false',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  // a path under a file can't exist, so that info/grafts can't rewrite history
  GIT_GRAFT_FILE: '/dev/null/none',
  // a partial clone must not fetch what it lacks; GIT_ALLOW_PROTOCOL does the same for git before 2.44
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
};

// These name the operator's own config, which is as trusted as the daemon's settings.
const kept = new Set(['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM']);

/** What a call adds to the neutral environment. */
export interface GitEnvironment {
  /** Value of GIT_DIR; without it git looks for the repository itself (and checks who owns it). */
  readonly gitDir?: string;
  /** Overrides the neutral config. */
  readonly config?: GitConfig;
  readonly env?: Readonly<Record<string, string>>;
  /** Use the credential helpers of the user's config (and of the repository's, so only for our own mirror). */
  readonly inheritHelpers?: boolean;
}

/** The environment of a git process: what was inherited, without GIT_*, and what makes git safe. */
export function gitEnvironment(inherited: NodeJS.ProcessEnv, options: GitEnvironment): NodeJS.ProcessEnv {
  const { gitDir, config = [], env = {}, inheritHelpers = false } = options;
  const rest = Object.entries(inherited).filter(([name]) => !name.startsWith('GIT_') || kept.has(name));
  const place = gitDir === undefined ? {} : { GIT_DIR: gitDir };
  return {
    ...Object.fromEntries(rest),
    ...fixed,
    ...place,
    ...configVariables([...neutral, ...(inheritHelpers ? [] : noHelpers), ...config]),
    ...env,
  };
}

/** git-config(1), GIT_CONFIG_COUNT: needs git 2.31, which repository.ts checks. */
function configVariables(config: GitConfig): Record<string, string> {
  const pairs = config.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(config.length), ...(Object.fromEntries(pairs) as Record<string, string>) };
}
