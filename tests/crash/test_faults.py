# SPDX-License-Identifier: MIT
"""The disk fails, fills up or is slow under the store. A library that is loaded into the keeper
(shim.c) makes the calls fail or wait; the daemon knows nothing of it."""
import concurrent.futures
import contextlib
import errno
import mmap
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import time

import pytest

from harness import post_callback, program, wait_for
from life import NO_SOURCE_LIMITS, Load, rooms, rooms_up, submit_jobs
from provider import submit
from test_missed import conf_with, fill, provider_of

ROWS = {"fsync": 0, "fdatasync": 1, "pwrite": 2, "rename": 3}
PASS, FAIL, DELAY, DROP = range(4)
ACTION, ARGUMENT, CALLED, RETURNED = range(4)

pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler"),
    pytest.mark.skipif(b"__asan_init" in pathlib.Path(program("viduhookd")).read_bytes(),
                       reason="the sanitizer wants to be the first library"),
]


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("shim") / "shim.so"
    source = pathlib.Path(__file__).with_name("shim.c")
    subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-Wall", "-shared", "-fPIC", "-o", path, source,
                    "-ldl"], check=True)
    return path


class Shim:
    """The rows of shim.c."""

    def __init__(self, library, home):
        path = home / "shim.control"
        path.write_bytes(bytes(32 * len(ROWS)))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.env = {"LD_PRELOAD": str(library), "VIDUHOOK_SHIM": str(path),
                    "VIDUHOOK_SHIM_FILES": "viduhook.db"}

    def set(self, call, action, argument=0):
        self._put(call, ARGUMENT, argument)
        self._put(call, ACTION, action)

    def _put(self, call, column, value):
        struct.pack_into("q", self.map, 32 * ROWS[call] + 8 * column, value)

    def get(self, call, column=CALLED):
        return struct.unpack_from("q", self.map, 32 * ROWS[call] + 8 * column)[0]


@pytest.fixture
def shim(library, run):
    return Shim(library, run.home)


def start(run, shim, **options):
    """(sim, daemon): the simulator sends nothing in a test's time, the tests do."""
    sim = run.sim("--ca", run.ca(), "--time", "1h")
    options.setdefault("limits", NO_SOURCE_LIMITS)
    return sim, run.daemon(sim, env=shim.env, **options)


def post(daemon, job, state="success"):
    return post_callback(job.url, job.body(state), ca=daemon.ca)


def post_together(daemon, jobs, state="success"):
    """The statuses of callbacks that are sent at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(lambda job: post(daemon, job, state).status, jobs))


def stored_states(run):
    """{task: state word} of the accepted callbacks, from the file, daemon or not."""
    uri = f"file:{run.home}/viduhook.db"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in db.execute(
            "SELECT DISTINCT task.id FROM event JOIN task ON task.row = event.task"
            " WHERE event.verdict = 'accepted' AND event.body IS NOT NULL"
            " AND length(event.body) > 0").fetchall()}


def note_hook(run):
    (run.home / "notes").mkdir()
    return {"name": "note", "exec": ["/bin/sh", "-c",
                                     f"echo x >>{run.home}/notes/$VIDUHOOK_TASK_ID"]}


# -- the order: counted, then begun ---------------------------------------------------------------


def test_a_run_that_was_claimed_ahead_begins_while_the_end_of_another_is_synced(run, shim):
    begun = run.home / "begun"
    wait = f"echo x >>{begun}; while [ ! -e {run.home}/go ]; do sleep 0.01; done"
    sim, daemon = start(run, shim, hooks=[
        {"name": "gate", "exec": ["/bin/sh", "-c", wait], "concurrency": 1}])
    for job in submit_jobs(daemon, sim, 2):
        assert post(daemon, job).status == 200
    wait_for(lambda: sorted((r["state"], r["attempt"]) for r in daemon.runs()) == [
        ("ready", 1), ("running", 1)], "a run claimed ahead")
    called, returned = shim.get("fdatasync"), shim.get("fdatasync", RETURNED)
    assert called == returned
    shim.set("fdatasync", DELAY, 5000)
    (run.home / "go").touch()
    wait_for(lambda: begun.read_text().count("x") == 2, "the second run")
    assert shim.get("fdatasync", RETURNED) == returned
    shim.set("fdatasync", PASS)
    daemon.wait_runs("done", "done")


# -- the order: synced, then answered -------------------------------------------------------------


def test_every_answer_comes_after_a_sync_of_its_own(run, shim):
    sim, daemon = start(run, shim)
    for job in submit_jobs(daemon, sim, 5):
        for state in ("queueing", "processing", "success"):
            before = shim.get("fdatasync", RETURNED)
            assert post(daemon, job, state).status == 200
            assert shim.get("fdatasync", RETURNED) > before


def test_no_answer_while_the_sync_has_not_returned(run, shim):
    """The sync hangs: nothing is said. It returns: the answer comes."""
    sim, daemon = start(run, shim)
    job, = submit_jobs(daemon, sim, 1)
    shim.set("fdatasync", DELAY, 1500)
    called, returned = shim.get("fdatasync"), shim.get("fdatasync", RETURNED)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, daemon, job)
        wait_for(lambda: shim.get("fdatasync") > called, "sync")
        while shim.get("fdatasync", RETURNED) == returned:
            assert not answer.done()
            time.sleep(0.01)
        shim.set("fdatasync", PASS)
        assert answer.result().status == 200


def test_the_next_run_of_a_busy_hook_begins_while_the_disk_is_busy(run, shim):
    """Its attempt was counted by an earlier commit, so it need not wait for another."""
    gate = (f"echo $VIDUHOOK_RUN_ID >>{run.home}/begun; "
            f"while test ! -e {run.home}/go$VIDUHOOK_RUN_ID; do sleep 0.01; done")
    sim, daemon = start(run, shim, hooks=[
        {"name": "h", "exec": ["/bin/sh", "-c", gate], "concurrency": 1}])
    for job in submit_jobs(daemon, sim, 2):
        assert post(daemon, job).status == 200
    wait_for(lambda: [(r["state"], r["attempt"]) for r in daemon.runs()] ==
             [("running", 1), ("ready", 1)], "one under way, one held")
    shim.set("fdatasync", DELAY, 4000)
    returned = shim.get("fdatasync", RETURNED)
    (run.home / "go1").touch()
    wait_for(lambda: (run.home / "begun").read_text().split() == ["1", "2"], "the next run")
    assert shim.get("fdatasync", RETURNED) == returned
    shim.set("fdatasync", PASS)
    (run.home / "go2").touch()
    daemon.wait_runs("done", "done")


def test_one_sync_serves_all_that_wait(run, shim):
    """Batches form while a sync is under way: far fewer syncs than answers."""
    sim, daemon = start(run, shim)
    jobs = submit_jobs(daemon, sim, 24)
    shim.set("fdatasync", DELAY, 200)
    before = shim.get("fdatasync")
    assert post_together(daemon, jobs) == [200] * len(jobs)
    assert 1 <= shim.get("fdatasync") - before < len(jobs) // 2


def test_control_experiment_a_dropped_sync_is_noticed_by_the_shim(run, shim):
    """The shim is in the path: dropped syncs are counted, and the daemon cannot know."""
    sim, daemon = start(run, shim)
    job, = submit_jobs(daemon, sim, 1)
    shim.set("fdatasync", DROP)
    before = shim.get("fdatasync")
    assert post(daemon, job).status == 200
    assert shim.get("fdatasync") > before


# -- errors ---------------------------------------------------------------------------------------


def assert_all_there_after_restart(run, daemon, jobs, refused):
    """What was acknowledged is found. What was refused can be sent again; it may be found as well,
    since only the sync of its transaction had failed."""
    again = run.daemon(conf=daemon.conf)
    states = {t["id"]: t["state"] for t in again.cli("list", "--limit", "1000")[1]["tasks"]}
    assert all(states[job.task] == "success" for job in jobs)
    assert post_together(again, refused) == [200] * len(refused)
    for job in [*jobs, *refused]:
        wait_for(lambda job=job: (run.home / "notes" / job.task).exists(), f"run of {job.task}")
    assert again.stop() == 0
    assert {job.task for job in [*jobs, *refused]} <= stored_states(run)


@pytest.mark.parametrize("call", ["fdatasync", "pwrite"])
def test_an_io_error_refuses_the_batch_and_ends_the_daemon(run, shim, call):
    sim, daemon = start(run, shim, hooks=[note_hook(run)], expected=74)
    jobs = submit_jobs(daemon, sim, 12)
    good, bad = jobs[:6], jobs[6:]
    assert post_together(daemon, good) == [200] * len(good)
    wait_for(lambda: len(list((run.home / "notes").iterdir())) == len(good), "runs")
    wait_for(lambda: daemon.cli("status")[1]["runs"] == {"done": len(good)}, "end of the runs")
    shim.set(call, FAIL, errno.EIO)
    assert set(post_together_or_cut(daemon, bad)) <= {503, "cut"}
    assert daemon.wait() == 74
    failure = daemon.log("store.failed")[0]
    assert " error " in failure and "recovery" in failure
    shim.set(call, PASS)
    assert_all_there_after_restart(run, daemon, good, bad)


def post_together_or_cut(daemon, jobs):
    """As post_together; "cut" for those who came when nobody listened any more."""
    def one(job):
        try:
            return post(daemon, job).status
        except OSError:
            return "cut"

    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(one, jobs))


def test_those_who_wait_are_told_before_the_daemon_ends(run, shim):
    sim, daemon = start(run, shim, expected=74)
    job, = submit_jobs(daemon, sim, 1)
    shim.set("fdatasync", FAIL, errno.EIO)
    answer = post(daemon, job)
    assert answer.status == 503 and answer.headers["Retry-After"]
    assert daemon.wait() == 74


def test_an_error_once_is_enough(run, shim):
    """After a failed sync a later good one proves nothing: the daemon ends all the same."""
    sim, daemon = start(run, shim, expected=74)
    job, other = submit_jobs(daemon, sim, 2)
    shim.set("fdatasync", FAIL, errno.EIO)
    assert post(daemon, job).status == 503
    shim.set("fdatasync", PASS)
    assert set(post_together_or_cut(daemon, [other])) <= {503, "cut"}
    assert daemon.wait() == 74


def test_a_daemon_that_ends_like_this_takes_its_commands_along(run, shim):
    hook = {"name": "long", "exec": ["/bin/sh", "-c", f"echo >>{run.home}/started; sleep 1000"]}
    sim, daemon = start(run, shim, hooks=[hook], expected=74)
    first, second = submit_jobs(daemon, sim, 2)
    assert post(daemon, first).status == 200
    wait_for(lambda: (run.home / "started").exists(), "start of the hook")
    shim.set("fdatasync", FAIL, errno.EIO)
    assert post(daemon, second).status == 503
    assert daemon.wait(30) == 74  # nothing may be left: finish() looks


def test_a_store_that_is_moved_away_acknowledges_nothing_more(run, shim):
    sim, daemon = start(run, shim, hooks=[note_hook(run)], expected=74)
    good, bad = submit_jobs(daemon, sim, 2)
    assert post(daemon, good).status == 200
    wait_for(lambda: daemon.cli("status")[1]["runs"] == {"done": 1}, "end of the run")
    (run.home / "viduhook.db").rename(run.home / "away.db")
    assert set(post_together_or_cut(daemon, [bad])) <= {503, "cut"}
    assert daemon.wait() == 74
    assert "moved, removed or replaced" in daemon.log("store.failed")[0]
    again = run.daemon(conf=daemon.conf, expected=74, wait=False)
    assert again.wait() == 74 and "its log is not" in again.log("store.not_opened")[0]
    (run.home / "away.db").rename(run.home / "viduhook.db")
    assert_all_there_after_restart(run, daemon, [good], [bad])


def test_a_full_disk_is_survived(run, shim):
    sim, daemon = start(run, shim, hooks=[note_hook(run)])
    jobs = submit_jobs(daemon, sim, 12)
    good, bad = jobs[:6], jobs[6:]
    assert post_together(daemon, good) == [200] * len(good)
    shim.set("pwrite", FAIL, errno.ENOSPC)
    for _ in range(3):
        assert post_together(daemon, bad) == [503] * len(bad)
    assert daemon.alive() and daemon.log("store.refused")
    daemon.write({**daemon.conf, "alarms": {"disk_free": "16TiB"}})
    daemon.reload()
    daemon.wait_log("alarm.raised")
    daemon.wait_log("store.refused", len(daemon.log("store.refused")) + 3)
    assert len(daemon.log("alarm.raised")) == 1
    assert not daemon.log("store.failed")
    shim.set("pwrite", PASS)
    wait_for(lambda: post(daemon, bad[0]).status == 200, "recovery")
    assert post_together(daemon, bad) == [200] * len(bad)
    for job in jobs:
        wait_for(lambda job=job: (run.home / "notes" / job.task).exists(), f"run of {job.task}")
    assert daemon.stop() == 0
    assert {job.task for job in jobs} <= stored_states(run)


# -- slowness -------------------------------------------------------------------------------------


def test_a_slow_disk_loses_nothing(run, shim):
    sim, daemon = start(run, shim, hooks=[note_hook(run)])
    jobs = submit_jobs(daemon, sim, 24)
    shim.set("fdatasync", DELAY, 500)
    load = Load(daemon.ca, jobs, clients=24)
    acked = load.finish(60)
    shim.set("fdatasync", PASS)
    assert len(acked) == 3 * len(jobs) and set(load.statuses) == {200}
    for job in jobs:
        wait_for(lambda job=job: (run.home / "notes" / job.task).exists(), f"run of {job.task}")
    assert daemon.stop() == 0
    assert {job.task for job in jobs} <= stored_states(run)


def test_a_report_and_the_death_of_its_runner_may_come_together(run, shim):
    """Both wait for the keeper while it syncs: the run ends once, whatever is seen first."""
    script = (f"echo $$ >>{run.home}/started; while [ ! -e {run.home}/go ]; do sleep 0.02; done")
    sim, daemon = start(run, shim, hooks=[{"name": "wait", "exec": ["/bin/sh", "-c", script]}])
    first, second = submit_jobs(daemon, sim, 2)
    assert post(daemon, first).status == 200
    started = run.home / "started"
    wait_for(lambda: started.exists() and started.read_text().strip(), "start of the hook")
    before = shim.get("fdatasync")
    shim.set("fdatasync", DELAY, 1000)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, daemon, second, "processing")
        wait_for(lambda: shim.get("fdatasync") > before, "sync")
        (run.home / "go").touch()
        hook = started.read_text().split()[0]
        wait_for(lambda: not os.path.exists(f"/proc/{hook}"), "end of the hook")
        os.kill(rooms(daemon)["runner"], signal.SIGKILL)
        shim.set("fdatasync", PASS)
        assert answer.result().status == 200
    rooms_up(daemon)
    wait_for(lambda: daemon.cli("status")[1]["runs"] == {"done": 1}, "end of the run")
    assert post(daemon, second).status == 200
    wait_for(lambda: daemon.cli("status")[1]["runs"] == {"done": 2}, "end of the next run")


def drain(fd):
    """What a pipe holds now."""
    said = b""
    os.set_blocking(fd, False)
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(fd, 65536):
            said += piece
    return said


def test_a_log_that_nobody_reads_stops_nothing(run):
    """stderr is a pipe that is full; lines are dropped, and counted."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_end, b"x" * 4096)
    os.set_blocking(write_end, True)
    sim = run.sim("--ca", run.ca(), "--time", "1h")
    daemon = run.daemon(sim, wait=False, hooks=[note_hook(run)], limits=NO_SOURCE_LIMITS,
                        popen={"stderr": write_end})
    os.close(write_end)
    daemon.port = int(daemon.conf["listen"][0].rpartition(":")[2])
    wait_for(lambda: daemon.cli("status", check=False)[0] == 0, "answer on the control socket")
    jobs = submit_jobs(daemon, sim, 20)
    assert post_together(daemon, jobs) == [200] * len(jobs)
    for job in jobs:
        wait_for(lambda job=job: (run.home / "notes" / job.task).exists(), f"run of {job.task}")
    assert drain(read_end).strip(b"x") == b""
    assert daemon.stop() == 0  # somebody reads again, and is told how much is missing
    said = drain(read_end).decode()
    os.close(read_end)
    dropped = re.search(r"room=keeper .*dropped=(\d+)", said)
    assert dropped and int(dropped.group(1)) > len(jobs), said


# -- the sweep after a start ----------------------------------------------------------------------


def test_a_step_of_the_sweep_that_fails_is_made_again(run, shim):
    """No unfinished task is left out because the disk was full for a moment."""
    provider = provider_of(run)
    conf = {**conf_with(run, provider, overdue="24h"), "limits": {**NO_SOURCE_LIMITS, "looks": 60}}
    daemon = run.daemon(conf=conf, env=shim.env)
    submit(daemon, provider)
    daemon.stop()
    fill(run, 300)
    shim.set("pwrite", DELAY, 20)  # the commit of a step takes long enough to fail in the middle
    daemon = run.daemon(conf=conf, env=shim.env, wait=False)
    daemon.wait_log("looks.at_start")
    shim.set("pwrite", FAIL, errno.ENOSPC)
    daemon.wait_log("store.refused")
    shim.set("pwrite", PASS)
    daemon.wait_ready()
    wait_for(lambda: len(set(provider.looks)) == 300, lambda: f"all, only {len(provider.looks)}",
             30)
