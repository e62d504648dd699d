// With node: what bench/saves.lua changes while it serves, see
// bench/neap/reload.lua: reload.mjs PORT PORT2 TICKS
import { appendFileSync } from 'node:fs';
import net from 'node:net';

const VERSION = 0;
const [port, port2, ticks] = process.argv.slice(2);
let lines = 0;

function serve(conn) {
  conn.on('data', () => conn.write(`version ${VERSION} lines ${++lines}\n`));
  conn.on('error', () => conn.destroy());
}

function listen(on, done) {
  net.createServer({ noDelay: true }, serve).listen(on, '127.0.0.1', done);
}

setInterval(() => appendFileSync(ticks, `${VERSION}\n`), 50);

// second server
listen(Number(port2));
// end
listen(Number(port), () => console.log(`127.0.0.1:${port}`));

// node --watch runs it in a child: that must not outlive its parent.
process.on('disconnect', () => process.exit());
