// What the runtime says of itself.

import { Writer } from "../kit/scale";

export const SPEC_VERSION: u32 = 1;
export const TRANSACTION_VERSION: u32 = 1;
export const STATE_VERSION: u32 = 1;
export const EXTRINSICS_ROOT_VERSION: u32 = 0;

const APIS: u32 = 6;
// Identifiers of 8 bytes and versions of 4.
const API_LIST = memory.data<u8>([
  0xdf, 0x6a, 0xcb, 0x68, 0x99, 0x07, 0x60, 0x9b, 5, 0, 0, 0, // Core
  0x37, 0xe3, 0x97, 0xfc, 0x7c, 0x91, 0xf5, 0xe4, 2, 0, 0, 0, // Metadata
  0x40, 0xfe, 0x3a, 0xd4, 0x01, 0xf8, 0x95, 0x9a, 6, 0, 0, 0, // BlockBuilder
  0xd2, 0xbc, 0x98, 0x97, 0xee, 0xd0, 0x8f, 0x15, 3, 0, 0, 0, // TaggedTransactionQueue
  0xbc, 0x9d, 0x89, 0x90, 0x4f, 0x5b, 0x92, 0x3f, 1, 0, 0, 0, // AccountNonceApi
  0xfb, 0xc5, 0x77, 0xb9, 0xd7, 0x47, 0xef, 0xd6, 1, 0, 0, 0, // GenesisBuilder
]);

/** Writes the encoded RuntimeVersion. */
export function writeVersion(out: Writer): void {
  out.vecText("ledger");
  out.vecText("heapbase-ledger");
  out.u32(1); // authoring_version
  out.u32(SPEC_VERSION);
  out.u32(0); // impl_version
  out.compact(APIS);
  out.raw(API_LIST, APIS * 12);
  out.u32(TRANSACTION_VERSION);
  out.u8(1); // system_version
}
