#!/usr/bin/env python3
"""Measures callboard's codecs beside others, and prints tables in Markdown.

    python3 benches/codec/run.py heads        request heads, parsed and built
    python3 benches/codec/run.py bodies       chunk heads
    python3 benches/codec/run.py frames       WebSocket frames
    python3 benches/codec/run.py all          everything

`--rounds N` (default 15) sets how often each case is timed; `--no-time` and `--no-instructions` leave a column out.

Instructions are counted by callgrind, as the difference of two exact counts of operations. Times are medians of rounds
in which the cases are interleaved, A B C A B C: a ratio within one run means more than any figure between two.
What filling the buffer costs is measured alone and subtracted from both.
Python 3.8+, standard library only.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.join(HERE, "target")
PROGRAM = os.path.join(TARGET, "release", "codec")

# kind: [(title, yardstick, [(label, case, subtracted case)], operations of one call)]
KINDS = {
    "heads": [
        (title, "httparse, table of offsets", [
            ("httparse alone", "httparse-" + size, None),
            ("httparse, table of offsets", "httparse-table-" + size, "refill-" + size),
            ("callboard, `RequestHead`", "callboard-" + size, "refill-" + size),
        ], 1)
        for title, size in (("a browser's request head", "browser"), ("a small request head", "small"))
    ],
    "bodies": [
        (title, "httparse, sizes alone", [
            ("httparse, sizes alone", "httparse-chunks-" + size, None),
            ("callboard, a whole connection", "callboard-chunks-" + size, None),
            ("callboard, what the chunk head adds", "callboard-chunks-" + size, "callboard-pieces-" + size),
        ], count)
        for title, size, count in (("16 KiB chunks, of 1 MiB", "large", 64), ("64 B chunks, of 64 KiB", "small", 1024))
    ],
    "frames": [
        (title, "callboard, in place", [
            ("callboard, in place", "frames-in-place-" + size, None),
            ("callboard, a whole connection", "frames-connection-" + size, None),
            ("fastwebsockets", "frames-fastwebsockets-" + size, None),
            ("tungstenite", "frames-tungstenite-" + size, None),
        ], 256)
        for title, size in (("a frame of 32 B", "small"), ("a frame of 4 KiB", "large"))
    ],
}


def fail(text):
    sys.exit("run.py: " + text)


def run(command):
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        fail("%s: %s" % (" ".join(command), done.stderr[-500:]))
    return done.stdout


def instructions(case, calls):
    """Instructions of one call: the difference of two exact counts."""
    totals = []
    for count in calls:
        with tempfile.NamedTemporaryFile() as output:
            command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + output.name]
            done = subprocess.run([*command, PROGRAM, case, str(count)], capture_output=True, text=True)
            found = re.search(r"Collected : (\d+)", done.stderr)
            if done.returncode or not found:
                fail("%s: %s" % (case, done.stderr[-500:]))
            totals.append(int(found.group(1)))
    return (totals[1] - totals[0]) / (calls[1] - calls[0])


def times(cases, rounds, count):
    """Medians of nanoseconds of one call, interleaved."""
    prefix = ["chrt", "-r", "1"] if shutil.which("chrt") else []
    if prefix and subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode:
        prefix = []
    taken = {case: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            line = run([*prefix, PROGRAM, case, str(count), "5"]).splitlines()[-1]
            taken[case].append(float(re.search(r"median=([\d.]+)", line).group(1)))
    return {case: statistics.median(values) for case, values in taken.items()}


def table(title, yardstick, rows, operations, options):
    cases = list(dict.fromkeys(case for row in rows for case in row[1:] if case))
    is_many = operations > 1
    columns = []
    if options["instructions"]:
        calls = (10, 60) if is_many else (1000, 5000)
        columns.append(("instructions", {case: instructions(case, calls) for case in cases}, "%.0f"))
    if options["time"]:
        count = max(20_000 // operations, 20) if is_many else 20_000
        columns.append(("ns", times(cases, options["rounds"], count), "%.1f"))
    heads = [title]
    for name, _, _ in columns:
        heads += [name, "ratio"]
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for label, case, subtracted in rows:
        cells = [label]
        for _, values, form in columns:
            net = {row[0]: values[row[1]] - (values[row[2]] if row[2] else 0) for row in rows}
            cells += [form % (net[label] / operations), "%.2f" % (net[label] / net[yardstick])]
        print("| " + " | ".join(cells) + " |", flush=True)
    print()


def main():
    words = sys.argv[1:]
    options = {"rounds": 15, "time": True, "instructions": True}
    if "--rounds" in words:
        place = words.index("--rounds")
        options["rounds"] = int(words[place + 1])
        del words[place:place + 2]
    for name in ("time", "instructions"):
        if "--no-" + name in words:
            words.remove("--no-" + name)
            options[name] = False
    if len(words) != 1 or words[0] not in (*KINDS, "all"):
        sys.exit(__doc__)
    if options["instructions"] and not shutil.which("valgrind"):
        fail("valgrind is not installed")
    run(["cargo", "build", "--release", "--quiet", "--locked", "--target-dir", TARGET])
    for kind in KINDS if words[0] == "all" else words:
        for title, yardstick, rows, operations in KINDS[kind]:
            table(title, yardstick, rows, operations, options)


if __name__ == "__main__":
    main()
