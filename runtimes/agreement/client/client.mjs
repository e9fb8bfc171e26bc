// The ledger as a client sees it: @polkadot/api reads the metadata, finds an account, signs a transfer, and the ledger takes it.
//
//   node client.mjs LEDGER.wasm SAMPLE.json        HEAPBASE names the command `heapbase`
//
// SAMPLE.json is a block with its events, as `cargo run --bin sample` in .. prints it.

import { execFileSync } from 'node:child_process';
import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keyring } from '@polkadot/api';
import { Metadata, TypeRegistry, expandMetadata } from '@polkadot/types';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import { hexToU8a, u8aConcat, u8aToHex } from '@polkadot/util';

const [ledger, sample] = process.argv.slice(2);
const heapbase = process.env.HEAPBASE ?? 'heapbase';
const scratch = mkdtempSync(join(tmpdir(), 'ledger-client-'));
process.on('exit', () => rmSync(scratch, { recursive: true }));

/** Calls an entry point on a state. */
function call(entry, input, top = {}) {
  const state = join(scratch, 'state.json');
  writeFileSync(state, JSON.stringify({ top, childrenDefault: {}, state_version: 1 }));
  const argv = ['call', ledger, entry, '--input', u8aToHex(input), '--state', state, '--json'];
  return hexToU8a(JSON.parse(execFileSync(heapbase, argv, { encoding: 'utf8' })).output);
}

await cryptoWaitReady();
const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });
const alice = keyring.addFromUri('//Alice');
const eve = keyring.addFromUri('//Eve', {}, 'ed25519');
const version = { specVersion: 1, transactionVersion: 1 };
const genesisHash = `0x${'5a'.repeat(32)}`;

for (const number of [14, 15]) {
  // What the runtime answers, not the file: an option of bytes.
  const registry = new TypeRegistry();
  const answer = call('Metadata_metadata_at_version', new Uint8Array([number, 0, 0, 0]));
  const opaque = registry.createType('Option<Bytes>', answer).unwrap();
  const metadata = new Metadata(registry, opaque.toHex());
  registry.setMetadata(metadata);
  const { tx, query, consts } = expandMetadata(registry, metadata);
  assert.equal(consts.balances.existentialDeposit.toString(), '1000');
  assert.equal(consts.system.version.specName.toString(), 'ledger');

  // Accounts of both kinds of keys, written as the client would read them.
  const info = { nonce: 3, providers: 1, data: { free: '123456789012345678901234567890' } };
  const type = registry.createLookupType(query.system.account.meta.type.asMap.value);
  const top = {};
  for (const pair of [alice, eve]) {
    const key = registry.createType('StorageKey', [query.system.account, [pair.address]]).toHex();
    top[key] = registry.createType(type, info).toHex();
  }

  for (const pair of [alice, eve]) {
    assert.equal(u8aToHex(call('AccountNonceApi_account_nonce', pair.publicKey, top)), '0x03000000');
    const transfer = tx.balances.transferKeepAlive(pair === alice ? eve.address : alice.address, '98765432109876543210');
    const sign = (nonce, genesis) => {
      const extrinsic = registry.createType('Extrinsic', transfer, { version: 4 });
      extrinsic.sign(pair, { blockHash: genesis, genesisHash: genesis, nonce, runtimeVersion: version, era: '0x00', tip: 0 });
      return extrinsic;
    };
    const validate = (extrinsic) =>
      u8aToHex(call('TaggedTransactionQueue_validate_transaction', u8aConcat([2], extrinsic.toU8a(), hexToU8a(genesisHash)), top));
    assert.match(validate(sign(3, genesisHash)), /^0x00/, 'a transfer as it should be');
    assert.equal(validate(sign(2, genesisHash)), '0x010003', 'stale');
    assert.equal(validate(sign(3, `0x${'00'.repeat(32)}`)), '0x010004', 'bad proof');
  }

  // A block and its events.
  const block = JSON.parse(readFileSync(sample, 'utf8'));
  const events = registry.createType('Vec<EventRecord>', block.events);
  const calls = block.extrinsics.map((bytes) => registry.createType('Extrinsic', bytes));
  assert.equal(events.toHex(), block.events);
  assert.deepEqual(calls.map((one) => one.toHex()), block.extrinsics);
  const names = calls.map(({ method }) => `${method.section}.${method.method}`);
  assert.equal(names[0], 'timestamp.set');
  assert.ok(names.slice(1).every((name) => name === 'balances.transferKeepAlive'));
  const happened = events.map(({ event }) => `${event.section}.${event.method}`);
  for (const [name, count] of [['system.ExtrinsicSuccess', names.length], ['balances.Transfer', names.length - 1]]) {
    assert.equal(happened.filter((one) => one === name).length, count, name);
  }
  const header = registry.createType('Header', block.header);
  assert.equal(header.toHex(), block.header);
  console.log(`metadata ${number}: ${names.length} extrinsics, ${happened.length} events, transfers signed and taken`);
}
