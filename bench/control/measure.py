#!/usr/bin/env python3
"""How much a run is slowed down by who connects with it: the same run with nobody there, and with
1000 connections of which each says as much nonsense as is taken from it.

    bench/control/measure.py target/release/downhill [ROUNDS]

The runs are interleaved. Measured are the time from start to end and the processor time of the process, as medians, and the
processor time of the thread that serves the connections. The flood is held to one process of low priority: what it takes from
the machine itself is not what is asked here, so processor time is the figure to look at where cores are few.
"""

import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import Process

PROGRAM, ROUNDS = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7
RUN = "train digits --hidden 64 --epochs 2000 --early-stop off --lr 0.001 --threads 1 --quiet --format json --name run".split()
NONSENSE = (b"x" * 300 + b"\n") * 50 + b'{"status":true}\n{"command":"explode"}\n'


def flood(path):
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    while not os.path.exists(path):
        time.sleep(0.001)
    there = []
    while True:
        for _ in range(1000 - len(there)):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            try:
                client.connect(path)
                there.append(client)
            except OSError:
                break
        for client in list(there):
            try:
                client.send(NONSENSE)
                client.recv(1 << 16)
            except BlockingIOError:
                pass
            except OSError:
                client.close()
                there.remove(client)
        time.sleep(0.02)


def served(pid):
    """The seconds that the thread of the socket has worked."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as file:
            if file.read().strip() == "control":
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    return int(file.read().split()[0]) * 1e-9
    return None


def measure(flooded):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "runs/run/control.sock")
        other = Process(target=flood, args=(path,), daemon=True)
        if flooded:
            other.start()
        began = time.time()
        run = subprocess.Popen([PROGRAM, *RUN], cwd=folder, stdout=subprocess.DEVNULL)
        control = 0.0
        while True:
            pid, _, usage = os.wait4(run.pid, os.WNOHANG)
            if pid:
                break
            try:
                control = served(run.pid) or control
            except OSError:
                pass
            time.sleep(0.01)
        took = time.time() - began
        if flooded:
            other.kill()
            other.join()
        return took, usage.ru_utime + usage.ru_stime, control


kinds = {"nobody there": False, "1000 connections": True}
figures = {kind: [] for kind in kinds}
for _ in range(ROUNDS):
    for kind, flooded in kinds.items():
        figures[kind].append(measure(flooded))
for kind, rounds in figures.items():
    wall, processor, control = (statistics.median(column) for column in zip(*rounds))
    print(f"{kind:18} {wall:7.3f} s, processor {processor:7.3f} s, of it for the socket {control:.4f} s ({control / processor:.2%})")
