// The kit's SCALE against what parity-scale-codec does: every line of `../../vectors/scale.tsv` is decoded, and encoded again where it
// decodes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { arithmetic, decode } from "../out/scale.js";

const lines = readFileSync(new URL("../../vectors/scale.tsv", import.meta.url), "utf8").trimEnd().split("\n");

test("as parity-scale-codec", () => {
  assert(lines.length > 1000);
  lines.forEach((line, index) => {
    const [kind, value, hex] = line.split("\t");
    const answer = decode(kind, Uint8Array.from(Buffer.from(hex, "hex")));
    const place = `scale.tsv:${index + 1}: ${line}`;
    if (value === "!") return assert.equal(answer, "!", place);
    const [shown, again] = answer.split(" ");
    assert.equal(shown.startsWith("0x") ? BigInt(shown).toString() : shown, value, place);
    assert.equal(again, hex, place);
  });
});

test("numbers of 128 bits", () => {
  const all = 1n << 128n;
  const half = (1n << 64n) - 1n;
  const edges = [0n, 1n, half - 1n, half, half + 1n, (half << 64n) - 1n, half << 64n, all - 2n, all - 1n, 1n << 127n];
  const number = (value) => `0x${((value + all) % all).toString(16).padStart(32, "0")}`;
  for (const a of edges) {
    for (const b of edges) {
      assert.equal(
        arithmetic(a >> 64n, a & half, b >> 64n, b & half),
        `${number(a + b)} ${number(a - b)} ${a < b}`,
        `${a} and ${b}`,
      );
    }
  }
});
