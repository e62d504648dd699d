// With Bun, over HTTP: what bench/saves.lua changes while it serves, see
// bench/neap/reload.lua: reload_bun_http.mjs PORT PORT2 TICKS
// What is to outlive a reload is kept in globalThis, as Bun's guide says.
import { appendFileSync } from 'node:fs';

const VERSION = 0;
const [port, port2, ticks] = process.argv.slice(2);
globalThis.lines ??= 0;

function fetch() {
  return new Response(`version ${VERSION} lines ${++globalThis.lines}\n`);
}

setInterval(() => appendFileSync(ticks, `${VERSION}\n`), 50);

// second server
Bun.serve({ hostname: '127.0.0.1', port: Number(port2), fetch });
// end
Bun.serve({ hostname: '127.0.0.1', port: Number(port), fetch });
console.log(`127.0.0.1:${port}`);
