// Runs a program again and again with node, 16 at a time: spawn.js COUNT
'use strict';
const { execFile } = require('child_process');

const total = Number(process.argv[2]);
let left = total;

function start() {
  if (left === 0) return;
  left--;
  execFile('/bin/echo', ['hello'], (error, output) => {
    if (error || output !== 'hello\n') process.exit(1);
    start();
  });
}

for (let i = 0; i < 16; i++) start();
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  console.log((user + system) / total);
});
