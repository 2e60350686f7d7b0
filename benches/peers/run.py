#!/usr/bin/env python3
"""Measures callboard beside its peers and beside the limit, and prints a table in Markdown.

    python3 benches/peers/run.py lockstep            GET /, 64 connections, load and server on one core
    python3 benches/peers/run.py one                 the same with one connection
    python3 benches/peers/run.py pipe                the same with 16 requests in each write
    python3 benches/peers/run.py stream              GET /stream, 1 MiB in 64 chunks, load on another core
    python3 benches/peers/run.py client [--tasks 1]  clients against the limit's server, on one core
    python3 benches/peers/run.py memory              resident memory of 10,000 idle connections
    python3 benches/peers/run.py alloc               heap allocations a request (valgrind)
    python3 benches/peers/run.py instructions        user instructions a request (callgrind)
    python3 benches/peers/run.py syscalls            system calls a request (perf, or strace where it is missing)
    python3 benches/peers/run.py cold                a clean release build of hello_smol
    python3 benches/peers/run.py check               every program answers every route rightly

Names after the subcommand choose programs: `lockstep limit callboard-tokio`. `--rounds N` sets how often (default 15
for servers under load, else 5).

What is needed is built first, one package at a time. Servers run beside each other and get short loads in turn,
A B C A B C, so that a machine which slows down does so for all; a ratio is the median over the rounds of what a server
needed to what the limit needed in the same round. In lockstep, load and server share one core, so each runs when the
other has nothing to do, and every server works in the same batches; what is compared is CPU time
(/proc/PID/task/*/schedstat). Run it more than once before believing a difference. Programs get real-time priority
where the system permits it (`chrt`); without it, other work shows in the spread.
Python 3.8+, standard library only.
"""
import contextlib
import glob
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.join(HERE, "target")
RESULTS = os.path.join(HERE, "results")
CORES = sorted(os.sched_getaffinity(0))

SERVERS = {  # name: package, further arguments
    "limit": ("server-limit", []),
    "callboard-smol": ("server-callboard", ["--runtime", "smol"]),
    "callboard-smol-workers": ("server-callboard", ["--runtime", "smol-workers"]),
    "callboard-tokio": ("server-callboard", ["--runtime", "tokio-workers"]),
    "hyper": ("server-hyper", []),
    "axum": ("server-axum", []),
    "actix-web": ("server-actix", []),
}
CLIENTS = {
    "limit": ("client-limit", []),
    "callboard-smol": ("client-callboard", ["--runtime", "smol"]),
    "callboard-tokio": ("client-callboard", ["--runtime", "tokio"]),
    "hyper-util": ("client-hyper", []),
    "reqwest": ("client-reqwest", []),
}


def fail(text):
    sys.exit("run.py: " + text)


def build(packages):
    for package in dict.fromkeys(packages):
        command = ["cargo", "build", "--release", "--quiet", "--package", package, "--target-dir", TARGET]
        if subprocess.run(command, cwd=HERE).returncode:
            fail("%s does not build" % package)


def program(package):
    return os.path.join(TARGET, "release", package)


def priority():
    """Real-time priority, where it is permitted."""
    works = shutil.which("chrt") and subprocess.run(["chrt", "-r", "1", "true"], stderr=subprocess.DEVNULL)
    return ["chrt", "-r", "1"] if works and works.returncode == 0 else []


def pinned(core):
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server program on a core of its own choice, ended at the end of a `with`."""

    def __init__(self, name, core, prefix=(), is_urgent=True):
        package, arguments = SERVERS[name]
        self.name, self.port = name, free_port()
        command = [*pinned(core), *(priority() if is_urgent else []), *prefix, program(package)]
        command += ["--port", str(self.port), "--threads", "1", *arguments]
        self.errors = tempfile.TemporaryFile("w+")
        nothing = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=self.errors)

    def __enter__(self):
        for _ in range(1200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                time.sleep(0.1)
                return self
            except OSError:
                if self.process.poll() is not None:
                    fail("%s ended at its start: %s" % (self.name, self.text()))
                time.sleep(0.05)
        self.__exit__()
        fail("%s does not listen" % self.name)

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def text(self):
        """What it wrote to its standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def cpu_us(self):
        """CPU time of all its threads, in microseconds."""
        total = 0
        for path in glob.glob("/proc/%d/task/*/schedstat" % self.process.pid):
            try:
                with open(path) as file:
                    total += int(file.read().split()[0])
            except OSError:
                pass  # a thread that has ended meanwhile
        return total / 1000

    def resident(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024


def load(port, requests, connections, core, path="/", pipeline=1, package="client-limit", arguments=(), is_urgent=True):
    """Runs a client; gives its last line as numbers."""
    command = [*pinned(core), *(priority() if is_urgent else []), program(package), "--port", str(port)]
    command += ["--requests", str(requests), "--connections", str(connections), "--path", path, *arguments]
    command += ["--pipeline", str(pipeline)] if package == "client-limit" else []
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if run.returncode:
        fail("%s: %s" % (package, run.stderr[-500:]))
    return {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", run.stdout.splitlines()[-1])}


def record(kind, row):
    os.makedirs(RESULTS, exist_ok=True)
    with open(os.path.join(RESULTS, kind + ".jsonl"), "a") as file:
        file.write(json.dumps({**row, "time": round(time.time())}) + "\n")
    print("  " + "  ".join("%s=%s" % item for item in row.items()), file=sys.stderr, flush=True)


def table(heads, rows):
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def ratios(figures, heads, digits=2, yardstick="limit"):
    """A table of medians, of the ratios to the yardstick within the rounds, and of the spread."""
    rows = []
    for name, values in figures.items():
        base = figures.get(yardstick)
        ratio = "%.2f" % statistics.median(own / limit for own, limit in zip(values, base)) if base else "-"
        spread = "%.*f to %.*f" % (digits, min(values), digits, max(values))
        rows.append((name, "%.*f" % (digits, statistics.median(values)), ratio, spread))
    table(heads, rows)


def interleaved(servers, rounds, burst):
    """Gives each server a burst of load in turn, `rounds` times after one to warm up: the CPU time of each, in µs."""
    figures = {server.name: [] for server in servers}
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
        for turn in range(rounds + 1):
            for server in servers:
                before = server.cpu_us()
                result = burst(server)
                cpu = (server.cpu_us() - before) / result["requests"]
                if turn > 0:
                    figures[server.name].append(cpu)
    return figures


def serve_bench(kind, names, rounds, requests, connections, is_shared=True, path="/", pipeline=1):
    build([SERVERS[name][0] for name in names] + ["client-limit"])
    server_core, load_core = CORES[-1], CORES[-1] if is_shared else CORES[0]

    def burst(server):
        result = load(server.port, requests, connections, load_core, path, pipeline)
        record(kind, {"server": server.name, "per_second": result["per_second"]})
        return result

    figures = interleaved([Server(name, server_core) for name in names], rounds, burst)
    for name, values in figures.items():
        record(kind, {"server": name, "cpu_us": [round(value, 4) for value in values]})
    ratios(figures, ("server", "CPU µs a request", "ratio to the limit", "spread"), 3 if pipeline > 1 else 2)


def client_bench(names, rounds, tasks):
    build([CLIENTS[name][0] for name in names] + ["server-limit"])
    figures = {name: [] for name in names}
    requests = 120_000 if tasks > 1 else 20_000
    for _ in range(rounds):
        for name in names:
            package, arguments = CLIENTS[name]
            with Server("limit", CORES[-1]) as server:
                load(server.port, 2000, tasks, CORES[-1])
                result = load(server.port, requests, tasks, CORES[-1], package=package, arguments=arguments)
            figures[name].append(result["cpu_us"])
            record("client", {"client": name, "tasks": tasks, **result})
    ratios(figures, ("client", "CPU µs a request", "ratio to the limit", "spread"))


def memory(names, rounds, connections):
    build([SERVERS[name][0] for name in names] + ["client-idle"])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = connections * 2 + 100
    if hard != resource.RLIM_INFINITY and hard < wanted:
        connections = (hard - 100) // 2
        print("only %d connections: the limit of open files is %d" % (connections, hard), file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard != resource.RLIM_INFINITY else wanted, hard))
    figures = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            with Server(name, CORES[-1], is_urgent=False) as server:
                load(server.port, 200, 1, CORES[0], is_urgent=False)
                before = server.resident()
                command = [program("client-idle"), "--port", str(server.port), "--connections", str(connections)]
                idle = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                opened = int(idle.stdout.readline().split()[1])
                time.sleep(1)
                each = (server.resident() - before) / opened
                idle.stdin.close()
                idle.wait()
            figures[name].append(each)
            record("memory", {"server": name, "connections": opened, "bytes": round(each)})
    ratios(figures, ("server", "bytes an idle connection", "ratio to the limit", "spread"), 0)


def under_valgrind(name, tool, pattern, connections, counts):
    """The difference of two exact counts, so that neither start nor end shows."""
    totals = []
    for requests in counts:
        prefix = ["valgrind", "--tool=" + tool, *(["--callgrind-out-file=/dev/null"] if tool == "callgrind" else [])]
        with Server(name, CORES[-1], prefix, is_urgent=False) as server:
            load(server.port, requests, connections, CORES[0], is_urgent=False)
            server.process.send_signal(signal.SIGINT)
            try:
                server.process.wait(60)
            except subprocess.TimeoutExpired:
                server.process.terminate()
                server.process.wait(60)
        found = re.search(pattern, server.text())
        if not found:
            fail("valgrind said nothing of %s: %s" % (name, server.text()[-500:]))
        totals.append([int(number.replace(",", "")) for number in found.groups()])
    return [(last - first) / (counts[1] - counts[0]) for first, last in zip(*totals)]


def counted(kind, names, tool, pattern, heads):
    if not shutil.which("valgrind"):
        fail("valgrind is not installed")
    build([SERVERS[name][0] for name in names] + ["client-limit"])
    rows = []
    for name in names:
        values = under_valgrind(name, tool, pattern, 16, (2000, 12000))
        record(kind, {"server": name, "values": [round(value, 2) for value in values]})
        rows.append((name, *("%.2f" % value if value < 100 else "%d" % value for value in values)))
    table(heads, rows)


def syscalls(names):
    build([SERVERS[name][0] for name in names] + ["client-limit"])
    perf = shutil.which("perf")
    print("counted by %s" % ("perf" if perf else "strace, which slows a server until it has always something to read"))
    rows = []
    for name in names:
        row = [name]
        for connections, requests in ((64, 64_000), (1, 8000)):
            with Server(name, CORES[-1]) as server, tempfile.NamedTemporaryFile("r") as output:
                load(server.port, 1000, connections, CORES[-1])
                pid = str(server.process.pid)
                if perf:
                    command = [perf, "stat", "-x,", "-o", output.name, "-e", "raw_syscalls:sys_enter", "-p", pid]
                else:
                    command = ["strace", "-f", "-c", "-o", output.name, "-p", pid]
                tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                time.sleep(1)
                load(server.port, requests, connections, CORES[-1])
                tracer.send_signal(signal.SIGINT)
                tracer.wait()
                text = output.read()
            if perf:
                total = sum(int(line.split(",")[0]) for line in text.splitlines() if line[:1].isdigit())
            else:
                total = int(re.search(r"^100\.00.* (\d+) +(?:\d+ +)?total", text, re.M).group(1))
            row.append("%.2f" % (total / requests))
        record("syscalls", {"server": row[0], "64": row[1], "1": row[2]})
        rows.append(row)
    table(("server", "system calls a request, 64 connections", "1 connection"), rows)


def cold():
    """A clean release build of the example hello_smol as a package of its own, as a user would have it."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "Cargo.toml"), "w") as file:
            file.write('[workspace]\n[package]\nname = "hello"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n')
            options = 'default-features = false, features = ["smol", "web"]'
            file.write("callboard = { path = %s, %s }\n" % (json.dumps(ROOT), options))
            file.write('futures-lite = { version = "2", default-features = false, features = ["std"] }\n')
        os.mkdir(os.path.join(folder, "src"))
        shutil.copy(os.path.join(ROOT, "examples", "hello_smol.rs"), os.path.join(folder, "src", "main.rs"))
        shutil.copy(os.path.join(ROOT, "Cargo.lock"), folder)
        subprocess.run(["cargo", "fetch", "--quiet"], cwd=folder, check=True)
        before, start = os.times(), time.time()
        command = ["cargo", "build", "--release", "--quiet", "--target-dir", os.path.join(folder, "target")]
        subprocess.run(command, cwd=folder, check=True)
        after, wall = os.times(), time.time() - start
        size = os.path.getsize(os.path.join(folder, "target", "release", "hello"))
        tree = ["cargo", "tree", "--edges", "normal", "--prefix", "none", "--no-dedupe"]
        lines = subprocess.check_output(tree, cwd=folder, text=True).splitlines()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    crates = {line.split(" (")[0] for line in lines if line} - {"hello v0.0.0"}
    record("cold", {"cpu_s": round(cpu, 1), "wall_s": round(wall, 1), "crates": len(crates), "bytes": size})
    row = ("hello_smol", "%.1f" % cpu, "%.1f" % wall, len(crates), size // 1024)
    table(("program", "CPU s", "wall s", "crates", "KiB"), [row])


def fetch(port, method, path, body=b""):
    """The status and the body of one answer, read to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), 10) as stream:
        head = "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        head %= (method, path, len(body))
        stream.sendall(head.encode() + body)
        answer, length = b"", 0
        while True:
            try:
                piece = stream.recv(65536)
            except socket.timeout:
                fail("%s %s: no end of the answer" % (method, path))
            answer += piece
            head, _, rest = answer.partition(b"\r\n\r\n")
            found = re.search(rb"content-length: *(\d+)", head, re.I)
            length = int(found.group(1)) if found else None
            if not piece or (length is not None and len(rest) >= length) or rest.endswith(b"0\r\n\r\n"):
                break
    if length is None:
        data = b""
        while rest:
            line, _, rest = rest.partition(b"\r\n")
            size = int(line, 16)
            data, rest = data + rest[:size], rest[size + 2:]
        rest = data
    return int(head.split()[1]), rest


def check(names):
    build([SERVERS[name][0] for name in names])
    for name in names:
        with Server(name, CORES[-1], is_urgent=False) as server:
            wanted = [
                ("GET", "/", b"", 200, b"Hello, World!"),
                ("GET", "/json", b"", 200, b'{"message":"Hello, World!"}'),
                ("GET", "/user/42", b"", 200, b"42"),
                ("POST", "/echo", b"hello" * 20_000, 200, b"hello" * 20_000),
                ("GET", "/stream", b"", 200, b"x" * 1024 * 1024),
                ("GET", "/nowhere", b"", 404, None),
            ]
            for method, path, body, status, data in wanted:
                got = fetch(server.port, method, path, body)
                if got[0] != status or data is not None and got[1] != data:
                    fail("%s: %s %s: %d, %r" % (name, method, path, got[0], got[1][:60]))
        print("%-24s answers" % name)


def main():
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        sys.exit(__doc__)

    def option(name, default):
        if name in words:
            place = words.index(name)
            value = int(words[place + 1])
            del words[place:place + 2]
            return value
        return default

    kind, tasks = words[0], option("--tasks", 64)
    rounds = option("--rounds", 15 if kind in ("lockstep", "one", "pipe", "stream") else 5)
    programs = CLIENTS if kind == "client" else SERVERS
    unknown = [word for word in words[1:] if word not in programs]
    if unknown:
        fail("no program named %s; there are %s" % (" ".join(unknown), " ".join(programs)))
    names = words[1:] or list(programs)
    if kind == "lockstep":
        serve_bench(kind, names, rounds, 60_000, 64)
    elif kind == "one":
        serve_bench(kind, names, rounds, 15_000, 1)
    elif kind == "pipe":
        serve_bench(kind, names, rounds, 480_000, 64, pipeline=16)
    elif kind == "stream":
        serve_bench(kind, names, rounds, 1000, 16, is_shared=False, path="/stream")
    elif kind == "client":
        client_bench(names, rounds, tasks)
    elif kind == "memory":
        memory(names, min(rounds, 3), 10_000)
    elif kind == "alloc":
        heads = ("server", "allocations a request", "bytes a request")
        counted(kind, names, "memcheck", r"total heap usage: ([\d,]+) allocs, [\d,]+ frees, ([\d,]+) bytes", heads)
    elif kind == "instructions":
        counted(kind, names, "callgrind", r"Collected : (\d+)", ("server", "user instructions a request"))
    elif kind == "syscalls":
        syscalls(names)
    elif kind == "cold":
        cold()
    elif kind == "check":
        check(names)
    else:
        fail("no subcommand %s; see --help" % kind)


if __name__ == "__main__":
    main()
