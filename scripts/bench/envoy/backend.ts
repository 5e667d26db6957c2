import { createServer } from 'node:net';

/** The cheapest backend there is: a fixed answer to every block that ends a request's head. Prints its port. */
const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');

const server = createServer({ noDelay: true }, (socket) => {
  let tail = '';
  socket.on('data', (block: Buffer) => {
    const text = tail + block.toString('latin1');
    const heads = text.split('\r\n\r\n');
    tail = heads.pop() ?? '';
    heads.forEach(() => socket.write(answer));
  });
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.stdout.write(`${address.port}\n`);
});
process.on('disconnect', () => process.exit());
