// CPU of starting and running, ns: tasks.js COUNT async|immediate
// 1,000 at a time, then one turn of the loop. An async function that never
// waits would run inside its caller: here it gives way once, as a task does.
'use strict';
const turns = Math.floor(Number(process.argv[2]) / 1000);
let done = 0;

function work() { done++; }

async function task() {
  await null;
  done++;
}

const start = {
  async: () => { task(); },
  immediate: () => { setImmediate(work); },
}[process.argv[3]];

async function run(count) {
  for (let turn = 0; turn < count; turn++) {
    for (let i = 0; i < 1000; i++) start();
    await new Promise(setImmediate);
  }
}

async function main() {
  await run(Math.floor(turns / 10) + 1);
  done = 0;
  const before = process.cpuUsage();
  await run(turns);
  const { user, system } = process.cpuUsage(before);
  if (done !== turns * 1000) throw new Error(`only ${done} have run`);
  console.log(((user + system) * 1000 / done).toFixed(2));
}

main();
