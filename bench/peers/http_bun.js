// HTTP with Bun: http_bun.js hello|headers|json|in|out.
const CHUNKS = 16, CHUNK = new Uint8Array(64 * 1024).fill(46);

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
  hello() {
    return new Response('Hello, World!');
  },
  headers(req) {
    const agent = req.headers.get('user-agent');
    const language = req.headers.get('accept-language');
    return new Response(agent && language ? 'Hello, World!' : '?');
  },
  json() {
    return Response.json({ page: 1, total: 250, items: items() });
  },
  async in(req) {
    let size = 0;
    for await (const chunk of req.body) size += chunk.length;
    return new Response(String(size));
  },
  out() {
    let left = CHUNKS;
    return new Response(new ReadableStream({
      pull(controller) {
        controller.enqueue(CHUNK);
        if (--left === 0) controller.close();
      },
    }));
  },
};

const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 255,
  fetch: handlers[process.argv[2]] });
console.log(`127.0.0.1:${server.port}`);
