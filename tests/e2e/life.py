# SPDX-License-Identifier: MIT
"""The daemon's rooms, and clients that put load on it: for the tests of its life cycle."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import queue
import ssl
import threading
import time

from harness import DEADLINE, LOOPBACK, SIM_KEY, callback_body, command_line, signed_headers, wait_for
from web import tls_context

ROOMS = {"receiver 1", "gateway", "runner"}
# Loopback is one source to the daemon; its limits are other tests' business.
NO_SOURCE_LIMITS = {"per_source": 0, "source_rate": 0, "min_free": "1MiB"}
MEDIA = "https://media.example.org/clip.mp4"
STATES = ("queueing", "processing", "success")


# -- rooms ----------------------------------------------------------------------------------------


def children(pid):
    """{pid: command line} of a process's own children."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open(f"/proc/{entry}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found[int(entry)] = command_line(entry)
    return found


def rooms(daemon):
    """{name: pid} of the rooms that exist now."""
    found = {}
    for pid, command in children(daemon.pid).items():
        name = command.removeprefix("viduhookd: ").partition(" --room=")[0]
        if command.startswith("viduhookd: "):
            found[name] = pid
    return found


def rooms_up(daemon, other_than=()):
    """{name: pid} once each room is there and ready, with none of the pids in other_than."""
    def ready():
        status, answer = daemon.cli("status", check=False)
        if status != 0:
            return None
        up = {r["name"]: r["pid"] for r in answer["rooms"] if r["phase"] == "up"}
        complete = set(up) == ROOMS and len(answer["rooms"]) == len(ROOMS)
        return up if complete and not set(up.values()) & set(other_than) else None

    return wait_for(ready, lambda: f"complete set of rooms, only {rooms(daemon)}:\n{daemon.tail()}")


# -- tasks ----------------------------------------------------------------------------------------


class Job:
    """A task whose callbacks a test sends itself: the simulator is told to take its time. (A success
    without a URL would be looked up before hooks run, so there is always one.)"""

    def __init__(self, task, remote_id, url, media=MEDIA):
        self.task, self.remote_id, self.url, self.media = task, remote_id, url, media

    def body(self, state):
        media = self.media if state == "success" else ""
        return json.dumps(callback_body(self.remote_id, state, media)).encode()


def callback_urls(sim):
    """{remote id: callback URL} of all tasks of the simulator."""
    return {e["task"]: e["callback_url"] for e in sim.ledger("create")}


def submit_jobs(daemon, sim, count, media=MEDIA, args=()):
    """As many tasks, submitted by the command."""
    def one(_):
        return daemon.cli("submit", "text2video", "--model", "viduq3", "--prompt", "x", *args)[1]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(one, range(count)))
    urls = callback_urls(sim)
    return [Job(a["task"], a["remote_id"], urls[a["remote_id"]], media) for a in answers]


# -- load -----------------------------------------------------------------------------------------


class Load:
    """Clients that send the callbacks of jobs in order, each again until it is acknowledged.

    acked is the list of (job, state) that were answered 200; statuses and errors count everything.
    With keep_alive a connection is used until the other side closes it, else once.
    """

    def __init__(self, ca, jobs=(), clients=6, keep_alive=False, states=STATES):
        self.context, self.keep_alive, self.states = tls_context(ca), keep_alive, states
        self.jobs, self.acked, self.errors, self.statuses = queue.Queue(), [], [], {}
        self.ending = threading.Event()
        self.lock = threading.Lock()
        for job in jobs:
            self.jobs.put(job)
        self.threads = [threading.Thread(target=self.client, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def client(self):
        connection = None
        while not self.ending.is_set():
            try:
                job = self.jobs.get(timeout=0.05)
            except queue.Empty:
                continue
            for state in self.states:
                connection = self.deliver(connection, job, state)
            self.jobs.task_done()
        if connection is not None:
            connection.close()

    def deliver(self, connection, job, state):
        """Posts until it is acknowledged; returns the connection, if it is still good."""
        while not self.ending.is_set():
            connection, status = self.attempt(connection, job, state)
            with self.lock:
                self.statuses[status] = self.statuses.get(status, 0) + 1
                if status == 200:
                    self.acked.append((job, state))
                    return connection
            time.sleep(0.01)  # not a wait for a result: the pause of a client that was refused
        return connection

    def attempt(self, connection, job, state):
        used = connection is not None
        if connection is None:
            port = int(job.url.split("/")[2].rpartition(":")[2])
            connection = http.client.HTTPSConnection(LOOPBACK, port, timeout=DEADLINE,
                                                     context=self.context)
        try:
            target = "/" + job.url.split("/", 3)[3]
            connection.request("POST", target, job.body(state), signed_headers(SIM_KEY, job.url))
            answer = connection.getresponse()
            answer.read()
            if answer.will_close or not self.keep_alive:
                connection.close()
                connection = None
            return connection, answer.status
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            # The end of a connection that was idle may cross the next request: no error of either.
            if not (used and isinstance(error, (ConnectionError, ssl.SSLEOFError))):
                with self.lock:
                    self.errors.append(error)
            return None, type(error).__name__

    def count(self):
        with self.lock:
            return len(self.acked)

    def wait_acked(self, count, seconds=DEADLINE):
        wait_for(lambda: self.count() >= count,
                 lambda: f"{count} acknowledged callbacks, only {self.count()}; {self.statuses}",
                 seconds)

    def finish(self, seconds=DEADLINE):
        """Waits until everything was acknowledged; returns the list."""
        try:
            wait_for(lambda: self.jobs.unfinished_tasks == 0,
                     lambda: f"end of the load: {self.statuses} {self.errors[-3:]}", seconds)
        finally:
            self.stop()
        return self.acked

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
