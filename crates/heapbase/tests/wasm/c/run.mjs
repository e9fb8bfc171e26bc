// Runs the C program. Exit status 1 if an expectation does not hold.
//   node run.mjs MODULE
import { readFileSync } from "node:fs";

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2])));
const line = exports.run();
console.log(line === 0 ? "a C program on malloc and its kin: all as expected" : `test.c:${line}: not as expected`);
process.exit(line === 0 ? 0 : 1);
