"""Sends one packet for each line of JSON: a UDP datagram, a SYN, an echo request. Its ports are the line's."""
import json
import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def send(protocol, src, sport, dst, dport):
    if protocol == 'icmp':
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as one:
            one.bind((src, 0))
            head = struct.pack('!BBHHH', 8, 0, 0, sport, 1)
            one.sendto(struct.pack('!BBHHH', 8, 0, checksum(head), sport, 1), (dst, 0))
        return
    kind = socket.SOCK_DGRAM if protocol == 'udp' else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((src, sport))
        if protocol == 'udp':
            one.sendto(b'', (dst, dport))
        else:
            one.settimeout(2)
            one.connect_ex((dst, dport))


for line in sys.stdin:
    if line.strip():
        send(*json.loads(line))
