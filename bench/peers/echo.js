// Echo with node: reading stops while a write waits.
'use strict';
const net = require('net');

function serve(conn) {
  conn.on('data', (chunk) => {
    if (conn.write(chunk)) return;
    conn.pause();
    conn.once('drain', () => conn.resume());
  });
  conn.on('error', () => conn.destroy());
}

const server = net.createServer({ noDelay: true }, serve);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`127.0.0.1:${server.address().port}`);
});
