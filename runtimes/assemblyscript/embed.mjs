// Writes ledger/embedded.ts: the files that a runtime carries as they are, as data in memory.

import { readFileSync, writeFileSync } from "node:fs";

const files = { METADATA_14: "metadata-v14.scale", METADATA_15: "metadata-v15.scale", PRESET: "development.json" };
const parts = Object.entries(files).map(([name, file]) => {
  const bytes = readFileSync(new URL(`../ledger/${file}`, import.meta.url));
  return `export const ${name}_LEN: u32 = ${bytes.length};\nexport const ${name} = memory.data<u8>([${bytes.join()}]);\n`;
});
writeFileSync(new URL("ledger/embedded.ts", import.meta.url), `// Written by embed.mjs.\n\n${parts.join("\n")}`);
