#!/usr/bin/env python3
"""How much a run is slowed down by who connects with it: the same run with nobody there, and with 1000 connections of which
each says as much nonsense as is taken from it. What the flood itself takes from a machine of few cores is no cost of the
socket, so the same flood goes to another run, which is paused, too: that is what to compare with.

    bench/control/measure.py target/release/downhill [ROUNDS]

The runs are interleaved. Measured are the time from start to end and the processor time of the process, as medians, and the
processor time of the thread that serves the connections.
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

PROGRAM, ROUNDS = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 9
RUN = "train digits --hidden 64 --epochs 8000 --early-stop off --lr 0.001 --threads 1 --quiet --format json".split()
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


def start(folder, name, **more):
    return subprocess.Popen([PROGRAM, *RUN, "--name", name], cwd=folder, stdout=subprocess.DEVNULL, **more)


def pause(path):
    while not os.path.exists(path):
        time.sleep(0.001)
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.sendall(b'{"command":"pause"}\n')
    assert client.recv(1000).startswith(b'{"ok":true')


def measure(flooded):
    with tempfile.TemporaryDirectory() as folder:
        paused = start(folder, "other")
        pause(os.path.join(folder, "runs/other/control.sock"))
        other = None
        if flooded:
            other = Process(target=flood, args=(os.path.join(folder, f"runs/{flooded}/control.sock"),), daemon=True)
            other.start()
            time.sleep(0.5)
        began = time.time()
        run = start(folder, "run")
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
        if other:
            other.kill()
            other.join()
        paused.kill()
        paused.wait()
        return took, usage.ru_utime + usage.ru_stime, control


kinds = {"nobody there": None, "1000 elsewhere": "other", "1000 connections": "run"}
figures = {kind: [] for kind in kinds}
for _ in range(ROUNDS):
    for kind, flooded in kinds.items():
        figures[kind].append(measure(flooded))
for kind, rounds in figures.items():
    wall, processor, control = (statistics.median(column) for column in zip(*rounds))
    print(f"{kind:18} {wall:7.3f} s, processor {processor:7.3f} s, of it for the socket {control:.4f} s ({control / processor:.2%})")
