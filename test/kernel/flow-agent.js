/**
 * Runs in one network namespace: opens the sockets it is told to, one JSON line a command and an
 * answer. It sends nothing but what a flow needs: no retransmission, no orderly close.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * @typedef {object} Flow
 * @property {number} n
 * @property {'tcp' | 'udp' | 'icmp' | 'listen'} protocol
 * @property {string} dst
 * @property {string} [src]
 * @property {number} sport or the id of an echo
 * @property {number} dport
 * @property {number} size
 * @property {number} [ttl]
 * @property {number} timeout milliseconds
 */

const sockets = spawn('python3', [join(import.meta.dirname, 'socket-agent.py')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});

/** @type {Map<number, (result: string) => void>} */
const waiting = new Map();

createInterface({ input: sockets.stdout }).on('line', (line) => {
  /** @type {{ n: number, result: string }} */
  const { n, result } = JSON.parse(line);
  waiting.get(n)?.(result);
  waiting.delete(n);
});

/**
 * Echoes and connections. Not ping(8): it sends again at once what its own machine refused. Not
 * node:net: a connection that an error was sent about before it looks is closed with a FIN.
 *
 * @type {(flow: Flow) => Promise<string>}
 */
const ask = (flow) =>
  new Promise((resolve) => {
    waiting.set(flow.n, resolve);
    sockets.stdin.write(`${JSON.stringify(flow)}\n`);
  });

/** @type {(flow: Flow) => Promise<string>} */
const datagram = ({ src, dst, sport, dport, size, timeout }) =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    /** @param {string} result */
    const end = (result) => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(() => end('silent'), timeout);
    socket.on('error', () => end('refused'));
    socket.on('message', () => end('answered'));
    socket.bind(sport, src, () => {
      socket.connect(dport, dst, () => socket.send(Buffer.alloc(size)));
    });
  });

/**
 * On one address: an answer to a datagram leaves from the address that the question was sent to.
 *
 * @type {(flow: Flow) => Promise<string>}
 */
const listen = ({ dst, dport }) =>
  new Promise((resolve) => {
    const udp = createSocket('udp4');
    udp.on('message', (data, from) => udp.send(data, from.port, from.address));
    udp.on('error', () => undefined);
    udp.bind(dport, dst, () => {
      const tcp = createServer((socket) => socket.on('error', () => undefined));
      tcp.listen(dport, dst, () => resolve('listening'));
    });
  });

const run = { icmp: ask, udp: datagram, tcp: ask, listen };

const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit());
lines.on('line', async (line) => {
  /** @type {Flow} */
  const flow = JSON.parse(line);
  const result = await run[flow.protocol](flow);
  process.stdout.write(`${JSON.stringify({ n: flow.n, result })}\n`);
});
