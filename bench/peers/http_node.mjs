// HTTP with node: http_node.mjs hello|headers|json|in|out. Lengths are given
// where they are known: node is slower without.
import http from 'node:http';

const CHUNKS = 16, CHUNK = Buffer.alloc(64 * 1024, '.');
const TEXT = 'text/plain; charset=utf-8';

function answer(res, type, body) {
  res.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
  res.end(body);
}

function items() {
  const list = [];
  for (let i = 1; i <= 10; i++) {
    list.push({ id: 1000 + i, name: 'Item number ' + (1000 + i),
      price: i + 0.25, stock: i * 7, tags: ['red', 'small'],
      active: i % 2 === 0 });
  }
  return list;
}

const handlers = {
  hello(req, res) {
    answer(res, TEXT, 'Hello, World!');
  },
  headers(req, res) {
    const { 'user-agent': agent, 'accept-language': language } = req.headers;
    answer(res, TEXT, agent && language ? 'Hello, World!' : '?');
  },
  json(req, res) {
    const body = JSON.stringify({ page: 1, total: 250, items: items() });
    answer(res, 'application/json', body);
  },
  in(req, res) {
    let size = 0;
    req.on('data', (chunk) => { size += chunk.length; });
    req.on('end', () => answer(res, TEXT, String(size)));
  },
  out(req, res) {
    let left = CHUNKS;
    res.writeHead(200, { 'Content-Type': TEXT });
    const more = () => {
      while (left > 0) {
        left--;
        if (!res.write(CHUNK)) return res.once('drain', more);
      }
      res.end();
    };
    more();
  },
};

const server = http.createServer({ noDelay: true, keepAliveTimeout: 120000 },
  handlers[process.argv[2]]);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`127.0.0.1:${server.address().port}`);
});
