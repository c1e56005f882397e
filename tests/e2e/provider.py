# SPDX-License-Identifier: MIT
"""A provider that does only what a test tells it: it takes tasks and answers looks, and never
calls back. The callbacks are the test's, so each test decides what arrives, when and in which
order. It takes the place of the simulator in Run.daemon()."""
import contextlib
import json
import threading

from web import (DEADLINE, SIM_KEY, QuietHandler, Served, callback_body, post_callback,
                 request, wait_for)

VIDEO = "https://media.example/a.mp4?X-Amz-Expires=86400&X-Amz-Signature=51f2secret"


class Provider(Served):
    """created: bodies of the creates, newest last. looks: ids that were asked for."""

    def __init__(self):
        provider = self
        self.lock = threading.Lock()
        self.created, self.looks, self.answers = [], [], {}
        self.next_id = 912345678901234000
        self.paths = {}  # what a GET of other paths is answered with
        self.held = threading.Event()
        self.held.set()
        self.down = threading.Event()  # looks get no answer while it is set

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.reply(provider.create(body))

            def do_GET(self):
                if provider.down.is_set():
                    self.close_connection = True
                    return
                answer = provider.paths.get(self.path) or provider.look(self.path.split("/")[-2])
                self.reply(*answer if isinstance(answer, tuple) else (answer,))

        super().__init__(Handler)

    def create(self, body):
        with self.lock:
            self.next_id += 1
            self.created.append(body)
            return {"task_id": str(self.next_id), "state": "created", "credits": 40}

    def look(self, remote_id):
        with self.lock:
            self.looks.append(remote_id)
            held = self.held
            answer = self.answers.get(remote_id) or callback_body(remote_id, "processing")
        held.wait(DEADLINE)
        return answer

    @contextlib.contextmanager
    def hold(self):
        """Looks made meanwhile are answered once the event that is given is set, with what is true
        now."""
        event = threading.Event()
        with self.lock:
            self.held, before = event, self.held
        try:
            yield event
        finally:
            event.set()
            with self.lock:
                self.held = before

    def looks_at(self, task):
        with self.lock:
            return self.looks.count(task.remote_id)

    def will_say(self, task, state, url="", **more):
        """What looks at this task find from now on."""
        with self.lock:
            self.answers[task.remote_id] = callback_body(task.remote_id, state, url, **more)

    def will_refuse(self, task, status, reason="", **headers):
        """Looks at this task get an error from now on."""
        body = {"code": status, "reason": reason, "message": reason, "metadata": {}}
        with self.lock:
            self.answers[task.remote_id] = (
                body, status, {k.replace("_", "-"): v for k, v in headers.items()})


class Task:
    """One task that was submitted to a Provider; what its callbacks do is asked of the daemon."""

    def __init__(self, daemon, task_id, remote_id, url):
        self.daemon, self.id, self.remote_id, self.url = daemon, task_id, remote_id, url

    @property
    def key(self):
        return self.url.rpartition("/")[2]

    def body(self, state="success", url=None, **more):
        url = VIDEO if url is None and state == "success" else url or ""
        return callback_body(self.remote_id, state, url, **more)

    def post(self, body, key=SIM_KEY, url=None, **changes):
        """A signed callback; its HTTP status."""
        return post_callback(url or self.url, body, key, self.daemon.ca, **changes).status

    def say(self, state, **more):
        """The documented callback for a state."""
        return self.post(self.body(state, **more))

    def show(self):
        return self.daemon.cli("show", self.id)[1]["task"]

    @property
    def state(self):
        return self.show()["state"]

    def result_url(self):
        result = self.show()["result"]
        return result[0]["url"] if result else None

    def events(self, source="callback"):
        """(verdict, detail) of the timeline's events from this source."""
        events = self.daemon.cli("explain", self.id)[1]["events"]
        return [(e["verdict"], e["detail"]) for e in events if e["source"] == source]

    def verdicts(self, source="callback"):
        return [verdict for verdict, _ in self.events(source)]

    def runs(self):
        return self.daemon.cli("runs", "--task", self.id)[1]["runs"]

    def wait_state(self, state):
        wait_for(lambda: self.state == state, lambda: f"state {state}, only {self.show()}")


def submit(daemon, provider, name="vidu"):
    """A new task by `viduhook submit`."""
    done = daemon.cli("submit", "text2video", "--provider", name, "--model", "viduq3-turbo",
                      "--prompt", "a paper boat")[1]
    with provider.lock:
        url = provider.created[-1].get("callback_url", "")
    return Task(daemon, done["task"], done["remote_id"], url)


# -- a gateway in words of its own ----------------------------------------------------------------


class Gateway(Served):
    """Speaks of jobs, phases and links. With a ca it calls back, in its own words as well."""

    def __init__(self, video_url, ca=None):
        gateway = self
        self.seen, self.told = [], []

        class Handler(QuietHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.seen.append(("POST", self.path, self.headers["Authorization"], body))
                self.reply({"id": "not-this", "out": {"job": 77, "phase": "waiting"}})
                if ca is not None:
                    told = request("POST", json.loads(body)["callback_url"],
                                   '{"out": {"job": 77, "phase": "DONE"}}',
                                   {"Content-Type": "application/json"}, ca)
                    gateway.told.append(told.status)

            def do_GET(self):
                gateway.seen.append(("GET", self.path, self.headers["Authorization"], b""))
                self.reply({"id": "not-this", "out": {
                    "job": 77, "phase": "DONE", "files": [{"link": video_url}]}})

        super().__init__(Handler)


def own_gateway(run, ca=None, **options):
    """(gateway, conf): a generic provider called "mine" that these options make understood."""
    sim = run.sim("--time", "50ms")
    gateway = Gateway(sim.finished()["creations"][0]["url"], ca)
    run.closers.append(gateway)
    conf = run.conf(sim, providers=["mine"])
    conf["providers"]["mine"].update(
        profile="generic", base_url=gateway.url,
        names={"id": "out.job", "state": "out.phase", "result": "out.files.0.link"}, **options)
    return gateway, conf
