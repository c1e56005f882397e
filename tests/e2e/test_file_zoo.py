# SPDX-License-Identifier: MIT
"""File servers that misbehave, all at once: each download ends with the right bytes or as a dead
letter that says why. Nobody ever sees a part of a file; no forbidden address is connected to."""
import contextlib
import hashlib
import pathlib
import re
import select
import socket
import threading
import time
import urllib.parse

import pytest

from harness import LOOPBACK, get, make_certificate, wait_for
from provider import Provider, Task
from zoo.files import BEHAVIOURS, BODY, OTHER, Server

RIGHT = hashlib.sha256(BODY).hexdigest()
CHANGED = hashlib.sha256(OTHER).hexdigest()
END_S = 60  # of all of them; most of it is the time that those get who would never end

# name: the digest of the file that comes of it, or what the dead letter says.
ENDS = {
    "honest": RIGHT,
    # lengths
    "length_too_long": "remaining to read|ended after",
    "length_too_short": "cut off within its box mdat",
    "length_is_a_lie_of_petabytes": "over 8388608 bytes|file size",
    "length_beyond_numbers": "file size",
    "length_negative": "[Cc]ontent-[Ll]ength",
    "two_lengths": RIGHT,
    "length_and_chunks": RIGHT,
    "short_once": RIGHT,
    "always_short": "remaining to read|ended after",
    "short_but_it_goes_on": RIGHT,
    "endless_chunks": "over 8388608 bytes",
    "endless_until_the_end": "over 8388608 bytes",
    # time
    "drips": "[Tt]ime",
    "stalls": "[Tt]ime",
    "silent": "[Tt]ime",
    "head_drips": "[Tt]ime",
    # resets
    "reset_before_anything": RIGHT,
    "reset_in_the_head": RIGHT,
    "reset_after_the_head": RIGHT,
    "reset_at_the_first_byte": RIGHT,
    "reset_before_the_type": RIGHT,
    "reset_half_way": RIGHT,
    "reset_at_the_last_byte": RIGHT,
    "always_reset": "reset",
    # ranges
    "changed_meanwhile": CHANGED,
    "changed_in_a_206": CHANGED,
    "range_starts_elsewhere": RIGHT,
    "range_backwards": RIGHT,
    "range_of_rubbish": RIGHT,
    "range_beyond_numbers": RIGHT,
    "range_of_another_total": RIGHT,
    "range_ignored": RIGHT,
    "range_of_a_stranger": RIGHT,
    "range_longer_than_said": RIGHT,
    "range_nobody_asked_for": "a part of the file was sent",
    "ranges_in_parts": RIGHT,
    "no_rest_half_way": RIGHT,
    "always_416": "416",
    # encodings and framing
    "gzip": "not an MP4",
    "gzip_it_says": RIGHT,
    "chunk_of_rubbish": RIGHT,
    "chunk_beyond_numbers": RIGHT,
    "chunk_negative": RIGHT,
    "chunks_without_an_end": RIGHT,
    "chunk_extensions_for_ever": "[Tt]ime",
    "trailers_for_ever": "head of the answer",
    "poisons": RIGHT,
    "switches": "101|[Uu]nsupported|[Ww]eird|upgrade",
    # heads
    "many_headers": "head of the answer",
    "headers_for_ever": "head of the answer",
    "huge_header": "head of the answer",
    "header_line_for_ever": "head of the answer",
    "header_with_nul": "header",
    "hints_for_ever": "head of the answer",
    "not_http": "HTTP",
    "no_head_at_all": "HTTP",
    # answers that are none
    "html": "not an MP4",
    "empty": "not an MP4",
    "nothing_204": "204",
    "too_short_for_a_type": "not an MP4",
    "always_400": "status 400",
    "always_401": "status 401",
    "always_403": "status 403",
    "always_404": "status 404",
    "always_410": "status 410",
    "always_500": "status 500",
    "always_503": "status 503",
    "403_half_way": RIGHT,
    "404_half_way": RIGHT,
    "410_half_way": RIGHT,
    "busy_once": RIGHT,
    "html_half_way": "not an MP4",
    # redirects
    "redirects_nowhere": "status 302",
    "redirects_in_a_circle": "redirect",
    "redirects_for_long": "redirect",
    "redirects_nearby": RIGHT,
}
FRESH = re.compile("[0-9]+_half_way")  # whose provider knows a better address by then

# Where no redirect may lead: {} is the canary's port.
FORBIDDEN = [
    "http://127.0.0.1:{}/", "https://127.0.0.1:{}/", "https://127.0.0.2:{}/",
    "https://2130706433:{}/", "https://0x7f000001:{}/", "https://0x7f.1:{}/",
    "https://0177.0.0.1:{}/", "https://017700000001:{}/", "https://127.1:{}/",
    "https://127.0.1:{}/", "https://0:{}/", "https://0.0.0.0:{}/", "https://[::]:{}/",
    "https://[::1]:{}/", "https://[0:0:0:0:0:0:0:1]:{}/", "https://[::ffff:127.0.0.1]:{}/",
    "https://[::ffff:7f00:1]:{}/", "https://[::127.0.0.1]:{}/", "https://[64:ff9b::7f00:1]:{}/",
    "https://[2002:7f00:1::]:{}/", "https://[::1%25lo]:{}/", "https://localhost:{}/",
    "https://LocalHost:{}/", "https://localhost.:{}/", "https://127.0.0.1.:{}/",
    "https://%31%32%37.0.0.1:{}/", "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11:{}/",
    "https://127\u30020\u30020\u30021:{}/", "//127.0.0.1:{}/", "https:127.0.0.1:{}/",
    "https:///127.0.0.1:{}/", "https:\\\\127.0.0.1:{}/", "https://user:word@127.0.0.1:{}/",
    "https://127.0.0.1:{}#@example.org/", "https://127.0.0.1:{}?@example.org/",
    "HTTPS://127.0.0.1:{}/", "https://10.0.0.1:{}/", "https://192.168.0.1:{}/",
    "https://172.16.0.1:{}/", "https://100.64.0.1:{}/", "https://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254/", "https://[fe80::1]:{}/", "https://[fc00::1]:{}/",
    "https://[fd00:ec2::254]/",
    "file:///etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1:{}/v.mp4",
    "gopher://127.0.0.1:{}/",
    "dict://127.0.0.1:{}/", "ldap://127.0.0.1:{}/", "smb://127.0.0.1:{}/", "tftp://127.0.0.1:{}/",
    "telnet://127.0.0.1:{}/", "data:video/mp4,xxxxftyp", "javascript:alert(1)",
]


class Canary(threading.Thread):
    """Listens on other loopback addresses, on one port, and keeps who came: nobody should."""

    def __init__(self):
        super().__init__(daemon=True)
        self.came, self.over, self.sockets = [], False, [socket.create_server((LOOPBACK, 0))]
        self.port = self.sockets[0].getsockname()[1]
        self.sockets.append(socket.create_server(("127.0.0.2", self.port)))
        with contextlib.suppress(OSError):  # a machine without IPv6
            self.sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        self.start()

    def run(self):
        while not self.over:
            for s in select.select(self.sockets, [], [], 0.05)[0]:
                connection, peer = s.accept()
                self.came.append(peer)
                connection.close()

    def close(self):
        self.over = True
        self.join()
        for s in self.sockets:
            s.close()


class Witness(threading.Thread):
    """Looks into the library all the time, for files that are not whole when they are seen first."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.over, self.known, self.parts, self.hidden = folder, False, {}, [], 0
        self.start()

    def run(self):
        while not self.over:
            for path in self.folder.rglob("*"):
                if path.name.startswith("."):
                    self.hidden += 1
                elif path not in self.known and path.is_file():
                    self.judge(path)
            time.sleep(0.002)

    def judge(self, path):
        self.known[path] = digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in (RIGHT, CHANGED):
            self.parts.append(path)

    def close(self):
        self.over = True
        self.join()


class Zoo:
    """One task for each behaviour and each address, all of them downloading side by side."""

    def __init__(self, run):
        self.run, self.provider = run, Provider()
        self.library = run.home / "library"
        certificate = make_certificate(run.home)
        self.server, self.secure = Server(LOOPBACK), Server(LOOPBACK, certificate)
        self.canary, self.witness = Canary(), Witness(self.library)
        run.closers += [self.provider, self.witness, self.server, self.secure, self.canary]
        allow = [f"{LOOPBACK}:{s.port}" for s in (self.server, self.secure)]
        hook = {"name": "dl", "concurrency": 64, "timeout": "4s",
                "retry": {"attempts": 3, "from": "1ms", "to": "200ms", "max_age": "8s"},
                "download": {"dir": str(self.library), "cover": False, "max_size": "8MiB"}}
        self.daemon = run.daemon(self.provider, hooks=[hook], limits={
            "runs": 64, "min_free": "1MiB", "per_source": 0, "source_rate": 0}, fetch={
            "allow": allow, "ports": [self.canary.port, 80], "ca_file": run.ca(),
            "keep_free": "1MiB"})
        self.tasks = {name: self.start(name, f"{self.server.url}/{name}/x") for name in ENDS}
        self.redirects = {form: self.start(form, self.redirect(form)) for form in FORBIDDEN}
        self.detours = {name: self.start(name, url) for name, url in self.roundabout().items()}
        wait_for(self.all_ended, lambda: f"end of all: {self.unfinished()}", END_S)
        self.runs = {r["task"]: r for r in self.daemon.runs()}
        self.files = {}
        for f in self.daemon.cli("files")[1]["files"]:
            self.files.setdefault(f["task"], []).append(f)

    def roundabout(self):
        """Where the last of several steps must not be made."""
        plain, secure = "http://127.0.0.2:{}/", "https://127.0.0.2:{}/"
        return {"from https to http": self.redirect(plain, self.secure),
                "in two steps": self.redirect(self.redirect(secure)),
                "from http over https to http": self.redirect(self.redirect(plain, self.secure)),
                "by a fresh URL": f"{self.server.url}/always_403/fresh"}

    def redirect(self, form, server=None):
        to = urllib.parse.quote(form.format(self.canary.port), safe="")
        # Each has a path of its own, and so a count of its own.
        mark = hashlib.sha256(form.encode()).hexdigest()[:12]
        return f"{(server or self.server).url}/redirects/{mark}?to={to}"

    def start(self, name, url):
        words = ["--model", "viduq3-turbo", "--prompt", "x"]
        done = self.daemon.cli("submit", "text2video", *words)[1]
        with self.provider.lock:
            task = Task(self.daemon, done["task"], done["remote_id"],
                        self.provider.created[-1]["callback_url"])
        fresh = url + "?fresh" if FRESH.fullmatch(name) else url
        if name == "by a fresh URL":
            fresh = self.redirect("https://127.0.0.2:{}/fresh")
        self.provider.will_say(task, "success", fresh)
        assert task.post(task.body(url=url)) == 200
        return task.id

    def all_ended(self):
        time.sleep(0.1)
        return not self.unfinished()

    def unfinished(self):
        return [(r["hook"], r["state"], r["attempt"], r["detail"]) for r in self.daemon.runs()
                if r["state"] not in ("done", "dead")]


@pytest.fixture(scope="module")
def zoo(shared_run):
    return Zoo(shared_run)


def test_every_behaviour_has_its_end():
    assert set(BEHAVIOURS) == set(ENDS) | {"redirects"}


@pytest.mark.parametrize("name", ENDS)
def test_the_bytes_are_right_or_the_dead_letter_says_why(zoo, name):
    run, wanted = zoo.runs[zoo.tasks[name]], ENDS[name]
    files = zoo.files.get(zoo.tasks[name], [])
    if wanted in (RIGHT, CHANGED):
        assert run["state"] == "done", run
        assert [f["sha256"] for f in files] == [wanted]
        assert hashlib.sha256(pathlib.Path(files[0]["path"]).read_bytes()).hexdigest() == wanted
    else:
        assert run["state"] == "dead" and files == [], run
        assert re.search(wanted, run["detail"]), run


@pytest.mark.parametrize("form", FORBIDDEN)
def test_no_redirect_leads_where_it_must_not(zoo, form):
    run = zoo.runs[zoo.redirects[form]]
    assert run["state"] == "dead" and run["detail"], run
    assert zoo.redirects[form] not in zoo.files


def test_nor_does_a_detour(zoo):
    for name, task in zoo.detours.items():
        run = zoo.runs[task]
        assert run["state"] == "dead" and "127.0.0.2 refused" in run["detail"], (name, run)
        assert task not in zoo.files


def test_nobody_came_to_the_forbidden_addresses(zoo):
    assert zoo.canary.came == []
    assert get(f"{zoo.server.url}/honest/probe").body == BODY  # and the server is still there


def test_nobody_ever_saw_a_part_of_a_file(zoo):
    assert zoo.witness.parts == [] and zoo.witness.hidden > 0
    expected = sorted(f["path"] for files in zoo.files.values() for f in files)
    assert sorted(map(str, zoo.witness.known)) == expected
