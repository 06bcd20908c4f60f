"""Sends one ICMP echo a JSON line from a raw socket, and says whether its reply came.

Takes the id alone for its own, as ping(8) does; sends nothing twice.
"""
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


def ask(flow):
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


def answer(flow):
    line = json.dumps({'n': flow['n'], 'result': ask(flow)})
    sys.stdout.write(f'{line}\n')
    sys.stdout.flush()


for line in sys.stdin:
    threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
