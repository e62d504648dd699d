// Reads files, 64 in flight: files.js DIRECTORY FILES COUNT
import { readFile } from "node:fs";
const [directory, files, count] = [process.argv[2], +process.argv[3], +process.argv[4]];
let begun = 0, total = 0, ended = 0;
function next() {
  if (begun === count) return;
  readFile(`${directory}/${begun++ % files + 1}`, (error, data) => {
    if (error) throw error;
    total += data.length;
    if (++ended === count) console.log(total);
    next();
  });
}
for (let i = 0; i < 64; i++) next();
