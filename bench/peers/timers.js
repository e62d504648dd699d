// Timers with node: timers.js COUNT
'use strict';
const total = Number(process.argv[2]);
let fired = 0;

function count() {
  fired++;
  if (fired === total) console.log(fired);
}

for (let i = 0; i < total; i++) setTimeout(count, i % 1000);
