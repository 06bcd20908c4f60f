/**
 * Runs in one network namespace: opens the sockets it is told to, one JSON line a command and an
 * answer. It sends nothing but what a flow needs: no retransmission, no orderly close.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
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

/**
 * One request. `ping` would send again what was refused here, so it is given no time to.
 *
 * @type {(flow: Flow) => Promise<string>}
 */
const ping = ({ src, dst, sport, size, ttl, timeout }) =>
  new Promise((resolve) => {
    const options = ['-n', '-c1', '-i', '60', '-e', `${sport}`, '-s', `${size}`, dst];
    if (src) options.unshift('-I', src);
    if (ttl) options.unshift('-t', `${ttl}`);
    const child = spawn('ping', options, { stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? 'answered' : 'silent');
    });
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

/** @type {(flow: Flow) => Promise<string>} */
const stream = ({ src, dst, sport, dport, timeout }) =>
  new Promise((resolve) => {
    const from = { localPort: sport, ...(src && { localAddress: src }) };
    const socket = connect({ host: dst, port: dport, family: 4, ...from });
    const timer = setTimeout(() => {
      socket.destroy();
      resolve('silent');
    }, timeout);
    socket.on('connect', () => {
      clearTimeout(timer);
      setTimeout(() => {
        socket.resetAndDestroy();
        resolve('answered');
      }, 30);
    });
    socket.on('error', () => {
      clearTimeout(timer);
      resolve('refused');
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

const run = { icmp: ping, udp: datagram, tcp: stream, listen };

const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit());
lines.on('line', async (line) => {
  /** @type {Flow} */
  const flow = JSON.parse(line);
  const result = await run[flow.protocol](flow);
  process.stdout.write(`${JSON.stringify({ n: flow.n, result })}\n`);
});
