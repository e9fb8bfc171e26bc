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
   * @param {{node: string, runtime: string, folder: string}} setup the node's program, the chain's first runtime, where it may write
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
    });
    this.ended = undefined;
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
    await this.api?.disconnect();
    await this.provider?.disconnect();
    this.api = undefined;
    this.provider = undefined;
    if (this.process && !this.ended) {
      this.process.kill(signal);
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
    return {
      best: await header(await this.provider.send('chain_getBlockHash', [])),
      final: await header(await this.provider.send('chain_getFinalizedHead', [])),
    };
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

  /** Where it stands, in words. */
  async report() {
    if (!this.provider) return `  ${this.name}: is not running${this.ended ? ` (${this.ended})` : ''}`;
    if (this.ended) return `  ${this.name}: ${this.ended}\n${this.lastWords()}`;
    try {
      const { best, final } = await this.heads();
      const say = ({ number, hash, root }) => `block ${number}, hash ${hash}, state root ${root}`;
      return `  ${this.name}: best ${say(best)}\n    final ${say(final)}\n${this.lastWords()}`;
    } catch (error) {
      return `  ${this.name}: ${error.message}\n${this.lastWords()}`;
    }
  }
}
