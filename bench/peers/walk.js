// Walks a tree: walk.js DIRECTORY
const { readdir } = require("node:fs/promises");
const { join } = require("node:path");
let entries = 0;
async function walk(directory) {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    entries++;
    if (entry.isDirectory()) await walk(join(directory, entry.name));
  }
}
walk(process.argv[2]).then(() => console.log(entries));
