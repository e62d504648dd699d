// JSON with node, ns of CPU for a document: json.js FILE encode|decode COUNT [bytes]
// bytes: a server sends bytes, and receives them; a Lua string is such.
'use strict';
const fs = require('fs');

const [file, what, count, bytes] = process.argv.slice(2);
const data = fs.readFileSync(file);
const text = data.toString();
const value = JSON.parse(text);
let work;
if (what === 'encode')
  work = bytes ? () => Buffer.from(JSON.stringify(value))
               : () => JSON.stringify(value);
else
  work = bytes ? () => JSON.parse(data.toString()) : () => JSON.parse(text);

let sum = 0;

function go(n) {
  for (let i = 0; i < n; i++) sum += work() ? 1 : 0;
}

go(count / 10 + 1);
const start = process.cpuUsage();
go(count);
const used = process.cpuUsage(start);
if (sum < count) throw new Error('no result');
console.log(((used.user + used.system) * 1000 / count).toFixed(1));
