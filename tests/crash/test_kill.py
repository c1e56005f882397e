# SPDX-License-Identifier: MIT
"""kill -9 at random moments under load. Clients keep the list of their 200s; at the end every one
of them is in the store, every success was acted on, and no file is half there.

VIDUHOOK_KILLS is the number of kills (100): 60 % hit the whole daemon, the others a single room.
"""
import contextlib
import hashlib
import os
import pathlib
import random
import signal
import sqlite3
import threading

from harness import descendants, wait_for
from life import NO_SOURCE_LIMITS, ROOMS, STATES, Job, Load, callback_urls, rooms

KILLS = int(os.environ.get("VIDUHOOK_KILLS", "100"))
ROOM_KILLS = KILLS * 2 // 5
MEDIA_SIZE = 400_000
MOST_WAITING = 60  # tasks that nobody has begun with


class Submitter:
    """Submits tasks as long as the load can use them, whatever happens to the daemon."""

    def __init__(self, run, sim, load, media):
        self.run, self.sim, self.load, self.media = run, sim, load, media
        self.daemon = None
        self.jobs, self.odd, self.failed, self.stopping = [], [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(2)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def work(self):
        while not self.stopping.is_set():
            if self.load.jobs.qsize() > MOST_WAITING:
                self.stopping.wait(0.02)
                continue
            tag = ["--tag", "keep=yes"] if len(self.jobs) % 12 == 0 else []
            status, answer = self.daemon.cli("submit", "text2video", "--model", "viduq3",
                                             "--prompt", "x", *tag, check=False)
            if status != 0:
                self.failed += 1
                self.stopping.wait(0.02)
                continue
            if "remote_id" not in answer:
                self.odd.append(answer)
                continue
            url = callback_urls(self.sim)[answer["remote_id"]]
            job = Job(answer["task"], answer["remote_id"], url, self.media)
            job.kept = bool(tag)
            self.jobs.append(job)
            self.load.jobs.put(job)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def hooks(run):
    script = f'echo "$VIDUHOOK_EVENT" >>{run.home}/acted/$VIDUHOOK_TASK_ID'
    (run.home / "acted").mkdir()
    retry = {"from": "50ms", "to": "200ms", "attempts": 1000}
    return [
        {"name": "keep", "match": {"tags": ["keep"]}, "retry": retry,
         "download": {"dir": str(run.home / "media"), "cover": False}},
        {"name": "act", "exec": ["/bin/sh", "-c", script], "concurrency": 4, "retry": retry},
    ]


def kill_all(daemon):
    """The keeper and every room, in random order; sometimes the keeper alone, which ends them."""
    pids = [daemon.pid]
    if random.random() < 0.7:
        pids += rooms(daemon).values()
    random.shuffle(pids)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    daemon.kill()
    # As a service manager does: nothing of the old one is left when the new one starts. (Not by
    # leftovers(), which would reap the submitters' commands.)
    wait_for(lambda: not any(c.startswith("viduhookd: ") for c in descendants().values()),
             lambda: f"end of the rooms: {descendants()}")


def kill_room(daemon):
    name = random.choice(sorted(ROOMS))
    pid = rooms(daemon).get(name)
    if pid is None:
        return False
    os.kill(pid, signal.SIGKILL)
    return True


def run_a_while(load):
    """Until some more callbacks have been acknowledged: a random moment of the load."""
    load.wait_acked(load.count() + random.randint(1, 25), seconds=30)


def end_of_runs(daemon):
    def over():
        status, answer = daemon.cli("status", check=False)
        return status == 0 and not set(answer["runs"]) & {"waiting", "ready", "running"}

    wait_for(over, lambda: f"end of all runs: {daemon.cli('status')[1]['runs']}\n{daemon.tail()}", 60)


def events_in_store(path):
    """{(remote id, state)} of the callbacks that were accepted."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = db.execute("SELECT task.remote_id, event.body FROM event"
                          " JOIN task ON task.row = event.task"
                          " WHERE event.verdict IN ('accepted', 'duplicate')").fetchall()
        doubled = db.execute("SELECT task, hook, trigger, count(*) AS n FROM run"
                             " GROUP BY task, hook, trigger HAVING n > 1").fetchall()
    assert doubled == []
    found = set()
    for remote_id, body in rows:
        for state in STATES:
            if body is not None and f'"state": "{state}"'.encode() in bytes(body):
                found.add((remote_id, state))
    return found


def check_files(run, jobs, sim):
    """No final file is partial, and every task that was to be kept has one."""
    digests = set()
    names = [p for p in pathlib.Path(run.home / "media").rglob("*") if p.is_file()]
    for path in names:
        if path.name.startswith("."):
            continue
        data = path.read_bytes()
        assert len(data) == MEDIA_SIZE, path
        digests.add(hashlib.sha256(data).hexdigest())
    assert len(digests) <= 1
    for job in jobs:
        assert any(job.remote_id in p.name or job.task in p.name for p in names
                   if not p.name.startswith(".")), f"no file of {job.task}: {names}"


def test_nothing_acknowledged_is_ever_lost(run):
    seed = random.randrange(1 << 32)
    random.seed(seed)
    print(f"seed {seed}")
    films = run.sim("--time", "10ms", "--media-size", str(MEDIA_SIZE))
    media = films.finished()["creations"][0]["url"]
    sim = run.sim("--ca", run.ca(), "--time", "1h")
    conf = run.conf(sim, hooks=hooks(run), limits=NO_SOURCE_LIMITS)
    conf["fetch"] = {"allow": [f"127.0.0.1:{films.port}"], "keep_free": "1MiB"}
    load = Load(run.ca(), clients=6)
    submitter = Submitter(run, sim, load, media)
    daemon = submitter.daemon = run.daemon(conf=conf)
    submitter.start()
    whole = single = 0
    try:
        while whole + single < KILLS:
            run_a_while(load)
            if single * (KILLS - ROOM_KILLS) < whole * ROOM_KILLS and kill_room(daemon):
                single += 1
                run_a_while(load)
            kill_all(daemon)
            whole += 1
            daemon = submitter.daemon = run.daemon(conf=conf)
        submitter.stop()
        acked = load.finish(60)
    finally:
        submitter.stop()
        load.stop()
    end_of_runs(daemon)
    assert daemon.stop() == 0
    print(f"{whole} kills of the daemon, {single} of a room; {len(acked)} callbacks acknowledged, "
          f"{len(submitter.jobs)} tasks, {submitter.failed} submits failed; {load.statuses}")
    assert submitter.odd == []
    assert whole >= KILLS * 3 // 5 and whole + single >= KILLS
    assert not load.statuses.get(404) and not load.statuses.get(401)
    stored = events_in_store(run.home / "viduhook.db")
    missing = {(job.remote_id, state) for job, state in acked} - stored
    assert missing == set(), f"{len(missing)} acknowledged callbacks are not in the store"
    finished = [job for job, state in acked if state == "success"]
    assert len(finished) > KILLS
    idle = [job.task for job in finished if not (run.home / "acted" / job.task).exists()]
    assert idle == [], f"{len(idle)} successes were not acted on"
    check_files(run, [job for job in finished if job.kept], films)
