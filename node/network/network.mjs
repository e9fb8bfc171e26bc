// Networks of three validators on loopback whose chain changes its runtime's heap while it runs.
//
//   node network.mjs NODE RUNTIMES [NAME...]
//
// NODE is the program heapbase-node, RUNTIMES the folder with legacy.wasm, local-next.wasm, v1-next.wasm. NAME chooses among the networks
// below. Prints what happens and how long it takes; where something does not hold: which node, which block, which root, and what
// that node last logged. Then the exit status is 1 and the folder with all logs is kept.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keyring } from '@polkadot/api';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import { agree, Disagreement, finalNumber, Late, runtimeVersion, transfers, until, untilFinal, upgrade } from './chain.mjs';
import { Validator } from './validators.mjs';

const [node, runtimes, ...chosen] = process.argv.slice(2);
if (!runtimes) {
  console.error('usage: node network.mjs NODE RUNTIMES [NAME...]');
  process.exit(2);
}

/** Transfers that each validator is sent at a time. */
const TRANSFERS = 5;

const networks = {
  local: {
    title: 'legacy to local, one of the validators with the stock executor',
    executors: ['heapbase', 'heapbase', 'stock'],
    next: 'local-next',
  },
  v1: {
    title: 'legacy to v1, all validators with heapbase-host',
    executors: ['heapbase', 'heapbase', 'heapbase'],
    next: 'v1-next',
  },
  refused: {
    title: 'legacy to v1, one of the validators with the stock executor, which must be found out',
    executors: ['heapbase', 'heapbase', 'stock'],
    next: 'v1-next',
    refuses: 2,
  },
};

const begun = Date.now();
const say = (text) => console.log(`[${((Date.now() - begun) / 1000).toFixed(0).padStart(4)} s] ${text}`);

await cryptoWaitReady();
const keyring = new Keyring({ type: 'sr25519' });
// The first three send, the last three receive.
const accounts = ['Alice', 'Bob', 'Charlie', 'Dave', 'Eve', 'Ferdie'].map((name) => keyring.addFromUri(`//${name}`, { name }));

async function live({ executors, next, refuses }, validators) {
  const [alice, bob, charlie] = validators;
  await alice.start([]);
  await Promise.all([bob, charlie].map((validator) => validator.start([alice.address])));
  await untilFinal(validators, 1);
  const genesis = alice.api.genesisHash.toHex();
  say(`${executors.length} validators (${executors.join(', ')}), chain ${genesis}, block 1 is final on all`);

  const say_transfers = ({ count, blocks, last }) => say(`${count} transfers in ${blocks} blocks up to block ${last} are final on all`);
  say_transfers(await transfers(validators, accounts, TRANSFERS));

  if (refuses !== undefined) return refusal(validators, refuses, next);
  const at = await upgrade(validators, accounts[0], join(runtimes, `${next}.wasm`), 2);
  say(`the runtime is ${next} from block ${at + 1} on, on all`);
  say_transfers(await transfers(validators, accounts, TRANSFERS));

  // Two of three are not more than two thirds: nothing becomes final until the third is back.
  await charlie.end('SIGKILL');
  const rest = [alice, bob];
  const { best } = await alice.heads();
  say(`${charlie.name} was killed at block ${best.number}`);
  await until(`block ${best.number + 2}`, rest, async (validator) => (await validator.heads()).best.number >= best.number + 2);
  const stands = await finalNumber(alice);
  say(`the others are at block ${(await alice.heads()).best.number}, of which ${stands} are final`);
  await charlie.start([alice.address, bob.address]);
  await untilFinal(validators, best.number + 2);
  say(`${charlie.name} is back, block ${best.number + 2} is final on all`);
  say_transfers(await transfers(validators, accounts, TRANSFERS));

  const { last, root } = await agree(validators);
  say(`all agree on the ${last + 1} final states up to block ${last}, root ${root}`);
}

/** The upgrade is one that a node cannot follow: it has to stop at the upgrade's block, and the others have to go on. */
async function refusal(validators, refuses, next) {
  const refusing = validators[refuses];
  const others = validators.filter((_, who) => who !== refuses);
  const [alice] = others;
  const { api } = alice;
  await refusing.neverMindTheRuntime();
  const before = (await alice.heads()).best.number;
  const code = `0x${readFileSync(join(runtimes, `${next}.wasm`)).toString('hex')}`;
  await api.tx.sudo.sudoUncheckedWeight(api.tx.system.setCode(code), { refTime: 0, proofSize: 0 }).signAndSend(accounts[0]);
  await until('upgraded runtime', others, async (validator) => (await runtimeVersion(validator, (await validator.heads()).best.hash)) === 2);
  // The first block whose state holds the new runtime.
  let number;
  await until('block with the new runtime', [alice], async () => {
    // Again from the start: until it is final, another chain may become the best one.
    const { best } = await alice.heads();
    for (number = before; number <= best.number; number += 1) {
      if ((await runtimeVersion(alice, await api.rpc.chain.getBlockHash(number))) === 2) return true;
    }
    return false;
  });
  const hash = (await api.rpc.chain.getBlockHash(number)).toHex();
  await until(`block ${number + 3}`, others, async (validator) => (await validator.heads()).best.number >= number + 3);
  say(`block ${number} has the new runtime; the others are at block ${(await alice.heads()).best.number}`);

  const followed = await until(`block ${number + 1}`, [refusing], async () => (await refusing.heads()).best.number > number, 30_000).then(
    () => true,
    (error) => {
      if (error instanceof Late) return false;
      throw error;
    },
  );
  const { best } = await refusing.heads();
  const where = `${refusing.name}: block ${best.number}, hash ${best.hash}, state root ${best.root}`;
  if (followed) throw new Disagreement(`${where}: it followed a runtime that it cannot execute`);
  if (best.hash !== hash) throw new Disagreement(`${where}: it stopped elsewhere than at block ${number}, hash ${hash}`);
  const { output, error } = await refusing.executes('Core_version', hash);
  if (!/unreachable[^]*FromHeapBase/u.test(error ?? '')) throw new Disagreement(`${where}: Core_version is not what stops it: ${error ?? output}`);
  say(`found out as it should be: ${where}`);
  console.log(`  Core_version there: ${error.split('\n')[0]}`);
  console.log(await refusing.report());
}

for (const name of chosen) {
  if (!networks[name]) {
    console.error(`no network is called ${name}: ${Object.keys(networks).join(', ')}`);
    process.exit(2);
  }
}

// Whatever fails outside of what is waited for: a node that ends by itself, and the client, which throws where nobody can catch it
// when a node cannot execute its runtime.
let fail;
const broken = new Promise((_, reject) => {
  fail = reject;
});
broken.catch(() => {});
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
const died = (validator) => fail(new Disagreement(`${validator.name}: ${validator.ended}`));

for (const name of chosen.length ? chosen : Object.keys(networks)) {
  const network = networks[name];
  say(`== ${name}: ${network.title}`);
  const folder = mkdtempSync(join(tmpdir(), `heapbase-network-${name}-`));
  const setup = { node, runtime: join(runtimes, 'legacy.wasm'), folder, died };
  const validators = ['Alice', 'Bob', 'Charlie'].map((account, who) => new Validator(account, network.executors[who], setup));
  try {
    await Promise.race([live(network, validators), broken]);
  } catch (error) {
    say(`FAILED: ${error instanceof Disagreement ? error.message : error.stack}`);
    for (const validator of validators) console.log(await validator.report());
    console.log(`  all logs: ${folder}`);
    process.exit(1);
  }
  await Promise.all(validators.map((validator) => validator.end('SIGTERM')));
  rmSync(folder, { recursive: true });
}
say('all networks agree');
process.exit(0);
