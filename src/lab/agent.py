"""The one process inside the private copy of the network: it holds namespaces, captures and sockets.

Speaks JSON, one object a line: {"op": ...} on stdin, {"ok": ...} or {"error": ...} on stdout. A
capture is one AF_PACKET ring a namespace, bound to no device and never promiscuous: it sees each
frame of each device in both directions with its whole Ethernet header, stamped when the tap saw it,
and nobody is woken while the packet walks. When this process ends, the kernel takes everything away.
"""
import base64
import ctypes
import errno
import fcntl
import json
import mmap
import os
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET, MS_BIND, MS_REC, MS_PRIVATE = 0x40000000, 0x1000, 0x4000, 1 << 18
# linux/if_packet.h
SOL_PACKET, PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION, TPACKET_V2 = 263, 5, 6, 10, 1
ETH_P_ALL, OUTGOING = 3, 4
FRAME, FRAMES, BLOCK = 2048, 512, 1 << 16
# linux/in.h, linux/icmp.h
IP_PKTINFO, IP_RECVERR, IP_FREEBIND, ICMP_FILTER, SOL_RAW = 8, 11, 15, 1, 255
# linux/rtnetlink.h, linux/neighbour.h, linux/netfilter/nfnetlink_conntrack.h
RTM_DELNEIGH, RTM_GETNEIGH, NLMSG_ERROR, NLMSG_DONE = 29, 30, 2, 3
NLM_REQUEST, NLM_ACK, NLM_DUMP = 1, 4, 0x300
NUD_CONFIGURED = 0x80 | 0x40
NDA_DST, NDA_LLADDR, NTF_SELF, NTF_MASTER = 1, 2, 2, 4
NETLINK_ROUTE, NETLINK_NETFILTER, CT_DELETE = 0, 12, 1 << 8 | 2
# linux/netfilter/nfnetlink_acct.h
ACCT_NEW, NFACCT_NAME, NLM_CREATE = 7 << 8, 1, 0x400
SIOCOUTQ, TCP_SYN_SENT = 0x5411, 2

START, BOOT = time.time_ns(), time.monotonic_ns()
own = os.open('/proc/self/ns/net', os.O_RDONLY)
spaces = {}  # name: file descriptor of the namespace
rings = {}  # name: Ring
netlinks = {}  # (name, family): socket
flushers = {}  # name: file descriptor of its net.ipv4.route.flush
companions = []  # (process, standard output, standard error)
drops = None  # Drops, where the machine allows it
kept = None  # Client whose socket sends again
attending = {}  # file descriptor: listener that stays
tracked = set()  # namespaces with connection tracking
ruled = set()  # namespaces with firewall rules
with_nft = set()  # namespaces with tables that nft made
dynamic = {}  # name: what empties the sets that rules of nft add to


def check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f'{what}: {os.strerror(code)}')


def enter(name):
    check(LIBC.setns(spaces[name] if name else own, CLONE_NEWNET), f'setns {name}')


def within(name, kind, kind2, protocol=0):
    """A socket that belongs to the namespace for ever, whoever uses it."""
    enter(name)
    return socket.socket(kind, kind2, protocol)


class Ring:
    """The frames of one namespace, read from memory shared with the kernel (packet_mmap)."""

    def __init__(self, name):
        self.sock = within(name, socket.AF_PACKET, socket.SOCK_RAW)
        self.sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        size = struct.pack('IIII', BLOCK, FRAME * FRAMES // BLOCK, FRAME, FRAMES)
        self.sock.setsockopt(SOL_PACKET, PACKET_RX_RING, size)
        self.memory = mmap.mmap(self.sock.fileno(), FRAME * FRAMES)
        address = struct.pack('HHiHBB8x', socket.AF_PACKET, socket.htons(ETH_P_ALL), 0, 0, 0, 0)
        check(LIBC.bind(self.sock.fileno(), address, len(address)), 'bind')
        self.at = 0

    def drain(self):
        """Frames since the last call: [ns since the start, ifindex, outgoing, bytes on the wire, hex]."""
        found = []
        memory = self.memory
        while True:
            base = self.at * FRAME
            if not memory[base] & 1:
                return found
            _, length, kept, mac, _, sec, nsec = struct.unpack_from('IIIHHII', memory, base)
            ifindex, _, kind = struct.unpack_from('=iHB', memory, base + 36)
            frame = memory[base + mac:base + mac + kept].hex()
            found.append([sec * 10**9 + nsec - START, ifindex, kind == OUTGOING, length, frame])
            memory[base:base + 4] = b'\0\0\0\0'
            self.at = (self.at + 1) % FRAMES

    def lost(self):
        return struct.unpack('II', self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]


class Drops:
    """The kernel's own words for dropped IPv4 packets: tracepoint skb:kfree_skb, machine-wide.

    A trace instance of our own, named after this process so that one left by a killed process is
    known and removed by the next.
    """

    HOME = '/sys/kernel/tracing'
    LINE = re.compile(r' (\d+)\.(\d+): kfree_skb: .* reason: (\w+)')

    def __init__(self):
        if not os.path.exists(f'{self.HOME}/instances'):
            check(LIBC.mount(b'tracefs', self.HOME.encode(), b'tracefs', 0, None), 'tracefs')
        for name in os.listdir(f'{self.HOME}/instances'):
            if name.startswith('k8snet-') and not os.path.exists(f'/proc/{name[7:]}'):
                os.rmdir(f'{self.HOME}/instances/{name}')
        self.folder = f'{self.HOME}/instances/k8snet-{os.getpid()}'
        os.mkdir(self.folder)
        self.write('trace_clock', 'mono')
        self.write('buffer_size_kb', '256')
        self.write('events/skb/kfree_skb/filter', 'protocol == 0x0800')
        self.write('events/skb/kfree_skb/enable', '1')

    def write(self, file, text):
        with open(f'{self.folder}/{file}', 'w') as target:
            target.write(text)

    def drain(self):
        """Since the last call: [ns since the start, reason], in the order of time."""
        with open(f'{self.folder}/trace') as file:
            lines = [self.LINE.search(line) for line in file]
        self.write('trace', '')
        found = [match.groups() for match in lines if match]
        return [[int(s) * 10**9 + int(us) * 1000 - BOOT, why] for s, us, why in found]

    def close(self):
        self.write('events/skb/kfree_skb/enable', '0')
        os.rmdir(self.folder)


def attributes(body):
    found = {}
    while len(body) >= 4:
        size, kind = struct.unpack_from('HH', body)
        found[kind & 0x3FFF] = body[4:size]
        body = body[(size + 3) & ~3:]
    return found


def ask(name, family, kind, flags, body):
    """One netlink request in a namespace; yields the answers' bodies, raises what the kernel says."""
    if (name, family) not in netlinks:
        netlinks[name, family] = within(name, socket.AF_NETLINK, socket.SOCK_RAW, family)
    sock = netlinks[name, family]
    sock.send(struct.pack('IHHII', 16 + len(body), kind, NLM_REQUEST | flags, 1, 0) + body)
    while True:
        data = sock.recv(1 << 16)
        while data:
            size, kind = struct.unpack_from('IH', data)
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                code = -struct.unpack_from('i', data, 16)[0]
                if code:
                    raise OSError(code, f'netlink in {name}: {os.strerror(code)}')
                return
            yield data[16:size]
            data = data[(size + 3) & ~3:]


def flush_neighbours(name, family):
    """Forgets every learned row: neighbours (AF_INET), bridge and VXLAN FDB (AF_BRIDGE)."""
    head = struct.pack('BxxxiHBB', family, 0, 0, 0, 0)
    for row in list(ask(name, NETLINK_ROUTE, RTM_GETNEIGH, NLM_DUMP, head)):
        _, ifindex, state, flags, _ = struct.unpack_from('BxxxiHBB', row)
        if state & NUD_CONFIGURED:
            continue
        keys = attributes(row[12:])
        flags &= NTF_SELF | NTF_MASTER
        body = struct.pack('BxxxiHBB', family, ifindex, state, flags, 0)
        for key in (NDA_DST, NDA_LLADDR) if family == socket.AF_BRIDGE else (NDA_DST,):
            if key in keys:
                size = len(keys[key])
                body += struct.pack('HH', size + 4, key) + keys[key] + bytes(-size % 4)
        try:
            list(ask(name, NETLINK_ROUTE, RTM_DELNEIGH, NLM_ACK, body))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise


def forget_clients(name):
    """Empties the lists of the recent match (xt_recent.c: writing `/`)."""
    enter(name)
    lists = '/proc/self/net/xt_recent'
    for entry in os.listdir(lists) if os.path.isdir(lists) else ():
        with open(f'{lists}/{entry}', 'w') as file:
            file.write('/')
    enter(None)


def cold():
    """Forgets what earlier packets left behind, so that the next one meets a fresh boot."""
    for name in spaces:
        flush_neighbours(name, socket.AF_INET)
        flush_neighbours(name, socket.AF_BRIDGE)
        os.pwrite(flushers[name], b'-1', 0)  # route exceptions: learned MTUs and redirects
    forget()
    for name in ruled:
        forget_clients(name)
    run([{'ns': name, 'argv': ['nft', '-f', '-'], 'input': text} for name, text in dynamic.items()], 2)
    for ring in rings.values():
        ring.drain()
    if drops:
        drops.drain()


def make(names):
    """Named namespaces, visible to `ip netns` inside this private copy only."""
    os.makedirs('/run/netns', exist_ok=True)
    for name in names:
        check(LIBC.unshare(CLONE_NEWNET), 'unshare')
        path = f'/run/netns/{name}'
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY))
        check(LIBC.mount(b'/proc/self/ns/net', path.encode(), b'none', MS_BIND, None), 'mount')
        spaces[name] = os.open(path, os.O_RDONLY)
        flushers[name] = os.open('/proc/sys/net/ipv4/route/flush', os.O_WRONLY)
    enter(None)


def account(name, counters):
    """Named counters of one namespace, which rules name (`nfacct add`)."""
    for counter in counters:
        text = counter.encode() + b'\0'
        body = bytes(4) + struct.pack('HH', len(text) + 4, NFACCT_NAME) + text + bytes(-len(text) % 4)
        list(ask(name, NETLINK_NETFILTER, ACCT_NEW, NLM_ACK | NLM_CREATE, body))


def write(name, values):
    """Sysctls of one namespace by path under /proc/sys; answers those that could not be written."""
    enter(name)
    failed = []
    for path, value in values:
        try:
            with open(f'/proc/sys/{path}', 'wb', buffering=0) as file:
                file.write(value.encode())
        except OSError as error:
            failed.append([path, error.strerror])
    return failed


def content(fd):
    return os.pread(fd, os.fstat(fd).st_size, 0)


def run(jobs, width):
    """Commands in namespaces, a few at a time: [code, stdout, stderr] each, in the order asked."""
    waiting, busy, done = list(enumerate(jobs)), [], [None] * len(jobs)
    while waiting or busy:
        while waiting and len(busy) < width:
            at, job = waiting.pop(0)
            enter(job.get('ns'))
            entry = tuple(os.memfd_create(part) for part in ('in', 'out', 'err'))
            os.pwrite(entry[0], job.get('input', '').encode(), 0)
            process = subprocess.Popen(
                job['argv'], stdin=entry[0], stdout=entry[1], stderr=entry[2], cwd='/')
            busy.append((at, process, entry))
        at, process, entry = busy.pop(0)
        code = process.wait()
        texts = []
        for fd in entry[1:]:
            texts.append(content(fd).decode(errors='replace'))
        for fd in entry:
            os.close(fd)
        done[at] = [code, *texts]
    enter(None)
    return done


def spawn(jobs, ready):
    """Starts commands that run beside the probes; each has said `ready` on stderr on return."""
    for job in jobs:
        enter(job.get('ns'))
        out, err = os.memfd_create('out'), os.memfd_create('err')
        process = subprocess.Popen(
            job['argv'], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd='/')
        companions.append((process, out, err))
    enter(None)
    for process, _, err in companions:
        while ready not in content(err) and process.poll() is None:
            time.sleep(0.01)


def reap():
    """Interrupts what `spawn` started: standard output of each, in base64, in the order started."""
    texts = []
    for process, _, _ in companions:
        process.send_signal(signal.SIGINT)
    for process, out, err in companions:
        process.wait()
        texts.append(base64.b64encode(content(out)).decode())
        os.close(out)
        os.close(err)
    companions.clear()
    return texts


def listen(entry):
    """A listener that answers from the address it was asked at, as a server with care does."""
    stream = entry['protocol'] == 'tcp'
    sock = within(entry['ns'], socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
    if stream:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        sock.setsockopt(socket.SOL_IP, IP_PKTINFO, 1)
    sock.bind((entry['ip'], entry['port']))
    if stream:
        sock.listen(8)
    sock.setblocking(False)
    return sock


def serve(sock, taken, callers, answer=None):
    """TCP: accept and read. UDP: one datagram back, the answer or the same bytes. Notes who called."""
    if sock.type == socket.SOCK_STREAM:
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            more, peer = sock.accept()
            callers.append(peer)
            taken.append(more)
            more.setblocking(False)
            return more
        sock.recv(1 << 16)
        return None
    data, control, _, peer = sock.recvmsg(1 << 16, 64)
    callers.append(peer)
    _, asked, _ = struct.unpack('i4s4s', control[0][2])
    info = [(socket.SOL_IP, IP_PKTINFO, struct.pack('i4s4s', 0, asked, bytes(4)))]
    sock.sendmsg([data if answer is None else bytes.fromhex(answer)], info, 0, peer)
    return None


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data[:len(data) & ~1]))
    total += data[-1] << 8 if len(data) & 1 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Client:
    """The sender: `outcome` is None while it waits, then 'ok' or the errno its socket saw."""

    def __init__(self, wanted):
        self.outcome = None
        self.wanted = wanted
        self.sent = False
        protocol = wanted['protocol']
        kind, number = {
            'tcp': (socket.SOCK_STREAM, 0),
            'udp': (socket.SOCK_DGRAM, 0),
            'icmp': (socket.SOCK_RAW, socket.IPPROTO_ICMP),
        }[protocol]
        self.sock = within(wanted['ns'], socket.AF_INET, kind, number)
        self.sock.setblocking(False)
        if wanted.get('ttl'):
            self.sock.setsockopt(socket.SOL_IP, socket.IP_TTL, wanted['ttl'])
        size = wanted.get('size')
        try:
            if protocol == 'icmp':
                self.sock.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack('I', ~1 & 0xFFFFFFFF))
                self.sock.setsockopt(socket.SOL_IP, IP_RECVERR, 1)
                if wanted.get('src'):
                    self.sock.bind((wanted['src'], 0))
                head = struct.pack('!HH', wanted['sport'], 1) + bytes(56 if size is None else size)
                whole = checksum(b'\x08\0\0\0' + head)
                self.sock.sendto(struct.pack('!BBH', 8, 0, whole) + head, (wanted['dst'], 0))
                return
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((wanted.get('src') or '0.0.0.0', wanted['sport']))
            self.sock.connect((wanted['dst'], wanted['dport']))
            if protocol == 'udp':
                payload = wanted.get('payload')
                self.sock.send(bytes(size or 0) if payload is None else bytes.fromhex(payload))
        except BlockingIOError:
            pass
        except OSError as error:
            self.outcome = errno.errorcode.get(error.errno, str(error.errno))

    def send_again(self):
        """Another datagram out of the same socket."""
        self.outcome = None
        # An error about the first one that came after its fate was known.
        self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            self.sock.send(bytes(self.wanted.get('size') or 0))
        except OSError as error:
            self.outcome = errno.errorcode.get(error.errno, str(error.errno))
        return self

    def look(self):
        """Called while it waits: has the socket heard anything?"""
        protocol = self.wanted['protocol']
        try:
            if protocol == 'tcp':
                code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, '')
                try:
                    self.sock.getpeername()
                except OSError:
                    return
                size = self.wanted.get('size') or 0
                if size and not self.sent:
                    self.sent = True
                    self.sock.send(bytes(size))
                if struct.unpack('i', fcntl.ioctl(self.sock, SIOCOUTQ, bytes(4))) == (0,):
                    self.outcome = 'ok'
            elif protocol == 'udp':
                self.sock.recv(1 << 16)
                self.outcome = 'ok'
            else:
                data = self.sock.recv(1 << 16)
                at = (data[0] & 15) * 4
                if struct.unpack_from('!H', data, at + 4)[0] == self.wanted['sport']:
                    self.outcome = 'ok'
        except BlockingIOError:
            pass
        except OSError as error:
            self.outcome = errno.errorcode.get(error.errno, str(error.errno))


    def is_waiting(self):
        """Whether its SYN was never answered."""
        if self.wanted['protocol'] != 'tcp':
            return False
        return self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_SYN_SENT


def note_arp(frame, asked, answered):
    """Keeps who asked for whom, and which questions were answered (asker and asked for, in hex)."""
    if frame[24:28] == '0806':
        sender, target = frame[56:64], frame[76:84]
        if frame[40:44] == '0001':
            asked.add(sender + target)
        else:
            answered.add(target + sender)


def outputs(names, argv):
    """What a command prints in each of the namespaces."""
    jobs = [{'ns': name, 'argv': argv} for name in sorted(names)]
    return {job['ns']: text[1] for job, text in zip(jobs, run(jobs, 2))}


def counters():
    """The rules of each namespace with how many packets met them, as both tools tell it."""
    found = outputs(ruled, ['iptables-save', '-c'])
    tables = outputs(with_nft, ['nft', '-j', 'list', 'ruleset'])
    return {name: [found.get(name, ''), tables.get(name, '')] for name in ruled | with_nft}


def unique(calls):
    """A listener and the connections that it accepted share one entry."""
    return {id(callers): (ns, callers) for ns, callers in calls}.values()


def probe(request):
    """One packet from a cold start: what every tap saw and what the client's socket heard.

    Waiting ends when no tap has seen anything for `quiet` seconds after the client knows its fate;
    for `patience` seconds while it does not, or while somebody still asks by ARP.
    """
    global kept
    again, kept = kept, None
    if not request.get('warm'):
        if again:
            again.sock.close()
            again = None
        cold()
    before = counters()
    # What the last probe's sockets sent when they were closed is not this one's.
    for ring in rings.values():
        ring.drain()
    sockets, taken = [listen(entry) for entry in request['listeners']], []
    poll = select.epoll()
    by_fd = {sock.fileno(): sock for sock in sockets}
    calls = {sock.fileno(): (entry['ns'], []) for sock, entry in zip(sockets, request['listeners'])}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    frames = {name: [] for name in rings}
    asked, answered = set(), set()
    start = last = time.monotonic()
    client = again.send_again() if again else Client(request['client'])
    poll.register(client.sock.fileno(), select.EPOLLIN | select.EPOLLERR | select.EPOLLOUT | select.EPOLLET)
    while True:
        for fd, _ in poll.poll(0.004):
            if fd in by_fd:
                try:
                    more = serve(by_fd[fd], taken, calls[fd][1], request.get('answer'))
                    if more:
                        by_fd[more.fileno()] = more
                        calls[more.fileno()] = calls[fd]
                        poll.register(more.fileno(), select.EPOLLIN)
                except OSError:
                    pass
        if client.outcome is None:
            client.look()
        now = time.monotonic()
        for name, ring in rings.items():
            found = ring.drain()
            if found:
                last = now
                frames[name] += found
                for frame in found:
                    note_arp(frame[4], asked, answered)
        waiting = client.outcome is None or asked - answered
        if now - last > (request['patience'] if waiting else request['quiet']):
            break
        if now - start > request['limit']:
            break
    # Nobody may send again while the rest is read; closing these sends nothing.
    for sock in (*sockets, *([client.sock] if client.is_waiting() else [])):
        sock.close()
    dropped = drops.drain() if drops else None
    tuples = outputs(tracked, ['conntrack', '-L', '-o', 'extended'])
    after = counters()
    poll.close()
    if request.get('keep'):
        kept = client
    elif client.sock.fileno() >= 0:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        taken.append(client.sock)
    for sock in taken:
        sock.close()
    lost = sum(ring.lost() for ring in rings.values())
    return {
        'outcome': client.outcome or ('stuck' if client.sent else 'timeout'),
        'frames': {name: found for name, found in frames.items() if found},
        'conntrack': tuples,
        'callers': [[ns, *peer] for ns, peers in unique(calls.values()) for peer in peers],
        'counters': {name: [before[name], after[name]] for name in after},
        'drops': dropped,
        'lost': lost,
        'silent': now - start <= request['limit'],
    }


def attend(listeners):
    """Listeners that stay, for `call`; each is in place on return."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    for entry in listeners:
        sock = listen(entry)
        if sock.type == socket.SOCK_STREAM:
            sock.listen(1024)
        attending[sock.fileno()] = sock


def answer_all(sock, taken):
    """Everybody who waits at a listener, at once."""
    try:
        while True:
            serve(sock, taken, [])
    except OSError:
        pass


def fate(sock, stream):
    """What the socket of a call has heard: None while it waits."""
    try:
        if stream:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, '')
            sock.getpeername()
        else:
            sock.recv(1 << 16)
        return 'ok'
    except BlockingIOError:
        return None
    except OSError as error:
        waits = stream and error.errno == errno.ENOTCONN
        return None if waits else errno.errorcode.get(error.errno, str(error.errno))


def dial(wanted):
    """A call's socket on its way, and what it heard at once."""
    stream = wanted['protocol'] == 'tcp'
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    sock.setblocking(False)
    try:
        sock.connect((wanted['dst'], wanted['dport']))
        if not stream:
            sock.send(b'x')
    except BlockingIOError:
        pass
    except OSError as error:
        return sock, errno.errorcode.get(error.errno, str(error.errno))
    return sock, None


def call(calls, quiet, limit):
    """Many connections and datagrams at once; of each whether it was answered, or the errno.

    Over when all know their fate, when nobody has heard anything for `quiet` seconds, or after
    `limit` seconds: who waits then has met with silence.
    """
    poll = select.epoll()
    for fd in attending:
        poll.register(fd, select.EPOLLIN)
    outcomes, open_calls, taken, sockets = [None] * len(calls), {}, [], []
    inside = None
    for at, wanted in enumerate(calls):
        if at == 0 or wanted['ns'] != inside:
            inside = wanted['ns']
            enter(inside)
        sock, outcomes[at] = dial(wanted)
        sockets.append(sock)
        if outcomes[at] is None:
            open_calls[sock.fileno()] = (at, sock, wanted['protocol'] == 'tcp')
            poll.register(sock.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
    enter(None)
    start = last = time.monotonic()
    while open_calls:
        now = time.monotonic()
        if now - last > quiet or now - start > limit:
            break
        for fd, _ in poll.poll(0.02):
            if fd in attending:
                answer_all(attending[fd], taken)
                last = time.monotonic()
            elif fd in open_calls:
                at, sock, stream = open_calls[fd]
                outcomes[at] = fate(sock, stream)
                if outcomes[at] is not None:
                    del open_calls[fd]
                    last = time.monotonic()
    poll.close()
    for sock, wanted in zip(sockets, calls):
        if wanted['protocol'] == 'tcp':
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    for sock in (*sockets, *taken):
        sock.close()
    return [outcome or 'timeout' for outcome in outcomes]


def forget():
    """Ends what connection tracking knows, and nothing else."""
    for name in tracked:
        list(ask(name, NETLINK_NETFILTER, CT_DELETE, NLM_ACK, bytes(4)))


def handle(request):
    global drops
    op = request['op']
    if op == 'make':
        return make(request['names'])
    if op == 'sysctl':
        return {name: write(name, values) for name, values in request['values'].items()}
    if op == 'account':
        for name, counters in request['counters'].items():
            account(name, counters)
        return None
    if op == 'run':
        return run(request['jobs'], request.get('width', 2))
    if op == 'spawn':
        return spawn(request['jobs'], request['ready'].encode())
    if op == 'reap':
        return reap()
    if op == 'capture':
        for name in request['names']:
            rings[name] = Ring(name)
        tracked.update(request['tracked'])
        ruled.update(request['ruled'])
        with_nft.update(request['nft'])
        dynamic.update(request['dynamic'])
        try:
            drops = Drops()
        except OSError as error:
            return str(error)
        return None
    if op == 'cold':
        return cold()
    if op == 'attend':
        return attend(request['listeners'])
    if op == 'call':
        return call(request['calls'], request['quiet'], request['limit'])
    if op == 'forget':
        return forget()
    if op == 'probe':
        return probe(request)
    raise ValueError(f'no such op: {op}')


def main():
    check(LIBC.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None), 'mount private')
    check(LIBC.mount(b'run', b'/run', b'tmpfs', 0, b'size=16m'), 'mount /run')
    for line in sys.stdin:
        try:
            answer = {'ok': handle(json.loads(line))}
        except Exception as error:  # the caller decides; the agent lives on
            answer = {'error': f'{type(error).__name__}: {error}'}
        print(json.dumps(answer), flush=True)
    if drops:
        drops.close()


main()
