// Walks a tree and prints how many entries there are: walk.js DIRECTORY [sync]
// A list of all, each with its kind: that is what node offers.
const fs = require('fs');

const [directory, how] = process.argv.slice(2);
const options = { recursive: true, withFileTypes: true };
if (how === 'sync') {
  console.log(fs.readdirSync(directory, options).length);
} else {
  fs.promises.readdir(directory, options).then((list) => console.log(list.length));
}
