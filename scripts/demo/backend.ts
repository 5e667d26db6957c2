// The demo's backends: node backend.ts [--status STATUS] FIRST_SLOT PORT... Each answers with its number and the x-shard-* headers that it got.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { status: { type: 'string', default: '200' } },
});
const [first, ...ports] = positionals.map(Number);

for (const [index, port] of ports.entries()) {
  const backend = (first ?? 1) + index;
  const server = createServer((request, response) => {
    const got = Object.entries(request.headers).filter(([name]) => name.startsWith('x-shard-'));
    const { url: path } = request;
    response.writeHead(Number(values.status), { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ backend, port, path, got: Object.fromEntries(got) })}\n`);
  });
  server.listen(port, '127.0.0.1');
}
