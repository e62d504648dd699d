// Web applications with Bun: web_bun.js router|file|gzip DIRECTORY [LIBRARY];
// the directory holds what lib/web.lua has written there. Bun.serve has routes
// of its own; for compression there is a function, which the handler calls.
import { readFileSync } from 'node:fs';

const [kind, directory, library] = process.argv.slice(2);

// How a route answers: with its text, if its parameters are what they should be.
function handlerOf(text, [name, name2], [value, value2]) {
  const wrong = () => new Response(null, { status: 404 });
  if (name2) {
    return ({ params }) => params[name] === value && params[name2] === value2 ?
      new Response(text) : wrong();
  }
  if (name) {
    return (req) => req.params[name] === value ? new Response(text) : wrong();
  }
  return () => new Response(text);
}

const kinds = {
  router() {
    const routes = {};
    for (const line of readFileSync(`${directory}/routes`, 'utf8').split('\n')) {
      const [, method, path, values, text] =
        line.match(/^(\S+) (\S+) (\S+) (.+)$/) ?? [];
      if (!path) continue;
      const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]);
      routes[path] ??= {};
      routes[path][method] = handlerOf(text, names, values.split(','));
    }
    return { routes };
  },
  file() {
    const root = `${directory}/files/`;
    return { routes: { '/files/:name': (req) =>
      new Response(Bun.file(root + req.params.name)) } };
  },
  gzip() {
    const text = readFileSync(`${directory}/files/document.json`, 'utf8');
    const headers = { 'Content-Type': 'application/json',
      'Content-Encoding': 'gzip', 'Vary': 'Accept-Encoding' };
    return { routes: { '/json': (req) => {
      const accepted = req.headers.get('accept-encoding') ?? '';
      if (!accepted.includes('gzip')) return new Response(text);
      const packed = Bun.gzipSync(text, { level: 6, library });
      return new Response(packed, { headers });
    } } };
  },
};

const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 255,
  fetch: () => new Response(null, { status: 404 }), ...kinds[kind]() });
console.log(`127.0.0.1:${server.port}`);
