// Web applications with fastify on node: web_fastify.mjs router|file|gzip
// DIRECTORY, which holds what lib/web.lua has written there. fastify and its
// plugins are in build/peers, see bench/run --peers.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require =
  createRequire(new URL('../../build/peers/package.json', import.meta.url));
const [kind, directory] = process.argv.slice(2);
const app = require('fastify')({ keepAliveTimeout: 120000 });

// How a route answers: with its text, if its parameters are what they should be.
function handlerOf(text, [name, name2], [value, value2]) {
  if (name2) {
    return ({ params }, reply) => {
      const right = params[name] === value && params[name2] === value2;
      reply.code(right ? 200 : 404).send(text);
    };
  }
  if (name) {
    return (req, reply) => {
      reply.code(req.params[name] === value ? 200 : 404).send(text);
    };
  }
  return (req, reply) => { reply.send(text); };
}

const kinds = {
  router() {
    for (const line of readFileSync(`${directory}/routes`, 'utf8').split('\n')) {
      const [, method, path, values, text] =
        line.match(/^(\S+) (\S+) (\S+) (.+)$/) ?? [];
      if (!path) continue;
      const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]);
      app.route({ method, url: path,
        handler: handlerOf(text, names, values.split(',')) });
    }
  },
  async file() {
    await app.register(require('@fastify/static'),
      { root: `${directory}/files`, prefix: '/files/' });
  },
  async gzip() {
    await app.register(require('@fastify/compress'),
      { zlibOptions: { level: 6 } });
    const text = readFileSync(`${directory}/files/document.json`, 'utf8');
    app.get('/json', (req, reply) => {
      reply.type('application/json').send(text);
    });
  },
};

await kinds[kind]();
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
console.log(`127.0.0.1:${app.server.address().port}`);
