# SPDX-License-Identifier: MIT
"""A provider that does only what a test tells it: it takes tasks and answers looks, and never
calls back. The callbacks are the test's, so each test decides what arrives, when and in which
order. It takes the place of the simulator in Run.daemon()."""
import contextlib
import http.server
import json
import threading

from web import DEADLINE, LOOPBACK, SIM_KEY, callback_body, post_callback, wait_for

VIDEO = "https://media.example/a.mp4?X-Amz-Expires=86400&X-Amz-Signature=51f2secret"


class Provider:
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

        class Handler(http.server.BaseHTTPRequestHandler):
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

            def reply(self, answer, status=200, headers=()):
                text = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server((LOOPBACK, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

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

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


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
