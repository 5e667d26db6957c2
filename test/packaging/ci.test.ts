import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const token = 'glpat-or-ghs-s3cret';
const mark = '<!-- shardplane plan -->';
const file = 'shard-config.yaml';
const settings = 'plan: {limits: {moved: 30%}}\n';
const config = (hosts: number): string => `shuffle_sharding: {total_hosts: ${hosts}, default_shard_size: 2}\n`;

/** A comment, as each of the two hosts has it. */
interface Comment {
  readonly id: number;
  readonly who: string;
  body: string;
}

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** What the examples need of GitHub and GitLab, with the comments of one pull request. */
class FakeHost implements AsyncDisposable {
  readonly comments: Comment[] = [];
  readonly writes: string[] = [];
  /** Its answer to everything; null: it works. */
  fault: { readonly status: number; readonly body: object } | null = null;
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });

  static async start(): Promise<FakeHost> {
    const host = new FakeHost();
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }

  add(who: string, body: string): Comment {
    const comment = { id: 1_000_000_000 + this.comments.length, who, body };
    this.comments.push(comment);
    return comment;
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    if (this.fault !== null) return this.fault;
    const { authorization, 'private-token': own } = request.headers;
    if (authorization !== `Bearer ${token}` && own !== token) return { status: 401, body: { message: 'who are you' } };
    const url = new URL(request.url ?? '', this.url);
    if (url.pathname === '/user') return { status: 200, body: { id: 7 } };
    const list = /^\/(repos\/acme\/fleet\/issues\/5\/comments|projects\/3\/merge_requests\/5\/notes)$/.test(
      url.pathname,
    );
    if (request.method === 'GET' && list) return { status: 200, body: this.#page(url.searchParams) };
    const { body } = JSON.parse(await textOf(request)) as { body: string };
    this.writes.push(`${request.method} ${url.pathname}`);
    if (request.method === 'POST' && list) return { status: 201, body: this.add('github-actions[bot]', body) };
    const [, id] =
      /^\/(?:repos\/acme\/fleet\/issues\/comments|projects\/3\/merge_requests\/5\/notes)\/(\d+)$/.exec(url.pathname) ??
      [];
    const comment = this.comments.find((each) => each.id === Number(id));
    if (comment === undefined) return { status: 404, body: { message: 'not found' } };
    comment.body = body;
    return { status: 200, body: comment };
  }

  #page(query: URLSearchParams): object[] {
    const [size, page] = [Number(query.get('per_page')), Number(query.get('page'))];
    return this.comments.slice(size * (page - 1), size * page).map(({ id, who, body }) => ({
      ...{ id, body, user: { login: who }, author: { id: who === 'github-actions[bot]' ? 7 : 8 } },
    }));
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Runs a script as a runner does, with this shardplane as the one that is installed. */
async function bash(script: string, env: Record<string, string>, cwd: string, bin: string): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: 60_000, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, ...env } };
    execFile('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr }),
    );
  });
}

interface Runner {
  readonly host: FakeHost;
  readonly repository: TestRepository;
  readonly bin: string;
  readonly folder: string;
}

/** Runs the job for a pull request from `base` to `head`. */
type Job = (runner: Runner, base: string, head: string) => Promise<Ended>;

interface Workflow {
  readonly jobs: { readonly plan: { readonly steps: readonly { readonly name?: string; readonly run?: string }[] } };
}

const github: Job = async ({ host, repository, bin, folder }, base, head) => {
  const workflow = parse(await readFile(join(root, 'config/ci/github-plan.yml'), 'utf8')) as Workflow;
  const scriptOf = (name: string) => workflow.jobs.plan.steps.find((step) => step.name === name)?.run ?? '';
  const [summary, outputs] = [join(folder, 'summary'), join(folder, 'outputs')];
  await writeFile(outputs, '');
  const run = (name: string, env: Record<string, string>) => bash(scriptOf(name), env, repository.path, bin);
  const planned = await run('Plan', { BASE: base, HEAD: head, GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs });
  assert.equal(planned.code, 0, planned.output);
  const env = { TOKEN: token, NUMBER: '5', GITHUB_API_URL: host.url, GITHUB_REPOSITORY: 'acme/fleet' };
  const commented = await run('Comment', env);
  const [, code = ''] = /^code=(\d+)$/m.exec(await readFile(outputs, 'utf8')) ?? [];
  const verdict = await run('Verdict', { CODE: code });
  const output = planned.output + commented.output + (await readFile(summary, 'utf8'));
  return { code: commented.code || verdict.code, output };
};

const gitlab: Job = async ({ host, repository, bin }, base, head) => {
  const jobs = parse(await readFile(join(root, 'config/ci/gitlab-plan.yml'), 'utf8')) as Record<
    string,
    { readonly script: readonly string[] }
  >;
  const env = {
    ...{ CI_MERGE_REQUEST_DIFF_BASE_SHA: base, CI_COMMIT_SHA: head, CI_API_V4_URL: host.url },
    ...{ CI_MERGE_REQUEST_PROJECT_ID: '3', CI_MERGE_REQUEST_IID: '5', SHARDPLANE_PLAN_TOKEN: token },
  };
  return await bash(jobs['shardplane-plan']?.script.join('\n') ?? '', env, repository.path, bin);
};

for (const [name, job] of [
  ['GitHub', github],
  ['GitLab', gitlab],
] as const)
  describe(`the example for ${name}`, () => {
    async function start(stack: AsyncDisposableStack): Promise<Runner & { base: string }> {
      const host = stack.use(await FakeHost.start());
      const repository = stack.use(await makeRepository());
      const folder = stack.use(await temporaryFolder()).path;
      const bin = join(folder, 'bin');
      await mkdir(bin);
      const command = `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'src/cli/main.ts')}' "$@"\n`;
      await writeFile(join(bin, 'shardplane'), command);
      await chmod(join(bin, 'shardplane'), 0o755);
      const base = await repository.commit({ [file]: config(8), 'shardplane.yaml': settings }, 'Begin');
      return { host, repository, folder, bin, base };
    }

    test('one comment, which the next push updates; those of others stay', async () => {
      await using stack = new AsyncDisposableStack();
      const runner = await start(stack);
      const { host, repository, base } = runner;
      for (let i = 0; i < 105; i++) host.add('somebody', i === 3 ? `${mark}\nnot ours` : `comment ${i}`);
      const grown = await repository.commit({ [file]: config(9) }, 'Add a host');
      const first = await job(runner, base, grown);
      assert.deepEqual([first.code, host.comments.length], [0, 106], first.output);
      const comment = host.comments.at(-1)!;
      assert.ok(comment.body.startsWith(`${mark}\n### Plan of <code>shard-config.yaml</code>: 22.2 %`), comment.body);
      const more = await repository.commit({ [file]: config(10) }, 'Add another');
      const second = await job(runner, base, more);
      assert.equal(host.comments.length, 106, second.output);
      assert.match(comment.body, /2 hosts added/);
      assert.equal(host.comments[3]!.body, `${mark}\nnot ours`);
      assert.match(host.writes.join(), /^POST [^,]+,(PATCH|PUT) [^,]+$/);
      assert.equal(second.code, 3, 'over a limit: the job fails, and says so in the comment');
      assert.match(comment.body, /Over a limit/);
      assert.ok(!`${first.output}${second.output}`.includes(token));
    });

    test('a config that is not valid: the comment says why, and the job fails', async () => {
      await using stack = new AsyncDisposableStack();
      const runner = await start(stack);
      const head = await runner.repository.commit({ [file]: `${config(8)}nothing: [\n` }, 'Break it');
      const { code } = await job(runner, runner.base, head);
      assert.equal(code, 1);
      assert.match(runner.host.comments.at(-1)!.body, /can’t be told\n\n {4}.*shard-config\.yaml:\d+:\d+: error: /);
    });

    test('the host refuses: the job fails, and says what it was told', async () => {
      await using stack = new AsyncDisposableStack();
      const runner = await start(stack);
      const head = await runner.repository.commit({ [file]: config(9) }, 'Add a host');
      runner.host.fault = { status: 403, body: { message: 'Resource not accessible by integration' } };
      const { code, output } = await job(runner, runner.base, head);
      assert.equal(code, 22);
      assert.match(output, /curl: .*403/);
    });
  });
