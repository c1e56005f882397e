# SPDX-License-Identifier: MIT
"""Commands that misbehave, all at once: each ends in time, nothing of them stays, and callbacks are
answered meanwhile."""
import datetime
import os
import pathlib
import statistics
import sys
import threading
import time

import pytest

from harness import LOOPBACK, ROOT, descendants, wait_for
from life import NO_SOURCE_LIMITS
from provider import Provider, Task, submit

BEAST = ROOT / "tests/e2e/zoo/beast.py"
TIMEOUT_S = 2
LATEST_S = TIMEOUT_S + 12  # ten seconds from TERM to KILL, and two to see that all have gone
BIG = 100 << 10
END_S = 90  # of all of them, on a machine that has other things to do

# name: (how its run ends, exit status, what is said of it, what is in its output). Commands that
# are killed die of SIGTERM, 15, or of SIGKILL, 9.
ZOO = {
    "hang": ("dead", -15, "timeout", ""),
    "stubborn": ("dead", -9, "timeout", ""),
    "stops_itself": ("dead", -9, "timeout", ""),
    "escapes": ("dead", -15, "timeout", ""),
    "bare_escape": ("dead", -15, "timeout", ""),
    "last_escape": ("dead", -9, "timeout", ""),
    "breeds": ("dead", -15, "timeout", ""),
    "orphans": ("done", 0, "exit status 0", ""),
    "floods": ("done", 0, "exit status 0", "xxx\nthe end\n"),
    "floods_for_ever": ("dead", -9, "timeout", "yyy"),
    "stderr_first": ("done", 0, "exit status 0", "eee\nthen out\n"),
    "closes": ("dead", -15, "timeout", ""),
    "holds_pipes": ("done", 0, "exit status 0", "all is well\n"),
    "late": ("dead", 0, "timeout", "done after all\n"),
    "eats": ("dead", 1, "exit status 1", "MemoryError"),
    "reads_all": ("done", 0, "exit status 0", ""),
}
MAY_TAKE_LONGER = {"floods": 60}  # seconds; a gibibyte takes what it takes
STAYS = "holds_pipes"  # whoever ends well may leave somebody behind, until the daemon stops


class Client(threading.Thread):
    """Sends the same callback again and again, each over a connection of its own."""

    def __init__(self, task):
        super().__init__(daemon=True)
        self.task, self.statuses, self.times = task, [], []
        self.ending = threading.Event()
        self.start()

    def run(self):
        while not self.ending.is_set():
            began = time.monotonic()
            status = self.task.say("processing")
            self.times.append((time.monotonic() - began) * 1e3)
            self.statuses.append(status)
            self.ending.wait(0.01)

    def finish(self):
        self.ending.set()
        self.join()
        return self.times

    def wait_count(self, count):
        wait_for(lambda: len(self.statuses) >= count or not self.is_alive(), "callbacks", END_S)


class Zoo:
    """One task whose end calls all of them, and what was seen before, meanwhile and after."""

    def __init__(self, run):
        self.run, self.provider = run, Provider()
        run.closers.append(self.provider)
        folder = run.home / "beasts"
        hooks = []
        for name in ZOO:
            (folder / name).mkdir(parents=True)
            argv = [sys.executable, str(BEAST), name, str(folder / name)]
            hooks.append({"name": name.replace("_", "-"), "retry": {"attempts": 1},
                          "timeout": f"{MAY_TAKE_LONGER.get(name, TIMEOUT_S)}s",
                          "exec": argv + ["{task.payload}"] * (name == "reads_all")})
        self.daemon = run.daemon(self.provider, hooks=hooks,
                                 limits={**NO_SOURCE_LIMITS, "runs": len(ZOO)})
        self.before = self.look()
        victim = submit(self.daemon, self.provider)
        self.quiet = self.measure(victim, lambda client: client.wait_count(100))
        self.loud = self.measure(victim, self.open_cages)

    def measure(self, victim, what):
        client = Client(victim)
        try:
            what(client)
        finally:
            times = client.finish()
        assert set(client.statuses) == {200}
        return times

    def open_cages(self, client):
        words = [c for i in range(40) for c in ("--tag", f"t{i}={'v' * 200}")]
        done = self.daemon.cli("submit", "text2video", "--model", "viduq3-turbo", "--prompt", "x",
                               "--payload", "p" * BIG, *words)[1]
        url = self.provider.created[-1]["callback_url"]
        task = Task(self.daemon, done["task"], done["remote_id"], url)
        assert task.say("success") == 200
        wait_for(self.all_ended, lambda: f"end of all: {self.daemon.runs()}", END_S)
        self.ended = {r["hook"].replace("-", "_"): r for r in self.daemon.runs()}

    def all_ended(self):
        runs = self.daemon.runs()
        time.sleep(0.1)  # a look is a program on the machine that is being measured
        return len(runs) == len(ZOO) and {r["state"] for r in runs} <= {"done", "dead"}

    def pids(self):
        """Of the daemon's rooms, by name; the keeper is the daemon itself."""
        rooms = {r["name"]: r["pid"] for r in self.daemon.cli("status")[1]["rooms"]}
        return {"keeper": self.daemon.pid, **rooms}

    def look(self):
        pids = self.pids()
        fds = {name: descriptors(pids[name]) for name in ("keeper", "runner")}
        return {"pids": pids, "fds": fds}

    def living(self, name):
        """Processes of this beast that still exist."""
        folder = self.run.home / "beasts" / name
        return [p.name for p in folder.iterdir() if pathlib.Path(f"/proc/{p.name}").exists()]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def seconds(run):
    began, ended = (datetime.datetime.fromisoformat(run[k].replace("Z", "+00:00"))
                    for k in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def p99(times):
    return statistics.quantiles(times, n=100)[98]


@pytest.fixture(scope="module")
def zoo(shared_run):
    return Zoo(shared_run)


@pytest.mark.parametrize("name", ZOO)
def test_it_ends_in_time_and_with_the_right_words(zoo, name):
    state, code, detail, output = ZOO[name]
    run = zoo.ended[name]
    assert (run["state"], run["exit_code"]) == (state, code), run
    assert detail in run["detail"] and output in run["output"], run
    assert seconds(run) < MAY_TAKE_LONGER.get(name, LATEST_S), run
    if name != STAYS:
        wait_for(lambda: not zoo.living(name), lambda: f"end of {zoo.living(name)}", 5)


def test_a_big_payload_arrives_whole_and_the_environment_is_kept_small(zoo):
    given, environment, argument = map(int, zoo.ended["reads_all"]["output"].split())
    assert argument == BIG and given > BIG
    assert 8000 < environment < 64 << 10


def test_what_a_good_end_left_behind_is_alone(zoo):
    assert len(zoo.living(STAYS)) == 1


def test_nothing_is_left_of_them(zoo):
    """No descriptor of theirs, no zombie, no process but the one that may stay; the same rooms."""
    kept = set(zoo.living(STAYS))

    def clean():
        known = {str(pid) for pid in zoo.before["pids"].values()}
        strangers = {str(pid) for pid in descendants()} - known - kept
        return zoo.look() == zoo.before and not strangers

    wait_for(clean, lambda: f"what was before: {zoo.before}, now {zoo.look()}: {descendants()}")


def test_callbacks_were_answered_all_the_time(zoo, capsys):
    with capsys.disabled():
        print(f"\ncallbacks, p99 in ms: {p99(zoo.quiet):.1f} before, {p99(zoo.loud):.1f} beside "
              f"the zoo (median {statistics.median(zoo.quiet):.1f}, {statistics.median(zoo.loud):.1f}; "
              f"{len(zoo.loud)} sent)")
    assert zoo.daemon.alive() and zoo.daemon.url().startswith(f"https://{LOOPBACK}")
