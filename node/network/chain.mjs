// What is done on the chain, and what has to hold on every node.

import { readFileSync } from 'node:fs';
import { sleep } from './validators.mjs';

/** How long anything on the chain may take before somebody is said to be stuck, in milliseconds. */
const PATIENCE = Number(process.env.NETWORK_PATIENCE ?? 240) * 1000;

/** What did not hold, where. */
export class Disagreement extends Error {}

/** What did not come in time. */
export class Late extends Disagreement {}

/** Waits until `done` says so on every one of the validators; says which did not come so far, and where all stand. */
export async function until(what, validators, done, patience = PATIENCE) {
  const end = Date.now() + patience;
  let waiting = validators;
  for (;;) {
    const still = [];
    for (const validator of waiting) {
      if (validator.ended) throw new Disagreement(`${validator.name}: ${validator.ended} while waiting for ${what}`);
      if (!(await done(validator))) still.push(validator);
    }
    if (still.length === 0) return;
    if (Date.now() > end) {
      throw new Late(`${still.map(({ name }) => name).join(', ')}: no ${what} after ${patience / 1000} s`);
    }
    waiting = still;
    await sleep(500);
  }
}

export const finalNumber = async (validator) => (await validator.heads()).final.number;

/** The version of the runtime that the state after a block holds. */
export const runtimeVersion = async ({ api }, hash) => (await api.rpc.state.getRuntimeVersion(hash)).specVersion.toNumber();

/** Waits until block `number` is final everywhere. */
export const untilFinal = (validators, number) =>
  until(`final block ${number}`, validators, async (validator) => (await finalNumber(validator)) >= number);

/**
 * Sends a transaction to one validator and waits until that one says it is final; returns the hash of the block it is in. What the
 * transaction did is for the caller to look at: the client cannot read the events of the block that changes the runtime.
 */
export async function send(validator, signer, transaction, options = {}) {
  const { api } = validator;
  const name = `${transaction.method.section}.${transaction.method.method}`;
  const signed = await transaction.signAsync(signer, options);
  let stop = () => {};
  let late;
  try {
    return await new Promise((resolve, reject) => {
      late = setTimeout(() => reject(new Disagreement(`${validator.name}: ${name} is not final after ${PATIENCE / 1000} s`)), PATIENCE);
      api.rpc.author
        .submitAndWatchExtrinsic(signed, (status) => {
          if (status.isFinalized) resolve(status.asFinalized.toHex());
          else if (status.isInvalid || status.isDropped || status.isUsurped) reject(new Disagreement(`${validator.name}: ${name} is ${status.type}`));
        })
        .then((unsubscribe) => {
          stop = unsubscribe;
        }, reject);
    });
  } finally {
    clearTimeout(late);
    stop();
  }
}

/**
 * Every validator is sent transfers by an account of its own; all of them have to become final on all nodes.
 * Returns the number of the last block that has one.
 */
export async function transfers(validators, accounts, count) {
  const { api } = validators[0];
  const amount = api.registry.createType('Balance', 1_000_000_000_000n);
  const recipients = accounts.slice(-validators.length);
  const free = async (at, { address }) => (await at.query.system.account(address)).data.free.toBigInt();
  const before = await Promise.all(recipients.map((account) => free(api, account)));
  const nonces = await Promise.all(validators.map((validator, who) => validator.api.rpc.system.accountNextIndex(accounts[who].address)));
  const sent = validators.flatMap((validator, who) =>
    Array.from({ length: count }, (_, index) =>
      send(validator, accounts[who], validator.api.tx.balances.transferKeepAlive(recipients[who].address, amount), {
        nonce: nonces[who].toNumber() + index,
      }),
    ),
  );
  const hashes = [...new Set(await Promise.all(sent))];
  const headers = await Promise.all(hashes.map((hash) => api.rpc.chain.getHeader(hash)));
  const last = Math.max(...headers.map(({ number }) => number.toNumber()));
  await untilFinal(validators, last);
  for (const validator of validators) {
    const hash = await validator.api.rpc.chain.getBlockHash(last);
    const at = await validator.api.at(hash);
    for (const [who, account] of recipients.entries()) {
      const now = await free(at, account);
      const expected = before[who] + BigInt(count) * amount.toBigInt();
      if (now !== expected) {
        const { stateRoot } = await validator.api.rpc.chain.getHeader(hash);
        throw new Disagreement(`${validator.name}: block ${last}, hash ${hash}, state root ${stateRoot}: ${account.meta.name} has ${now}, not ${expected}`);
      }
    }
  }
  return { count: sent.length, blocks: hashes.length, last };
}

/** Gives the chain another runtime, and waits until it runs on every one of the validators. */
export async function upgrade(validators, root, file, version) {
  const [first] = validators;
  const { api } = first;
  const code = `0x${readFileSync(file).toString('hex')}`;
  const hash = await send(first, root, api.tx.sudo.sudoUncheckedWeight(api.tx.system.setCode(code), { refTime: 0, proofSize: 0 }));
  const number = (await api.rpc.chain.getHeader(hash)).number.toNumber();
  await runs(validators, number, version);
  return number;
}

/** Waits until the block after `number` is final everywhere, and asks everyone for the version that it was made by. */
export async function runs(validators, number, version) {
  await untilFinal(validators, number + 1);
  for (const validator of validators) {
    const hash = await validator.api.rpc.chain.getBlockHash(number + 1);
    const found = await runtimeVersion(validator, hash);
    if (found !== version) {
      const { stateRoot } = await validator.api.rpc.chain.getHeader(hash);
      throw new Disagreement(`${validator.name}: block ${number + 1}, hash ${hash}, state root ${stateRoot}: the runtime's version is ${found}, not ${version}`);
    }
  }
}

/**
 * All have the same final blocks and the same state after each: the hash, the header's root, and what they read from their own
 * database of that state.
 */
export async function agree(validators) {
  const last = Math.min(...(await Promise.all(validators.map(finalNumber))));
  let root;
  for (let number = 0; number <= last; number += 1) {
    const views = await Promise.all(
      validators.map(async ({ name, api }) => {
        const hash = await api.rpc.chain.getBlockHash(number);
        const header = await api.rpc.chain.getHeader(hash);
        // Of every account, so that the states are read and not only their roots compared.
        const accounts = await api.rpc.state.getPairs(api.query.system.account.keyPrefix(), hash);
        return { name, hash: hash.toHex(), root: header.stateRoot.toHex(), accounts: accounts.toHex() };
      }),
    );
    const [first] = views;
    for (const view of views) {
      for (const what of ['hash', 'root', 'accounts']) {
        if (view[what] !== first[what]) {
          const all = views.map((each) => `  ${each.name}: hash ${each.hash}, state root ${each.root}`).join('\n');
          throw new Disagreement(`block ${number}: ${view.name} and ${first.name} have different ${what}\n${all}`);
        }
      }
    }
    root = first.root;
  }
  return { last, root };
}
