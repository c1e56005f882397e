# SPDX-License-Identifier: MIT
"""The keeper's own affairs: what waits is not forgotten, whatever ended meanwhile."""
import contextlib
import os
import signal
import socket
import sqlite3
import subprocess

from harness import LOOPBACK, program, wait_for
from life import NO_SOURCE_LIMITS, children, rooms, submit_jobs
from provider import VIDEO, Provider, submit
from test_rooms import QUIET, note_hook, notes, succeed

DAY_MS = 86400000


def change(run, statement):
    """Of the store, while no daemon has it."""
    with contextlib.closing(sqlite3.connect(run.home / "viduhook.db")) as db, db:
        assert db.execute(statement).rowcount > 0


# -- runs -----------------------------------------------------------------------------------------


def test_a_hook_with_one_place_works_off_its_queue_without_pauses(run):
    """A run that ends makes room for the next one in its own commit. If that waited for the next
    tick of a second, or for somebody's frame, the deadline would pass."""
    gate = {"name": "gate", "on": ["success"], "concurrency": 1,
            "exec": ["/bin/sh", "-c", f"while [ ! -e {run.home}/go ]; do sleep 0.02; done"]}
    sim, daemon = run.stack(*QUIET, hooks=[gate], limits=NO_SOURCE_LIMITS)
    for job in submit_jobs(daemon, sim, 40):
        succeed(daemon, job)
    (run.home / "go").touch()
    daemon.wait_log("run.done", 40, seconds=20)


def test_runs_that_wait_for_one_that_can_never_be_made_are_cancelled(run):
    """Its hook is no longer in the configuration."""
    first = {"name": "first", "on": ["success"], "exec": ["/bin/sh", "-c", "exit 75"],
             "retry": {"from": "1s", "to": "1s"}}
    sim, daemon = run.stack(*QUIET, hooks=[first, note_hook(run, after="first")])
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    daemon.wait_log("run.again")
    status, answer = daemon.cli("retry", daemon.runs()[1]["id"], check=False)
    assert status == 1 and "waits" in answer["error"], answer  # nobody jumps the queue
    daemon.write({**daemon.conf, "hooks": [note_hook(run)]})
    daemon.cli("reload")
    daemon.wait_runs("dead", "cancelled")
    assert not notes(run, job)
    assert "no longer" in daemon.runs()[0]["detail"]


def test_an_answer_that_is_too_long_is_an_error(run):
    hook = {"name": "loud", "on": ["success"],
            "exec": ["/bin/sh", "-c", "head -c 4000000 /dev/zero | tr '\\0' '\\001'"]}
    sim, daemon = run.stack(*QUIET, hooks=[hook], limits={**NO_SOURCE_LIMITS, "output": "4MiB"})
    for job in submit_jobs(daemon, sim, 2):
        succeed(daemon, job)
    daemon.wait_log("run.done", 2)
    status, answer = daemon.cli("runs", check=False)
    assert status == 1 and "--limit" in answer["error"], answer


# -- looks ----------------------------------------------------------------------------------------


def test_a_daemon_that_was_away_for_days_asks_before_it_gives_up(run):
    """What ended meanwhile is found, what has not is lost."""
    provider = Provider()
    run.closers.append(provider)
    daemon = run.daemon(provider, hooks=[note_hook(run)])
    ended, running = submit(daemon, provider), submit(daemon, provider)
    daemon.stop()
    change(run, f"UPDATE task SET created_ms = created_ms - {3 * DAY_MS}")
    provider.will_say(ended, "success", VIDEO)
    again = run.daemon(conf=daemon.conf)
    assert again.wait_task(ended.id, "success")
    assert again.wait_task(running.id, "lost")
    wait_for(lambda: (run.home / "notes" / ended.id).exists(), "run for the one that ended")


def test_a_provider_that_cannot_be_asked_has_lost_nothing(run):
    provider = Provider()
    daemon = run.daemon(provider)
    task = submit(daemon, provider)
    daemon.stop()
    change(run, f"UPDATE task SET created_ms = created_ms - {3 * DAY_MS}")
    provider.close()
    again = run.daemon(conf=daemon.conf)
    again.wait_log("look.failed")
    assert again.task(task.id)["state"] == "submitted"
    told = again.cli("explain", task.id)[1]["events"]
    assert any((e["source"], e["verdict"]) == ("poll", "failed") and
               e["detail"].startswith("look 1: ") for e in told), told


class Silent:
    """A provider that takes requests and never answers."""

    def __init__(self):
        self.socket = socket.create_server((LOOPBACK, 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.close = self.socket.close


def test_a_submission_that_nobody_saw_the_end_of_is_ambiguous(run):
    """The gateway dies between the request and its answer. The task may exist, so it does not stay
    `registered` for ever."""
    provider = Silent()
    run.closers.append(provider)
    daemon = run.daemon(provider)
    command = subprocess.Popen(
        [program("viduhook"), "-c", daemon.conf_path, "submit", "text2video", "--model",
         "viduq3-turbo", "--prompt", "x"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    daemon.wait_log("submit.sent")
    os.kill(rooms(daemon)["gateway"], signal.SIGKILL)
    assert command.wait(60) != 0
    wait_for(lambda: daemon.cli("list", check=False)[0] == 0, "new gateway")
    task, = daemon.cli("list")[1]["tasks"]
    assert task["state"] == "registered"
    daemon.stop()
    again = run.daemon(conf=daemon.conf)
    assert again.wait_task(task["id"], "ambiguous")


# -- reload ---------------------------------------------------------------------------------------


def test_a_signal_during_a_reload_is_not_forgotten(run):
    """The file may have changed after it was read."""
    sim, daemon = run.stack(*QUIET)
    daemon.reload()
    # on a busy machine the reload may be over before its rooms were seen
    wait_for(lambda: len(children(daemon.pid)) > 3 or daemon.log("config.reloaded"), "new rooms")
    daemon.write({**daemon.conf, "receivers": 2})
    daemon.reload()
    wait_for(lambda: "receiver 2" in rooms(daemon), "second receiver")


def test_what_needs_a_restart_is_noted_each_time_and_status_tells_what_is_in_force(run):
    sim, daemon = run.stack(*QUIET)
    old = daemon.conf
    daemon.write({**old, "store": f"sqlite:{run.home}/other.db"})
    for _ in range(2):
        note, = daemon.cli("reload")[1]["notes"]
        assert note.startswith("store:")
    assert daemon.cli("status")[1]["store"]["url"] == old["store"]
