// With Bun, over TCP: what bench/saves.lua changes while it serves, see
// bench/neap/reload.lua: reload_bun_tcp.mjs PORT PORT2 TICKS
// To listen a second time would fail (EADDRINUSE) and leave the old code in
// place: the servers are kept in globalThis, and given their new functions.
import { appendFileSync } from 'node:fs';

const VERSION = 0;
const [port, port2, ticks] = process.argv.slice(2);
globalThis.lines ??= 0;
globalThis.servers ??= {};

const socket = {
  data(conn) {
    conn.write(`version ${VERSION} lines ${++globalThis.lines}\n`);
  },
};

function listen(on) {
  const { servers } = globalThis;
  if (servers[on]) servers[on].reload({ socket });
  else servers[on] = Bun.listen({ hostname: '127.0.0.1', port: on, socket });
}

setInterval(() => appendFileSync(ticks, `${VERSION}\n`), 50);

// second server
listen(Number(port2));
// end
listen(Number(port));
console.log(`127.0.0.1:${port}`);
