"""Puts one packet for each line of JSON into the output hook, from whatever source it names, and says what became of it."""
import json
import socket
import struct
import sys

TCP, UDP, SYN = 6, 17, 2

with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
    for line in sys.stdin:
        if not line.strip():
            continue
        src, dst, protocol, sport, dport = json.loads(line)
        if protocol == 'tcp':
            number, rest = TCP, struct.pack('!HHIIBBHHH', sport, dport, 1, 0, 0x50, SYN, 1000, 0, 0)
        else:
            number, rest = UDP, struct.pack('!HHHH', sport, dport, 8, 0)
        # The kernel fills in length and checksum of the header.
        head = struct.pack('!BBHHHBBH', 0x45, 0, 0, 0, 0, 64, number, 0)
        ends = socket.inet_aton(src) + socket.inet_aton(dst)
        try:
            raw.sendto(head + ends + rest, (dst, 0))
            print('passed')
        except PermissionError:
            print('dropped')
