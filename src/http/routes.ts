import type { IncomingMessage } from 'node:http';
import type { Api, CommandResult, WebhookSender } from './api.ts';
import { toOneLine, toOrder, verbs } from './orders.ts';
import { readBody } from './body.ts';
import { HttpError } from './http-error.ts';
import { checkWebhook } from './webhook.ts';

/** A response: `body` is sent as text when it is a string, else as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Call {
  readonly api: Api;
  readonly request: IncomingMessage;
  readonly url: URL;
  /** The last segment of the path, for routes that end in `/*`. */
  readonly rest: string;
  readonly secrets: Readonly<Record<WebhookSender, string | null>>;
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Only over the control socket, whose file mode restricts access. */
  readonly control?: true;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

const ok = async (body: unknown): Promise<Answer> => ({ status: 200, body: await body });

const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle });
const control = (path: string, handle: Route['handle']): Route => ({ method: 'POST', path, control: true, handle });

const routes: readonly Route[] = [
  get('/healthz', () => ok('ok\n')),
  get('/readyz', ({ api }) => readiness(api)),
  get('/metrics', ({ api }) => ok(api.metrics())),
  get('/api/v1/daemon', ({ api }) => ok(api.daemon())),
  get('/api/v1/status', ({ api }) => ok(api.status())),
  get('/api/v1/explain', ({ api, url }) => found(api.explain(customerOf(url)), 'no release yet')),
  get('/api/v1/history', ({ api, url }) => ok(api.history(url.searchParams))),
  get('/api/v1/lives', ({ api, url }) => ok(api.lives(url.searchParams))),
  get('/api/v1/history/*', async ({ api, rest }) =>
    found(await api.story(await toVersion(api, rest)), `no commit ${rest} in the ledger`),
  ),
  { method: 'POST', path: '/webhooks/*', handle: webhook },
  control('/api/v1/retry', (call) => command(call, (api, { version, by }) => api.retry(version, by))),
  control('/api/v1/accept', (call) => command(call, (api, { version, by }) => api.accept(version, by))),
  control('/api/v1/mute', (call) => nodeCommand(call, (api, { node, by }) => api.mute(node, by))),
  control('/api/v1/unmute', (call) => nodeCommand(call, (api, { node, by }) => api.unmute(node, by))),
  ...verbs.map((verb) => control(`/api/v1/${verb}`, (call) => operate(call, verb))),
  control('/api/v1/sync', async ({ api }) => toAnswer(await api.sync())),
];

/** Answers one request; throws HttpError. `control`: it came over the control socket. */
export async function route(call: Omit<Call, 'rest'>, control: boolean): Promise<Answer> {
  const path = call.url.pathname;
  const fitting = routes.filter((route) => matches(route.path, path) && (control || !route.control));
  const chosen = fitting.find((route) => route.method === call.request.method);
  if (chosen) return chosen.handle({ ...call, rest: decode(path.slice(path.lastIndexOf('/') + 1)) });
  if (fitting.length === 0) throw new HttpError(404, 'not-found', `nothing is at ${path}`);
  throw new HttpError(405, 'method', `${path} takes ${fitting.map((route) => route.method).join(', ')}`);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, 'path', 'the path is not percent-encoded UTF-8');
  }
}

function matches(pattern: string, path: string): boolean {
  if (!pattern.endsWith('/*')) return pattern === path;
  const stem = pattern.slice(0, -1);
  return path.startsWith(stem) && path.length > stem.length && !path.slice(stem.length).includes('/');
}

function readiness(api: Api): Answer {
  const { ready, reasons } = api.readiness();
  return { status: ready ? 200 : 503, body: { ready, reasons } };
}

function found(body: unknown, words: string): Answer {
  if (body === null) throw new HttpError(404, 'not-found', words);
  return { status: 200, body };
}

/** HEAD is the newest revision, as it is for commands. */
async function toVersion(api: Api, name: string): Promise<string> {
  if (name !== 'HEAD') return name;
  const { head } = await api.status();
  if (head === null) throw new HttpError(404, 'not-found', 'there is no revision yet');
  return head.version;
}

function customerOf(url: URL): string {
  const customer = url.searchParams.get('customer');
  if (!customer) throw new HttpError(400, 'customer-missing', 'name a customer: /api/v1/explain?customer=ID');
  return customer;
}

async function webhook({ api, request, rest, secrets }: Call): Promise<Answer> {
  const { ref } = await checkWebhook({ sender: rest, request, secrets });
  api.pushed(ref);
  return { status: 202, body: { accepted: true } };
}

interface CommandBody {
  readonly version: string;
  readonly by: string;
}

async function command(
  call: Call,
  run: (api: Api, body: CommandBody) => CommandResult | Promise<CommandResult>,
): Promise<Answer> {
  const bytes = await readBody(call.request, 4096);
  return toAnswer(await run(call.api, parseCommand(bytes.toString('utf8'))));
}

interface NodeBody {
  readonly node: string;
  readonly by: string;
}

async function nodeCommand(call: Call, run: (api: Api, body: NodeBody) => CommandResult): Promise<Answer> {
  const bytes = await readBody(call.request, 4096);
  const { node, by } = parseBody(bytes.toString('utf8'));
  // eslint-disable-next-line no-control-regex -- as the xDS port refuses them
  if (typeof node !== 'string' || node === '' || Buffer.byteLength(node) > 256 || /[\x00-\x1f\x7f]/.test(node))
    throw new HttpError(400, 'node', 'node: the node.id of an Envoy, 256 bytes at most');
  return toAnswer(run(call.api, { node, by: toOperator(by) }));
}

async function operate({ api, request }: Call, verb: (typeof verbs)[number]): Promise<Answer> {
  const bytes = await readBody(request, 4096);
  const body = parseBody(bytes.toString('utf8'));
  return toAnswer(await api.operate(toOrder(verb, body, { by: toOperator(body.by), now: Date.now() })));
}

function parseCommand(text: string): CommandBody {
  const { version, by } = parseBody(text);
  if (typeof version !== 'string' || !/^([0-9a-f]{4,64}|HEAD)$/.test(version))
    throw new HttpError(400, 'version', 'version: the SHA of a commit, its first 4 digits or more, or HEAD');
  return { version, by: toOperator(by) };
}

function parseBody(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'json', 'the body is not JSON');
  }
  return (value ?? {}) as Readonly<Record<string, unknown>>;
}

function toOperator(by: unknown): string {
  return (typeof by === 'string' && toOneLine(by, 100)) || 'unknown';
}

function toAnswer(result: CommandResult): Answer {
  return { status: result.ok ? 200 : 409, body: result };
}
