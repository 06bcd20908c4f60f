"""Opens one socket a JSON line, and says what it saw: for an ICMP echo, and for a TCP connection.

An echo takes the id alone for its own, as ping(8) does, and is not sent twice. A connection stands
once it can be written to, whatever errors came about it (they are not fatal to one that stands, and
SO_ERROR would tell them as if they were), and ends with a reset, never with a FIN that is sent again.
"""
import errno
import json
import select
import socket
import struct
import sys
import threading
import time

ICMP_FILTER, SOL_RAW, ECHO_REPLY = 1, 255, 0


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo(flow):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack('I', ~(1 << ECHO_REPLY) & 0xFFFFFFFF))
        if 'src' in flow:
            sock.bind((flow['src'], 0))
        if 'ttl' in flow:
            sock.setsockopt(socket.SOL_IP, socket.IP_TTL, flow['ttl'])
        rest = struct.pack('!HH', flow['sport'], 1) + bytes(flow['size'])
        whole = checksum(b'\x08\0\0\0' + rest)
        try:
            sock.sendto(struct.pack('!BBH', 8, 0, whole) + rest, (flow['dst'], 0))
        except OSError:
            return 'silent'
        end = time.monotonic() + flow['timeout'] / 1000
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([sock], [], [], left)[0]:
                return 'silent'
            data = sock.recv(1 << 16)
            at = (data[0] & 15) * 4
            if struct.unpack_from('!H', data, at + 4)[0] == flow['sport']:
                return 'answered'


def stream(flow):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        sock.bind((flow.get('src', ''), flow['sport']))
        sock.setblocking(False)
        if sock.connect_ex((flow['dst'], flow['dport'])) != errno.EINPROGRESS:
            return 'refused'
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        events = poll.poll(flow['timeout'])
        if not events:
            return 'silent'
        if events[0][1] & select.POLLERR:
            return 'refused'
        time.sleep(0.03)
        return 'answered'


RUN = {'icmp': echo, 'tcp': stream}


def answer(flow):
    line = json.dumps({'n': flow['n'], 'result': RUN[flow['protocol']](flow)})
    sys.stdout.write(f'{line}\n')
    sys.stdout.flush()


for line in sys.stdin:
    threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
