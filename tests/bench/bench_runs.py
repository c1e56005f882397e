"""Many runs that wait: a list of downloads beside aria2c, and what one claim costs in a long queue.

A part of bench.py, which hands its arguments on.

SPDX-License-Identifier: MIT
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from bench import BUILD, WORK, daemon, fill, nginx, timed, wait_runs

AT_ONCE = 8
FILE_SIZE = 1 << 20
WAITING = (100, 1000, 10000)


# -- a list of downloads -----------------------------------------------------------------------------


def run_daemon(out, port, count):
    """All of them wait in the store when the daemon starts; each is hashed, synced and recorded."""
    fill(WORK / "list.db", count, WORK / "list.keys", "get", f"http://127.0.0.1:{port}/media")
    hook = {"name": "get", "download": {"dir": str(out), "cover": False}, "concurrency": AT_ONCE}
    with daemon("list", WORK / "list.db", [hook], runs=AT_ONCE) as (_, _, _, call):
        return wait_runs(call, count)


def run_aria2c(out, port, count):
    """The same list; told to leave each file on the disk as well as it can."""
    (WORK / "list").write_text("".join(f"http://127.0.0.1:{port}/media/{i}.mp4\n" for i in range(count)))
    return timed("aria2c", "-q", f"-j{AT_ONCE}", "-x1", "-d", out, "-i", WORK / "list")


CONTESTANTS = {"viduhookd": run_daemon, "aria2c": run_aria2c}


def one_round(name, port, count):
    """Files per second, into an empty directory of a disk at rest."""
    out = WORK / "list-out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()
    rate = count / CONTESTANTS[name](out, port, count)
    fetched = sum(f.stat().st_size == FILE_SIZE for f in out.rglob("*.mp4"))
    if fetched != count:
        sys.exit(f"bench: {name} fetched {fetched} of {count} files")
    shutil.rmtree(out)
    return rate


def measure_list(args):
    media = WORK / "media"
    shutil.rmtree(media, ignore_errors=True)
    media.mkdir()
    block = os.urandom(FILE_SIZE - 16)
    for i in range(args.list):
        (media / f"{i}.mp4").write_bytes(b"\0\0\0\x18ftypisom" + i.to_bytes(4, "big") + block)
    names = list(CONTESTANTS)
    rates = {name: [] for name in names}
    with nginx() as (port, _):
        for i in range(args.rounds):
            for name in names[i % 2:] + names[:i % 2]:
                rates[name].append(one_round(name, port, args.list))
    shutil.rmtree(media)
    return rates


# -- the cost of a claim -----------------------------------------------------------------------------


def cpu_ms(pid):
    """Of the keeper, which is one thread; the kernel counts it in nanoseconds."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


HOOK = {"name": "true", "exec": ["/bin/true"], "concurrency": AT_ONCE}


def paused_store():
    """Where no run of the hook begins before it is resumed."""
    fill(WORK / "paused.db", 1, WORK / "claim.keys")
    with daemon("paused", WORK / "paused.db", [HOOK]) as (_, _, _, call):
        call("pause", HOOK["name"])
    return WORK / "paused.db"


def drain(paused, count):
    """Milliseconds that the keeper works on as many waiting runs, from the first claim to the last end."""
    store = WORK / "claim.db"
    for leftover in WORK.glob("claim.db*"):
        leftover.unlink()
    shutil.copy(paused, store)
    subprocess.run([BUILD / "tests/bench/fill_store", store, str(count), WORK / "claim.keys", HOOK["name"]],
                   check=True)
    with daemon("claim", store, [HOOK], runs=AT_ONCE) as (_, _, process, call):
        assert call("status")["paused"] == [HOOK["name"]]
        before = cpu_ms(process.pid)
        call("resume", HOOK["name"])
        while call("status")["runs"].get("done", 0) < count:
            time.sleep(0.2)
        return cpu_ms(process.pid) - before


def measure_claims(args):
    """Milliseconds of the keeper per run that was claimed, started and recorded, by the length of the
    queue; short queues several times, since their sums are small."""
    paused, costs = paused_store(), {count: [] for count in WAITING if count <= args.waiting}
    for _ in range(args.rounds):
        for count, found in costs.items():
            found += [drain(paused, count) / count for _ in range(max(1, 500 // count))]
    return {count: statistics.median(rounds) for count, rounds in costs.items()}


# -- the lines of the table --------------------------------------------------------------------------


def print_list(rates, count):
    cells = ", ".join(f"{name} {statistics.median(r):,.0f}/s" for name, r in rates.items())
    ratio = statistics.median(a / b for a, b in zip(rates["viduhookd"], rates["aria2c"]))
    print(f"- a list of {count:,} downloads of 1 MiB, {AT_ONCE} at once: {cells}: {ratio:.2f} of aria2c "
          "(reach 1.0; with SHA-256 and fsync)")


def print_claims(costs):
    cells = ", ".join(f"{count:,} waiting {ms:.2f} ms" for count, ms in costs.items())
    first, last = list(costs.values())[0], list(costs.values())[-1]
    print(f"- keeper's CPU per run: {cells}: {last / first:.2f} of the shortest queue's (reach 1.2)")
