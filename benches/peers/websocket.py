#!/usr/bin/env python3
"""Measures WebSocket echoes beside peers and beside the limit, and prints tables in Markdown.

    python3 benches/peers/websocket.py echo           CPU time a message: 32 B, 16 in flight, 4 KiB, 64 KiB, 1 MiB
    python3 benches/peers/websocket.py deflate        the same with 4 KiB of compressed text
    python3 benches/peers/websocket.py memory         resident memory of 2,000 idle WebSockets
    python3 benches/peers/websocket.py alloc          heap allocations a message, of 32 B by default (valgrind)
    python3 benches/peers/websocket.py instructions   user instructions a message, of 32 B by default (callgrind)
    python3 benches/peers/websocket.py check          every program echoes

Names after the subcommand choose programs; `--rounds N` sets how often (default 15 for echo, 5 for deflate, 3 for
memory), `--case 4096` one size, `--most N` the count above which `alloc` and `instructions` fail. The method is that of
run.py: load and server on one core, short loads in turn, medians, ratios within the rounds. aiohttp and ws are left out
unless they are named or the case is `deflate`: they need `pip install aiohttp` in the Python that PEERS_PYTHON names,
and `npm install` here.
"""
import os
import re
import shutil
import subprocess
import sys
import time

import run

PYTHON = os.environ.get("PEERS_PYTHON") or sys.executable
SERVERS = {
    "limit": ("server-websocket-limit", []),
    "callboard-smol": ("server-callboard", ["--runtime", "smol"]),
    "callboard-smol-workers": ("server-callboard", ["--runtime", "smol-workers"]),
    "callboard-tokio": ("server-callboard", ["--runtime", "tokio-workers"]),
    "fastwebsockets": ("server-fastwebsockets", []),
    "tokio-tungstenite": ("server-tungstenite", []),
    "actix-ws": ("server-actix", []),
}
SCRIPTS = {
    "aiohttp": [PYTHON, os.path.join(run.HERE, "server-aiohttp.py")],
    "ws": ["node", os.path.join(run.HERE, "server-ws.mjs")],
}
# name: size, messages in one write, messages, connections
CASES = {
    "32": (32, 1, 60_000, 64),
    "32x16": (32, 16, 400_000, 64),
    "4096": (4096, 1, 40_000, 64),
    "65536": (65536, 1, 8_000, 16),
    "1048576": (1024 * 1024, 1, 600, 4),
}


class Server(run.Server):
    """As in run.py, and programs that are scripts."""

    def __init__(self, name, core, prefix=(), is_urgent=True):
        if name not in SCRIPTS:
            run.SERVERS[name] = SERVERS[name]
            super().__init__(name, core, prefix, is_urgent)
            return
        import tempfile
        self.name, self.port = name, run.free_port()
        self.errors = tempfile.TemporaryFile("w+")
        command = [*run.pinned(core), *(run.priority() if is_urgent else []), *SCRIPTS[name], "--port", str(self.port)]
        nothing = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=self.errors)


plain_load = run.load


def load(port, messages, connections, core, size, window=1, is_compressed=False, is_urgent=True):
    arguments = ["--size", str(size), "--window", str(window), "--deflate", str(int(is_compressed))]
    return plain_load(port, messages, connections, core, "/ws", package="client-websocket", arguments=arguments,
                    is_urgent=is_urgent)


def build(names):
    run.build([SERVERS[name][0] for name in names if name in SERVERS] + ["client-websocket"])


def echo(names, rounds, case, is_compressed=False):
    size, window, messages, connections = CASES[case]
    core = run.CORES[-1]

    def burst(server):
        return load(server.port, messages, connections, core, size, window, is_compressed)

    figures = run.interleaved([Server(name, core) for name in names], rounds, burst)
    for name, values in figures.items():
        case_name = case + (" deflate" if is_compressed else "")
        run.record("websocket", {"server": name, "case": case_name, "cpu_us": [round(value, 4) for value in values]})
    print("\n%s bytes%s\n" % (case, ", deflate" if is_compressed else ""))
    yardstick = "limit" if "limit" in names else names[0]
    columns = ("server", "CPU µs a message", "ratio to %s" % yardstick, "spread")
    run.ratios(figures, columns, 3 if window > 1 else 2, yardstick)


def memory(names, rounds, connections=2000):
    figures = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            with Server(name, run.CORES[-1], is_urgent=False) as server:
                load(server.port, 200, 1, run.CORES[0], 32, is_urgent=False)
                before = server.resident()
                command = [run.program("client-websocket"), "--port", str(server.port)]
                command += ["--connections", str(connections), "--idle", "1"]
                idle = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                opened = int(idle.stdout.readline().split()[1])
                time.sleep(1)
                figures[name].append((server.resident() - before) / opened)
                idle.stdin.close()
                idle.wait()
            run.record("websocket-memory", {"server": name, "bytes": round(figures[name][-1])})
    run.ratios(figures, ("server", "bytes an idle WebSocket", "ratio to the limit", "spread"), 0)


def counted(kind, names, tool, pattern, heads, case, most):
    if not shutil.which("valgrind"):
        run.fail("valgrind is not installed")
    size, window, _, _ = CASES[case]

    def small(port, messages, connections, core, is_urgent):
        return load(port, messages, connections, core, size, window, is_urgent=is_urgent)

    rows, counts = [], (2000, 12000)
    run.SERVERS.update(SERVERS)
    run.load = small
    for name in names:
        values = run.under_valgrind(name, tool, pattern, 16, counts)
        run.record("websocket-" + kind, {"server": name, "values": [round(value, 2) for value in values]})
        rows.append((name, *("%.2f" % value if value < 100 else "%d" % value for value in values)))
        if most is not None and values[0] > most:
            run.fail("%s: %d %s, and no more than %d were promised" % (name, values[0], heads[1], most))
    run.table(heads, rows)


def main():
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        sys.exit(__doc__)
    options = {}
    for name in ("--rounds", "--case", "--most"):
        if name in words:
            place = words.index(name)
            options[name] = words[place + 1]
            del words[place:place + 2]
    most = int(options["--most"]) if "--most" in options else None
    kind, rounds = words[0], int(options.get("--rounds", {"echo": 15, "memory": 3}.get(words[0], 5)))
    compressing = ["callboard-smol-workers", "callboard-tokio", "aiohttp", "ws"]
    names = words[1:] or (compressing if kind == "deflate" else list(SERVERS))
    unknown = [name for name in names if name not in SERVERS and name not in SCRIPTS]
    if unknown:
        run.fail("no program named %s" % " ".join(unknown))
    build(names)
    case = options.get("--case", "32")
    if kind == "echo":
        for case in [options["--case"]] if "--case" in options else CASES:
            echo(names, rounds, case)
    elif kind == "deflate":
        echo(names, rounds, "4096", True)
    elif kind == "memory":
        memory(names, rounds)
    elif kind == "alloc":
        heads = ("server", "allocations a message", "bytes a message")
        pattern = r"total heap usage: ([\d,]+) allocs, [\d,]+ frees, ([\d,]+) bytes"
        counted(kind, names, "memcheck", pattern, heads, case, most)
    elif kind == "instructions":
        heads = ("server", "user instructions a message")
        counted(kind, names, "callgrind", r"Collected : (\d+)", heads, case, most)
    elif kind == "check":
        for name in names:
            with Server(name, run.CORES[-1], is_urgent=False) as server:
                for size in (0, 1, 125, 126, 65535, 65536, 300_000):
                    load(server.port, 20, 2, run.CORES[0], size, is_urgent=False)
            print("%-24s echoes" % name)
    else:
        run.fail("no subcommand %s; see --help" % kind)


if __name__ == "__main__":
    main()
