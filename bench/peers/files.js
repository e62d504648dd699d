// Reads files, 64 in flight, and prints the bytes: files.js DIRECTORY FILES COUNT
'use strict';
const { readFile } = require('fs');

const [directory, files, count] = process.argv.slice(2);
let begun = 0, ended = 0, total = 0;

function next() {
  if (begun === +count) return;
  readFile(`${directory}/${begun++ % files + 1}`, (error, data) => {
    if (error) throw error;
    total += data.length;
    if (++ended === +count) console.log(total);
    next();
  });
}
for (let i = 0; i < 64; i++) next();
