// Validators: processes of heapbase-node on loopback, and connections to them.

import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { ApiPromise, WsProvider } from '@polkadot/api';

/** How long a node may take to answer after it was started, in milliseconds. */
const START = 180_000;

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A port that nobody listens on. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Whether somebody listens on a port. */
const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (value) => {
      socket.destroy();
      resolve(value);
    };
    socket.on('connect', () => answer(true)).on('error', () => answer(false));
  });

/** No process outlives this one, however it ends. */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143]]) process.on(signal, () => process.exit(status));

export class Validator {
  /**
   * @param {string} account whose keys it has: Alice, Bob, Charlie
   * @param {string} executor heapbase or stock
   * @param {{node: string, runtime: string, folder: string, died: (validator: Validator) => void}} setup the node's program, the chain's
   *   first runtime, where it may write, and who wants to know when the process ends by itself
   */
  constructor(account, executor, setup) {
    this.account = account;
    this.executor = executor;
    this.setup = setup;
    this.log = join(setup.folder, `${account}.log`);
  }

  get name() {
    return `${this.account} (${this.executor})`;
  }

  /** Starts the process, or starts it again with the blocks and the identity that it had. */
  async start(bootnodes) {
    this.port ??= await freePort();
    this.rpcPort ??= await freePort();
    const { node, runtime, folder } = this.setup;
    const log = openSync(this.log, 'a');
    const argv = [
      '--runtime', runtime, '--executor', this.executor, '--validator', this.account,
      '--base-path', join(folder, this.account), '--port', this.port, '--rpc-port', this.rpcPort,
      ...bootnodes.flatMap((address) => ['--bootnode', address]),
    ];
    this.process = spawn(node, argv.map(String), { stdio: ['ignore', log, log] });
    running.add(this.process);
    this.process.on('exit', (code, signal) => {
      running.delete(this.process);
      this.ended = `it ended with ${code ?? signal}`;
      if (!this.ending) this.setup.died(this);
    });
    this.ended = undefined;
    this.ending = false;
    this.url = `ws://127.0.0.1:${this.rpcPort}`;
    // The client would say of every attempt that it failed.
    const end = Date.now() + START;
    while (!this.ended && Date.now() < end && !(await listens(this.rpcPort))) await sleep(100);
    this.provider = new WsProvider(this.url, 500, {}, 60_000);
    const connected = ApiPromise.create({ provider: this.provider, noInitWarn: true, throwOnConnect: false });
    const late = sleep(START).then(() => undefined);
    const died = (async () => {
      while (!this.ended) await sleep(200);
    })();
    this.api = await Promise.race([connected, late, died]);
    if (!this.api) throw new Error(`${this.name} does not answer at ${this.url}${this.ended ? `: ${this.ended}` : ''}\n${this.lastWords()}`);
    this.address ??= `/ip4/127.0.0.1/tcp/${this.port}/p2p/${await this.api.rpc.system.localPeerId()}`;
  }

  /** Ends the process: at once, or as a person would. */
  async end(signal) {
    this.ending = true;
    await this.api?.disconnect();
    await this.provider?.disconnect();
    this.api = undefined;
    this.provider = undefined;
    if (this.process && !this.ended) {
      this.process.kill(signal);
      const patience = Date.now() + 10_000;
      while (!this.ended && Date.now() < patience) await sleep(50);
      this.process.kill('SIGKILL');
      while (!this.ended) await sleep(50);
    }
  }

  /**
   * From now on is only asked what a node answers without executing its runtime. The client reads the metadata of every new runtime, and
   * ends this process where it cannot.
   */
  async neverMindTheRuntime() {
    await this.api.disconnect();
    this.api = undefined;
    this.provider = new WsProvider(this.url, 500, {}, 60_000);
    await this.provider.isReady;
  }

  /** The best block and the last final one: number, hash and root of the state. */
  async heads() {
    const header = async (hash) => {
      const { number, stateRoot } = await this.provider.send('chain_getHeader', [hash]);
      return { number: Number(number), hash, root: stateRoot };
    };
    this.seen = {
      best: await header(await this.provider.send('chain_getBlockHash', [])),
      final: await header(await this.provider.send('chain_getFinalizedHead', [])),
    };
    return this.seen;
  }

  /** What the node answers to a call of an entry point after a block: the output, or the error's message. */
  async executes(entry, hash) {
    try {
      return { output: await this.provider.send('state_call', [entry, '0x', hash]) };
    } catch (error) {
      return { error: error.message };
    }
  }

  /** What it last logged: without the lines that every healthy node logs, and each only where it was said last. */
  lastWords(lines = 12) {
    const said = new Map();
    for (const line of readFileSync(this.log, 'utf8').split('\n')) {
      if (!line || /💤|⚙️|Imported/u.test(line)) continue;
      const words = line.replace(/^[-\d]+ [:\d]+ /u, '');
      said.delete(words);
      said.set(words, line.trimEnd());
    }
    return [...said.values()].slice(-lines).map((line) => `    ${line}`).join('\n');
  }

  /** Where it stands, or last stood, in words. */
  async report() {
    const say = ({ number, hash, root }) => `block ${number}, hash ${hash}, state root ${root}`;
    const stands = ({ best, final }) => `best ${say(best)}\n    final ${say(final)}`;
    let why = this.ended ?? (this.provider ? undefined : 'it is not running');
    if (!why) {
      try {
        const heads = await Promise.race([this.heads(), sleep(5_000)]);
        if (heads) {
          const { error } = await this.executes('Core_version', heads.best.hash);
          const runtime = error ? `\n    whose runtime it cannot execute: ${error.split('\n')[0]}` : '';
          return `  ${this.name}: ${stands(heads)}${runtime}\n${this.lastWords()}`;
        }
        why = 'it does not answer';
      } catch (error) {
        why = error.message;
      }
    }
    return `  ${this.name}: ${why}; when last asked: ${this.seen ? stands(this.seen) : 'never'}\n${this.lastWords()}`;
  }
}
