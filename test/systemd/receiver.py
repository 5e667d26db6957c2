"""Receives what a service manager would: prints each datagram of a Unix socket as one JSON line. receiver.py ADDRESS (@: abstract)"""
import array, json, os, socket, sys

address = sys.argv[1]
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.bind("\0" + address[1:] if address.startswith("@") else address)
print(json.dumps({"listening": address}), flush=True)
while True:
    data, ancillary, _, _ = sock.recvmsg(65536, 4096)
    for level, kind, content in ancillary:
        if kind == socket.SCM_RIGHTS:  # BARRIER=1: the sender waits until its descriptor is closed
            for descriptor in array.array("i", content[: len(content) - len(content) % 4]):
                os.close(descriptor)
    if data != b"BARRIER=1":
        print(json.dumps({"message": data.decode()}), flush=True)
