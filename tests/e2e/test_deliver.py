# SPDX-License-Identifier: MIT
"""HTTP deliveries: what arrives, what an answer means, and servers that refuse what real ones do."""
import base64
import contextlib
import email.parser
import email.policy
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import sqlite3
import threading
import urllib.parse

import pytest

from harness import LOOPBACK, wait_for
from web import QuietHandler, Served

FAST = ("--time", "20ms", "--retry-gap", "20ms")
QUICK = {"attempts": 3, "from": "1ms", "to": "20ms"}
TOKEN = "jf_0123456789abcdef"
SIGNING = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
           "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]


class Asked:
    def __init__(self, handler, body):
        self.method, self.target, self.headers = handler.command, handler.path, handler.headers
        self.path, _, self.query = self.target.partition("?")
        self.body, self.peer = body, handler.client_address

    @property
    def json(self):
        return json.loads(self.body)


class Server(Served):
    """Calls answer(asked) -> (status, headers, body) for each request and keeps the requests."""

    def __init__(self, answer):
        server = self
        self.asked, self.lock = [], threading.Lock()

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                asked = Asked(self, self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                with server.lock:
                    server.asked.append(asked)
                status, headers, body = answer(asked)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve
            do_HEAD = do_MKCOL = do_MOVE = do_PROPFIND = serve

        super().__init__(Handler)

    def wait(self, count=1):
        """The requests, once there are as many."""
        return wait_for(lambda: self.asked if len(self.asked) >= count else None,
                        lambda: f"{count} requests: {[a.target for a in self.asked]}")


class Raw:
    """Accepts connections and leaves each to serve(connection) in a thread of its own."""

    def __init__(self, serve):
        self.listener = socket.socket()
        self.listener.bind((LOOPBACK, 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.serve, self.over, self.count = serve, False, 0
        self.thread = threading.Thread(target=self.watch)
        self.listener.settimeout(0.05)
        self.thread.start()

    def watch(self):
        while not self.over:
            with contextlib.suppress(OSError):
                connection = self.listener.accept()[0]
                self.count += 1
                threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            connection.recv(65536)
            self.serve(connection)

    def close(self):
        self.over = True
        self.thread.join()
        self.listener.close()


def serve(run, answer):
    server = Server(answer if callable(answer) else lambda asked: answer)
    run.closers.append(server)
    return server


def secret(run, name, value):
    return {"file": str(run.file(name, value))}


def stack(run, http_, also=(), limits=None, **changes):
    """(sim, daemon) with one http hook `tell`, on success unless changed."""
    sim = run.sim("--ca", run.ca(), *FAST)
    hook = {"name": "tell", "retry": QUICK, "http": http_, **changes}
    more = {} if limits is None else {"limits": limits}
    return sim, run.daemon(sim, hooks=[*also, hook], **more)


def download(run):
    return {"name": "archive", "retry": QUICK, "download": {"dir": str(run.home / "media")}}


ALONE = {"max": 1}


def library(run, http_, **options):
    """The daemon of a task whose video was downloaded and told of."""
    if http_.get("preset") in ("jellyfin", "emby", "plex", "kodi"):
        http_ = {"batch": ALONE, **http_}
    _, daemon = stack(run, http_, also=[download(run)], after="archive", **options)
    daemon.submit()
    return daemon


def media(run):
    one, = (run.home / "media").rglob("*.mp4")
    return one


OK = (200, {}, b"")

# -- what arrives ---------------------------------------------------------------------------------


def test_the_context_arrives_as_json_and_the_answer_is_kept(run):
    server = serve(run, (200, {"Content-Type": "text/plain"}, b"thank you \xff"))
    _, daemon = stack(run, {"url": server.url + "/hook?id={task.id}"})
    task = daemon.submit("--tag", "album=x y")
    done, = daemon.wait_runs("done")
    asked, = server.wait()
    assert asked.method == "POST" and asked.target == f"/hook?id={task}"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Viduhook-Attempt"] == "1"
    assert "Expect" not in asked.headers and asked.headers["User-Agent"] == "viduhook"
    assert asked.json["event"] == "success" and asked.json["task"]["id"] == task
    assert asked.json["task"]["tags"] == {"album": "x y"}
    assert done["output"] == "thank you ?"
    assert done["detail"] == f"POST {server.url}: HTTP 200"


def test_a_template_is_escaped_for_its_place(run):
    server = serve(run, OK)
    _, daemon = stack(run, {
        "url": server.url + "/p/{task.prompt}?q={task.prompt}", "method": "PUT",
        "headers": {"X-Prompt": "<{task.prompt}>"},
        "body": '{{"text": "{task.prompt}", "raw": {task.id|json}}}'})
    prompt = 'a "cat"/{url}\n&x=1'
    task = daemon.submit(prompt=prompt)
    daemon.wait_runs("done")
    asked, = server.wait()
    quoted = urllib.parse.quote(prompt, safe="")
    assert asked.method == "PUT" and asked.target == f"/p/{quoted}?q={quoted}"
    assert asked.headers["X-Prompt"] == '<a "cat"/{url} &x=1>'
    assert asked.json == {"text": prompt, "raw": task}


def test_a_body_of_another_type_is_not_escaped_for_json(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"url": server.url, "headers": {"Content-Type": "text/plain"},
                            "body": "{task.prompt}"})
    daemon.submit(prompt='a "cat"')
    asked, = server.wait()
    assert asked.body == b'a "cat"' and asked.headers["Content-Type"] == "text/plain"
    daemon.wait_runs("done")


@pytest.mark.parametrize("form", ["cloudevents", "cloudevents-binary"])
def test_a_cloudevent_has_its_attributes(run, form):
    server = serve(run, OK)
    _, daemon = stack(run, {"url": server.url, "format": form})
    task = daemon.submit()
    done, = daemon.wait_runs("done")
    asked, = server.wait()
    if form == "cloudevents":
        assert asked.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
        event, data = asked.json, asked.json["data"]
        assert event["datacontenttype"] == "application/json"
    else:
        assert asked.headers["Content-Type"] == "application/json"
        event = {k[3:].lower(): v for k, v in asked.headers.items() if k.startswith("ce-")}
        data = asked.json
    assert event["specversion"] == "1.0" and event["type"] == "viduhook.task.success"
    assert event["source"] == "/viduhook/vidu" and event["subject"] == task
    assert event["id"] == f"{task}_success_{done['id']}" and event["time"].endswith("Z")
    assert data["task"]["id"] == task


@pytest.mark.parametrize("form", ["cloudevents", "cloudevents-binary"])
def test_a_cloudevent_of_no_task_has_no_subject(run, form):
    server = serve(run, OK)
    sim = run.sim("--ca", run.ca(), *FAST)
    hook = {"name": "tell", "on": ["disk_low"], "http": {"url": server.url, "format": form}}
    daemon = run.daemon(sim, hooks=[hook], alarms={"disk_free": "16TiB"})
    daemon.wait_runs("done")
    asked, = server.wait()
    event = {k[3:].lower(): v for k, v in asked.headers.items() if k.lower().startswith("ce-")}
    data = asked.json
    if form == "cloudevents":
        event, data = asked.json, asked.json["data"]
    assert event["specversion"] == "1.0" and event["type"] == "viduhook.disk_low"
    assert event["source"] == "/viduhook" and event["id"] and "subject" not in event
    assert data["details"]["directory"] == str(run.home) and "task" not in data


def test_raw_is_what_was_received_to_the_byte(run):
    server = serve(run, OK)
    sim, daemon = stack(run, {"url": server.url, "format": "raw", "sign": "standard-webhooks",
                              "secrets": [secret(run, "s.key", SIGNING[0])]})
    daemon.submit()
    daemon.wait_runs("done")
    asked, = server.wait()
    daemon.stop()
    with contextlib.closing(sqlite3.connect(run.home / "viduhook.db")) as db:
        told = [body for body, in db.execute("SELECT body FROM event WHERE length(body) > 0")]
    assert asked.headers["Content-Type"] == "application/json" and asked.json["state"] == "success"
    assert asked.body == told[-1]
    text = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode()
    wanted = hmac.new(base64.b64decode(SIGNING[0][6:]), text + asked.body, hashlib.sha256).digest()
    assert asked.headers["webhook-signature"] == "v1," + base64.b64encode(wanted).decode()


def test_raw_of_a_chosen_entry_is_that_entry(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"url": server.url, "format": "raw"}, on=["processing", "success"])
    task = daemon.submit()
    daemon.wait_runs("done", "done")
    events = daemon.cli("explain", task)[1]["events"]
    first = 1 + next(i for i, e in enumerate(events) if e["state"] == "processing")
    daemon.cli("replay", task, "--as-received", "--event", str(first))
    server.wait(3)
    assert server.asked[2].json["state"] == "processing"
    assert server.asked[2].body in [a.body for a in server.asked[:2]]


def test_raw_of_what_nobody_sent_is_final(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"url": server.url, "format": "raw"})
    daemon.cli("trigger", "--hook", "tell", check=False)
    failed, = daemon.wait_runs("failed")
    assert "nothing was received for this event" in failed["detail"] and server.asked == []


def test_signatures_verify_with_each_secret_and_the_id_is_stable(run):
    answers = iter([(503, {}, b""), OK])
    server = serve(run, lambda asked: next(answers))
    _, daemon = stack(run, {"url": server.url, "sign": "standard-webhooks",
                            "secrets": [secret(run, "new.key", SIGNING[0]),
                                        secret(run, "old.key", SIGNING[1])]})
    daemon.submit()
    daemon.wait_runs("done")
    first, second = server.wait(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert [a.headers["Viduhook-Attempt"] for a in (first, second)] == ["1", "2"]
    for asked in (first, second):
        text = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode()
        wanted = [hmac.new(base64.b64decode(s[6:]), text + asked.body, hashlib.sha256).digest()
                  for s in SIGNING]
        assert asked.headers["webhook-signature"].split() == [
            "v1," + base64.b64encode(w).decode() for w in wanted]


def test_secrets_travel_and_are_nowhere_else(run):
    server = serve(run, (401, {}, b"no"))
    _, daemon = stack(run, {"url": server.url + "/?k=v", "token": secret(run, "t.key", TOKEN),
                            "headers": {"X-Key": secret(run, "x.key", "x{y}" + TOKEN)}})
    daemon.submit()
    dead, = daemon.wait_runs("dead")
    asked, = server.wait()
    assert asked.headers["Authorization"] == "Bearer " + TOKEN
    assert asked.headers["X-Key"] == "x{y}" + TOKEN
    assert dead["detail"] == (f"POST {server.url}: HTTP 401: the server does not know us; "
                              "check http.token")
    said = [daemon.log(), daemon.command("config", "show").stdout,
            json.dumps(daemon.runs()), daemon.conf["store"]]
    assert not any(TOKEN in text for text in said)


def test_a_kept_connection_is_used_again(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"url": server.url}, concurrency=1)
    for n in range(1, 5):
        daemon.submit()
        daemon.wait_runs(*["done"] * n)
    assert len(server.wait(4)) == 4 and len({a.peer for a in server.asked}) == 1


def test_a_url_that_becomes_too_long_is_final(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"url": server.url + "/{task.prompt}"})
    daemon.submit(prompt="é" * 1500)
    dead, = daemon.wait_runs("dead")
    assert dead["detail"] == "the URL is too long" and server.asked == []


def test_a_header_that_becomes_too_long_is_final(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"url": server.url, "headers": {"X-Said": "{task.prompt}" * 12}})
    daemon.submit(prompt="e" * 1500)
    dead, = daemon.wait_runs("dead")
    assert dead["detail"] == "a header is too long" and server.asked == []


# -- what an answer means -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_these_are_tried_again(run, status):
    answers = iter([(status, {}, b"later"), OK])
    server = serve(run, lambda asked: next(answers))
    _, daemon = stack(run, {"url": server.url})
    daemon.submit()
    done, = daemon.wait_runs("done")
    assert done["attempt"] == 2 and len(server.asked) == 2


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 409, 410, 413, 422])
def test_these_are_final(run, status):
    other = serve(run, OK)
    server = serve(run, (status, {"Location": other.url}, b"no"))
    _, daemon = stack(run, {"url": server.url, "token": secret(run, "t.key", TOKEN)})
    daemon.submit()
    dead, = daemon.wait_runs("dead")
    assert f"HTTP {status}" in dead["detail"] and dead["output"] == "no"
    assert dead["attempt"] == 1 and len(server.asked) == 1 and other.asked == []


def test_a_receiver_that_is_gone_switches_its_hook_off(run):
    answers = iter([(410, {}, b"gone\n")])
    server = serve(run, lambda asked: next(answers, OK))
    sim, daemon = stack(run, {"url": server.url}, concurrency=1)
    daemon.submit()
    dead, = daemon.wait_runs("dead")
    assert dead["attempt"] == 1 and "HTTP 410" in dead["detail"]
    status = daemon.cli("status")[1]
    assert status["paused"] == ["tell"] and "HTTP 410" in status["switched_off"]["tell"]
    assert len(daemon.log("hook.switched_off")) == 1
    daemon.submit()
    waiting = wait_for(lambda: [r for r in daemon.runs() if r["state"] == "ready"], "one that waits")
    assert waiting[0]["attempt"] == 0 and len(server.asked) == 1
    daemon.stop()
    daemon = run.daemon(conf=daemon.conf)
    assert "HTTP 410" in daemon.cli("status")[1]["switched_off"]["tell"]
    daemon.cli("resume", "tell")
    wait_for(lambda: sorted(r["state"] for r in daemon.runs()) == ["dead", "done"], "resumed")
    assert daemon.cli("status")[1]["switched_off"] == {} and len(server.asked) == 2


def test_a_receiver_that_is_gone_is_told_as_dead(run):
    server = serve(run, (410, {}, b"gone"))
    other = serve(run, OK)
    tell = {"name": "why", "on": ["dead"], "http": {"url": other.url}}
    _, daemon = stack(run, {"url": server.url}, also=[tell])
    daemon.submit()
    dead, _ = daemon.wait_runs("dead", "done")
    asked, = other.wait()
    assert asked.json["event"] == "dead" and asked.json["details"]["hook"] == "tell"
    assert asked.json["details"]["run"] == dead["id"]
    assert "HTTP 410" in asked.json["details"]["detail"]


def test_trying_switches_nothing_off(run):
    server = serve(run, lambda asked: (410, {}, b"gone"))
    _, daemon = stack(run, {"url": server.url})
    daemon.cli("trigger", "--hook", "tell", check=False)
    daemon.wait_runs("failed")
    status = daemon.cli("status")[1]
    assert status["paused"] == [] and status["switched_off"] == {}


def test_two_hooks_may_be_switched_off_by_one_batch(run):
    server = serve(run, (410, {}, b""))
    other = {"name": "other", "retry": QUICK, "http": {"url": server.url}}
    _, daemon = stack(run, {"url": server.url}, also=[other])
    daemon.submit()
    daemon.wait_runs("dead", "dead")
    assert sorted(daemon.cli("status")[1]["switched_off"]) == ["other", "tell"]


def test_retry_after_is_honoured(run):
    server = serve(run, (429, {"Retry-After": "1800"}, b""))
    _, daemon = stack(run, {"url": server.url})
    daemon.submit()
    line, = daemon.wait_log("run.again")
    wait_ms = int(line.split("in_ms=")[1].split()[0])
    assert 1700000 < wait_ms <= 1800000 and len(server.asked) == 1


def test_retry_after_is_no_longer_than_an_hour(run):
    server = serve(run, (503, {"Retry-After": "99999999999"}, b""))
    _, daemon = stack(run, {"url": server.url})
    daemon.submit()
    line, = daemon.wait_log("run.again")
    assert 3500000 < int(line.split("in_ms=")[1].split()[0]) <= 3600000


def test_a_server_that_is_not_there_is_tried_again(run):
    port = run.port()
    _, daemon = stack(run, {"url": f"http://{LOOPBACK}:{port}/secret-path"})
    daemon.submit()
    line = daemon.wait_log("run.again", 4)[3]  # more than retry.attempts
    assert f"POST http://{LOOPBACK}:{port}: " in line and "secret-path" not in line


def test_a_server_that_keeps_failing_is_left_alone_until_one_came_back_well(run):
    well = threading.Event()
    server = serve(run, lambda asked: OK if well.is_set() else (500, {}, b""))
    _, daemon = stack(run, {"url": server.url}, concurrency=1)
    daemon.submit()
    told = wait_for(lambda: [line for line in daemon.log("run.again") if "not asked for" in line],
                    "a run that was not sent")
    assert len(server.asked) == 5 and "it failed 5 times or more in a row" in told[0]
    wait_ms = int(told[0].split("in_ms=")[1].split()[0])
    assert 1000 < wait_ms <= 2000
    well.set()
    daemon.wait_runs("done")
    daemon.submit()
    daemon.wait_runs("done", "done")
    assert len(server.asked) == 7


# -- hostile servers ------------------------------------------------------------------------------


def test_an_endless_answer_is_read_up_to_its_limit(run):
    def endless(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    server = Raw(endless)
    run.closers.append(server)
    _, daemon = stack(run, {"url": server.url})
    daemon.submit()
    done, = daemon.wait_runs("done")
    assert done["output"] == "x" * 65536 and server.count == 1


def test_a_huge_declared_answer_is_the_same(run):
    def huge(connection):
        connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 70000)

    server = Raw(huge)
    run.closers.append(server)
    _, daemon = stack(run, {"url": server.url})
    daemon.submit()
    assert "HTTP 500" in daemon.wait_log("run.again")[0]


def test_a_slow_server_is_given_up(run):
    over = threading.Event()
    server = Raw(lambda connection: over.wait(20))
    run.closers.append(server)
    _, daemon = stack(run, {"url": server.url}, timeout="200ms")
    daemon.submit()
    assert "timed out" in daemon.wait_log("run.again")[0]
    over.set()


def test_a_reset_and_rubbish_are_tried_again(run):
    turns = iter([b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
                  b"HTTP/1.1 204 Fine\r\n\r\n"])
    server = Raw(lambda connection: connection.sendall(next(turns)))
    run.closers.append(server)
    _, daemon = stack(run, {"url": server.url})
    daemon.submit()
    done, = daemon.wait_runs("done")
    assert done["detail"].endswith("HTTP 204") and done["attempt"] == 4


# -- media servers: stubs that refuse what the real ones refuse -----------------------------------


def jellyfin(asked):
    """Jellyfin 12: no legacy authorization, JSON only, 204 for unknown paths as well."""
    form = asked.headers.get("Authorization", "")
    if not form.startswith("MediaBrowser ") or f'Token="{TOKEN}"' not in form:
        return 401, {}, b""
    if asked.path != "/Library/Media/Updated":
        return 404, {}, b""
    if asked.method != "POST":
        return 405, {}, b""
    if not asked.headers.get("Content-Type", "").startswith("application/json"):
        return 415, {}, b""
    updates = asked.json["Updates"]
    fits = all(set(u) == {"Path", "UpdateType"} and u["UpdateType"] == "Created" for u in updates)
    return (204 if fits else 400), {}, b""


def emby(asked):
    if asked.headers.get("X-Emby-Token") != TOKEN:
        return 401, {}, b""
    if asked.path != "/emby/Library/Media/Updated" or asked.method != "POST":
        return 404, {}, b""
    if not asked.headers.get("Content-Type", "").startswith("application/json"):
        return 415, {}, b""
    return (204 if asked.json["Updates"] else 400), {}, b""


def test_jellyfin_is_told_the_path_it_knows(run):
    server = serve(run, jellyfin)
    daemon = library(run, {
        "preset": "jellyfin", "url": server.url + "/", "token": secret(run, "t.key", TOKEN),
        "path_map": {str(run.home): "/wrong", str(run.home / "media/20"): "/worse",
                     str(run.home / "media"): "/data/vidu clips/"}})
    daemon.wait_runs("done", "done")
    asked, = server.wait()
    video = media(run)
    assert asked.json == {"Updates": [{
        "Path": f"/data/vidu clips/{video.parent.name}/{video.name}", "UpdateType": "Created"}]}


def test_jellyfin_refuses_a_wrong_key_for_good(run):
    server = serve(run, jellyfin)
    daemon = library(run, {"preset": "jellyfin", "url": server.url,
                           "token": secret(run, "t.key", "other")})
    _, dead = daemon.wait_runs("done", "dead")
    assert "check http.token" in dead["detail"] and media(run).exists()


def test_emby_is_told(run):
    server = serve(run, emby)
    daemon = library(run, {"preset": "emby", "url": server.url + "/emby",
                           "token": secret(run, "t.key", TOKEN)})
    daemon.wait_runs("done", "done")
    asked, = server.wait()
    assert asked.json["Updates"][0]["Path"] == str(media(run))


class Plex:
    def __init__(self, sections):
        self.sections = sections

    def __call__(self, asked):
        if asked.headers.get("X-Plex-Token") != TOKEN or "X-Plex-Token" in asked.target:
            return 401, {}, b""
        if asked.method != "GET":
            return 405, {}, b""
        if asked.path == "/library/sections":
            if asked.headers.get("Accept") != "application/json":
                return 200, {"Content-Type": "text/xml"}, b"<MediaContainer/>"
            found = [{"key": k, "type": "movie", "title": k, "Location": [{"path": p}]}
                     for k, p in self.sections.items()]
            return 200, {}, json.dumps({"MediaContainer": {"Directory": found}}).encode()
        key = asked.path.removeprefix("/library/sections/").removesuffix("/refresh")
        return (200 if key in self.sections else 404), {}, b""


def test_plex_scans_the_folder_in_the_closest_library(run):
    server = serve(run, Plex({"1": "/data", "2": "/data/vidu & co/", "3": "/data/vidu & co/20"}))
    daemon = library(run, {"preset": "plex", "url": server.url,
                           "token": secret(run, "t.key", TOKEN),
                           "path_map": {str(run.home / "media"): "/data/vidu & co"}})
    daemon.wait_runs("done", "done")
    _, asked = server.wait(2)
    month = media(run).parent.name
    assert asked.path == "/library/sections/2/refresh"
    assert urllib.parse.parse_qs(asked.query) == {"path": [f"/data/vidu & co/{month}"]}


def test_plex_without_a_library_for_the_folder_is_told_so(run):
    server = serve(run, Plex({"1": "/elsewhere"}))
    daemon = library(run, {"preset": "plex", "url": server.url,
                           "token": secret(run, "t.key", TOKEN)})
    _, dead = daemon.wait_runs("done", "dead")
    assert "no library of the server holds" in dead["detail"] and len(server.asked) == 1


def test_a_list_of_libraries_that_is_too_long_is_not_half_read(run):
    server = serve(run, Plex({"1": str(run.home), **{f"1{n}": "/x" * 100 for n in range(400)}}))
    daemon = library(run, {"preset": "plex", "url": server.url,
                           "token": secret(run, "t.key", TOKEN)})
    _, dead = daemon.wait_runs("done", "dead")
    assert "the answer is over 65536 bytes" in dead["detail"] and dead["attempt"] == 3


def kodi(asked):
    """Kodi 20: errors of JSON-RPC come with status 200."""
    login = "Basic " + base64.b64encode(f"kodi:{TOKEN}".encode()).decode()
    if asked.headers.get("Authorization") != login:
        return 401, {}, b""
    if asked.path != "/jsonrpc" or asked.method != "POST":
        return 404, {}, b""
    if asked.headers.get("Content-Type") != "application/json":
        return 415, {}, b""
    call = asked.json
    answer = {"id": call["id"], "jsonrpc": "2.0"}
    if call["method"] == "VideoLibrary.Scan" and call["params"]["directory"] == '/me"dia{x}/':
        answer["result"] = "OK"
    else:
        answer["error"] = {"code": -32602, "message": "Invalid params."}
    return 200, {}, json.dumps(answer).encode()


def test_kodi_scans_the_root_of_its_source(run):
    server = serve(run, kodi)
    daemon = library(run, {"preset": "kodi", "url": server.url, "user": "kodi",
                           "token": secret(run, "t.key", TOKEN), "library": '/me"dia{x}'})
    daemon.wait_runs("done", "done")
    asked, = server.wait()
    assert asked.json["params"] == {"directory": '/me"dia{x}/', "showdialogs": False}


def test_an_error_of_kodi_is_a_failed_attempt(run):
    server = serve(run, kodi)
    daemon = library(run, {"preset": "kodi", "url": server.url, "user": "kodi",
                           "token": secret(run, "t.key", TOKEN), "library": "/other"})
    _, dead = daemon.wait_runs("done", "dead")
    assert "the server says: Invalid params." in dead["detail"]
    assert dead["attempt"] == 3 and len(server.asked) == 3


def test_a_server_of_files_needs_a_file(run):
    server = serve(run, jellyfin)
    keep = {"name": "archive", "exec": ["/bin/true"]}
    _, daemon = stack(run, {"preset": "jellyfin", "url": server.url,
                            "token": secret(run, "t.key", TOKEN)}, also=[keep], after="archive")
    daemon.submit()
    _, dead = daemon.wait_runs("done", "dead")
    assert dead["detail"] == "the task has no downloaded file that could be told of"
    assert server.asked == []


# -- several runs in one request ------------------------------------------------------------------


def crowd(run, http_, count, **changes):
    """A daemon with so many tasks whose news wait for one another: hook `tell` was paused."""
    _, daemon = stack(run, http_, **changes)
    daemon.cli("pause", "tell")
    tasks = [daemon.submit() for _ in range(count)]
    wait_for(lambda: [r["state"] for r in daemon.runs("--hook", "tell")] == ["ready"] * count,
             lambda: f"runs that wait: {daemon.runs()}", 30)
    return daemon, tasks


def told_tasks(server):
    return [sorted(one["task"]["id"] for one in asked.json) for asked in server.asked]


def test_runs_that_wait_go_into_one_request_and_each_has_its_outcome(run):
    server = serve(run, (200, {}, b"thanks"))
    daemon, tasks = crowd(run, {"url": server.url, "batch": {"max": 5, "wait": "30s"}}, 7,
                          concurrency=1)
    daemon.cli("resume", "tell")
    wait_for(lambda: len([r for r in daemon.runs() if r["state"] == "done"]) == 5, "first batch")
    first, = server.wait()
    assert len(first.json) == 5 and first.headers["webhook-id"].startswith("batch_")
    assert {r["output"] for r in daemon.runs() if r["state"] == "done"} == {"thanks"}
    daemon.stop()  # and nobody waits any longer
    daemon = run.daemon(conf=daemon.conf)
    daemon.cli("pause", "tell")
    assert sorted(sum(told_tasks(server), [])) == sorted(tasks)
    assert [r["state"] for r in daemon.runs()] == ["done"] * 7


def test_one_that_is_refused_does_not_take_the_others_along(run):
    bad = []

    def judge(asked):
        return (400 if any(one["task"]["id"] in bad for one in asked.json) else 200), {}, b""

    server = serve(run, judge)
    daemon, tasks = crowd(run, {"url": server.url, "batch": {"max": 4, "wait": "30s"}}, 4)
    bad.append(tasks[2])
    daemon.cli("resume", "tell")
    wait_for(lambda: all(r["state"] in ("done", "dead") for r in daemon.runs()), "outcomes")
    assert [r["task"] for r in daemon.runs() if r["state"] == "dead"] == [tasks[2]]
    assert sorted(map(len, told_tasks(server))) == [1, 1, 1, 1, 4]


def test_a_batch_that_fails_is_made_again_run_by_run(run):
    answers = iter([(503, {}, b"")])
    server = serve(run, lambda asked: next(answers, OK))
    daemon, tasks = crowd(run, {"url": server.url, "batch": {"max": 3, "wait": "100ms"}}, 3)
    daemon.cli("resume", "tell")
    wait_for(lambda: all(r["state"] == "done" for r in daemon.runs()), "all done")
    assert {r["attempt"] for r in daemon.runs()} == {2}
    assert sorted(sum(told_tasks(server)[1:], [])) == sorted(tasks)


def test_a_batch_of_cloudevents_is_a_list_of_them(run):
    server = serve(run, OK)
    daemon, tasks = crowd(run, {"url": server.url, "format": "cloudevents",
                                "batch": {"max": 2, "wait": "30s"}}, 2)
    daemon.cli("resume", "tell")
    asked, = server.wait()
    assert asked.headers["Content-Type"] == "application/cloudevents-batch+json; charset=utf-8"
    assert sorted(event["subject"] for event in asked.json) == sorted(tasks)
    assert len({event["id"] for event in asked.json}) == 2
    wait_for(lambda: all(r["state"] == "done" for r in daemon.runs()), "all done")


@pytest.mark.parametrize("whom", ["runner", "daemon"])
def test_nothing_is_lost_when_a_batch_is_killed(run, whom):
    held = threading.Event()
    server = serve(run, lambda asked: (held.wait(30), OK)[1])
    daemon, tasks = crowd(run, {"url": server.url, "batch": {"max": 3, "wait": "30s"}}, 3)
    daemon.cli("resume", "tell")
    server.wait()
    if whom == "runner":
        pid = next(r["pid"] for r in daemon.cli("status")[1]["rooms"] if r["name"] == "runner")
        os.kill(pid, signal.SIGKILL)
    else:
        daemon.kill()
        daemon = run.daemon(conf=daemon.conf)
    held.set()
    wait_for(lambda: all(r["state"] == "done" for r in daemon.runs()),
             lambda: f"all done: {daemon.runs()}", 60)
    assert sorted(set(sum(told_tasks(server), []))) == sorted(tasks)


def test_a_run_without_a_file_ends_by_itself(run):
    server = serve(run, jellyfin)
    keep = {"name": "archive", "exec": ["/bin/true"]}
    _, daemon = stack(run, {"preset": "jellyfin", "url": server.url,
                            "batch": {"max": 9, "wait": "30s"},
                            "token": secret(run, "t.key", TOKEN)}, also=[keep], after="archive")
    daemon.submit()
    _, dead = daemon.wait_runs("done", "dead")
    assert "no downloaded file" in dead["detail"] and server.asked == []


def test_jellyfin_is_told_of_several_tasks_at_once(run):
    server = serve(run, jellyfin)
    daemon, tasks = crowd(run, {"preset": "jellyfin", "url": server.url,
                                "token": secret(run, "t.key", TOKEN)}, 3,
                          also=[download(run)], after="archive")
    daemon.cli("resume", "tell")
    wait_for(lambda: all(r["state"] == "done" for r in daemon.runs()), "all done")
    asked, = server.wait()
    videos = sorted(str(p) for p in (run.home / "media").rglob("*.mp4"))
    assert sorted(u["Path"] for u in asked.json["Updates"]) == videos and len(videos) == 3


def test_runs_that_wait_for_a_batch_leave_places_to_other_hooks(run):
    server = serve(run, OK)
    log = run.home / "log"
    other = {"name": "other", "exec": ["/bin/sh", "-c", f"echo x >>{log}"]}
    daemon, _ = crowd(run, {"url": server.url, "batch": {"max": 50, "wait": "30s"}}, 4,
                      limits={"runs": 2})
    daemon.write({**daemon.conf, "hooks": [*daemon.conf["hooks"], other]})
    assert daemon.cli("reload")[0] == 0
    daemon.cli("resume", "tell")
    wait_for(lambda: [r["state"] for r in daemon.runs()] == ["running"] * 4, "all in the batch")
    daemon.submit()
    wait_for(log.exists, "run of the other hook")
    assert server.asked == []


# -- uploads --------------------------------------------------------------------------------------


class Store:
    """Files by path, as WebDAV (lighttpd's answers) and as S3 (signatures are checked)."""

    def __init__(self, folders=("/dav",)):
        self.files, self.folders, self.lose_next = {}, set(folders), None

    def webdav(self, asked):
        logins = ["Basic " + base64.b64encode(f"{user}:{TOKEN}".encode()).decode()
                  for user in ("me", "me & you")]
        if asked.headers.get("Authorization") not in logins:
            return 401, {}, b""
        return getattr(self, "dav_" + asked.method.lower())(asked, urllib.parse.unquote(asked.path))

    def dav_mkcol(self, asked, path):
        path = path.rstrip("/")
        if path in self.folders:
            return 405, {}, b""
        if path.rpartition("/")[0] not in self.folders:
            return 409, {}, b""
        self.folders.add(path)
        return 201, {}, b""

    def dav_head(self, asked, path):
        if path not in self.files:
            return 404, {}, None
        return 200, {"Content-Length": str(len(self.files[path]))}, None

    def dav_put(self, asked, path):
        if path.rpartition("/")[0] not in self.folders:
            return 409, {}, b""
        self.files[path] = asked.body
        return 201, {}, b""

    def dav_move(self, asked, path):
        target = urllib.parse.unquote(urllib.parse.urlsplit(asked.headers["Destination"]).path)
        if asked.headers["Overwrite"] != "F":
            return 400, {}, b""
        if target in self.files:
            return 412, {}, b""
        self.files[target] = self.files.pop(path)
        if self.lose_next is not None:
            lost, self.lose_next = self.lose_next, None
            return lost, {}, b""
        return 201, {}, b""

    def s3(self, asked):
        if self.signature(asked) != asked.headers.get("Authorization", "").rpartition("=")[2]:
            return 403, {}, b"SignatureDoesNotMatch"
        if asked.method == "HEAD":
            return self.dav_head(asked, asked.path)
        digest = hashlib.sha256(asked.body).hexdigest()
        if asked.method != "PUT" or asked.headers["x-amz-content-sha256"] != digest:
            return 400, {}, b"XAmzContentSHA256Mismatch"
        self.files[asked.path] = asked.body
        return 200, {}, b""

    @staticmethod
    def signature(asked):
        """Signature Version 4, written down once more from its specification."""
        def mac(key, text):
            return hmac.new(key, text.encode(), hashlib.sha256).digest()

        names = ["host", "x-amz-content-sha256", "x-amz-date"]
        when = asked.headers["x-amz-date"]
        canonical = "\n".join([asked.method, asked.path, ""]
                              + [f"{n}:{asked.headers[n]}" for n in names]
                              + ["", ";".join(names), asked.headers["x-amz-content-sha256"]])
        scope = f"{when[:8]}/eu-1/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", when, scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])
        key = mac(f"AWS4{TOKEN}".encode(), when[:8])
        for part in ("eu-1", "s3", "aws4_request"):
            key = mac(key, part)
        return mac(key, text).hex()


def names_of(store):
    return sorted(path.rpartition("/")[2] for path in store.files)


def local_files(run):
    return {p.name: p.read_bytes() for p in (run.home / "media").rglob("*") if p.is_file()}


def webdav(run, server, folder="/dav/clips"):
    return {"preset": "webdav", "url": server.url + folder, "user": "me",
            "token": secret(run, "t.key", TOKEN)}


def s3(run, server):
    return {"preset": "s3", "url": server.url + "/bucket/my%20clips", "user": "AK",
            "token": secret(run, "t.key", TOKEN), "region": "eu-1"}


def test_webdav_gets_every_file_under_its_name(run):
    store = Store()
    server = serve(run, store.webdav)
    daemon = library(run, webdav(run, server))
    daemon.wait_runs("done", "done")
    assert {p.rpartition("/")[2]: d for p, d in store.files.items()} == local_files(run)
    assert all(p.startswith("/dav/clips/") for p in store.files)
    put = next(a for a in server.asked if a.method == "PUT" and "mp4" in a.path)
    assert put.headers["Content-Type"] == "video/mp4" and "/." in put.path


def test_webdav_goes_to_no_folder_whose_url_did_not_fit(run):
    store = Store()
    server = serve(run, store.webdav)
    _, daemon = stack(run, webdav(run, server, "/dav/{task.prompt}/{task.id}"), [download(run)],
                      after="archive")
    daemon.submit(prompt="é" * 1500)
    _, dead = daemon.wait_runs("done", "dead")
    assert dead["detail"] == "the URL is too long" and server.asked == []


def test_webdav_again_after_a_lost_answer_sends_nothing_twice(run):
    store = Store(["/dav", "/dav/clips"])
    store.lose_next = 502
    server = serve(run, store.webdav)
    daemon = library(run, webdav(run, server))
    _, done = daemon.wait_runs("done", "done")
    assert done["attempt"] == 2
    assert len([a for a in server.asked if a.method == "PUT"]) == 2  # video and cover
    assert names_of(store) == sorted(local_files(run))


def test_webdav_leaves_another_file_alone(run):
    store = Store()
    store.dav_head = lambda asked, path: (200, {"Content-Length": "7"}, None)
    server = serve(run, store.webdav)
    daemon = library(run, webdav(run, server))
    _, dead = daemon.wait_runs("done", "dead")
    assert "is there already; it is left alone" in dead["detail"] and store.files == {}


def test_webdav_that_somebody_else_was_faster_with_is_looked_at_again(run):
    store = Store()
    move, seen = store.dav_move, []

    def race(asked, path):
        if not seen:
            seen.append(path)
            target = urllib.parse.unquote(urllib.parse.urlsplit(asked.headers["Destination"]).path)
            store.files[target] = store.files[path]
        return move(asked, path)

    store.dav_move = race
    server = serve(run, store.webdav)
    daemon = library(run, webdav(run, server))
    _, done = daemon.wait_runs("done", "done")
    assert done["attempt"] == 2


def test_webdav_makes_the_folders_above_as_well(run):
    store = Store()
    server = serve(run, store.webdav)
    daemon = library(run, webdav(run, server, "/dav/a/b%20c/d/"))
    daemon.wait_runs("done", "done")
    assert names_of(store) == sorted(local_files(run))
    assert all(p.startswith("/dav/a/b c/d/") for p in store.files)
    asked = [a.path for a in server.asked if a.method == "MKCOL"]
    assert asked == ["/dav/a/b%20c/d/", "/dav/a/b%20c/", "/dav/a/", "/dav/a/b%20c/",
                     "/dav/a/b%20c/d/"]


@pytest.mark.parametrize("status", [404, 409])
def test_webdav_where_no_folder_can_be_made_is_final(run, status):
    server = serve(run, (status, {}, b""))
    daemon = library(run, webdav(run, server, "/a/b/"))
    _, dead = daemon.wait_runs("done", "dead")
    assert dead["detail"].startswith(f"MKCOL {server.url}: HTTP {status}")
    assert [a.path for a in server.asked] == ["/a/b/", "/a/"]


def test_nextcloud_gets_every_file_into_the_folder_of_its_user(run):
    store = Store(["/remote.php/dav/files/me & you"])
    server = serve(run, lambda asked: store.webdav(asked))
    daemon = library(run, {"preset": "nextcloud", "url": server.url + "/", "user": "me & you",
                           "library": "/My clips/", "token": secret(run, "t.key", TOKEN)})
    daemon.wait_runs("done", "done")
    assert names_of(store) == sorted(local_files(run))
    assert all(p.startswith("/remote.php/dav/files/me & you/My clips/") for p in store.files)
    assert server.asked[0].target == "/remote.php/dav/files/me%20%26%20you/My%20clips/"


def test_s3_accepts_our_signatures_and_digests(run):
    store = Store()
    server = serve(run, store.s3)
    daemon = library(run, s3(run, server))
    daemon.wait_runs("done", "done")
    assert {urllib.parse.unquote(p).removeprefix("/bucket/my clips/"): d
            for p, d in store.files.items()} == local_files(run)
    assert TOKEN not in json.dumps([str(a.headers) for a in server.asked])


def test_s3_of_one_who_may_only_write(run):
    store = Store()
    server = serve(run, lambda asked: (403, {}, None) if asked.method == "HEAD" else store.s3(asked))
    daemon = library(run, s3(run, server))
    daemon.wait_runs("done", "done")
    assert len(store.files) == 2


def test_a_file_that_was_changed_is_not_stored(run):
    store = Store()
    server = serve(run, lambda asked: store.s3(asked) if asked.method != "HEAD" else spoil(asked))

    def spoil(asked):
        media(run).write_bytes(b"spoilt")
        return 404, {}, None

    daemon = library(run, s3(run, server))
    _, dead = daemon.wait_runs("done", "dead")
    assert "HTTP 400" in dead["detail"] and "XAmzContentSHA256Mismatch" in dead["output"]


def test_a_link_in_place_of_a_file_is_not_followed(run):
    store = Store()
    server = serve(run, lambda asked: store.s3(asked) if asked.method != "HEAD" else link(asked))

    def link(asked):
        video = media(run)
        if not video.is_symlink():
            video.rename(run.home / "elsewhere.mp4")
            video.symlink_to(run.home / "elsewhere.mp4")
        return 404, {}, None

    daemon = library(run, s3(run, server))
    _, dead = daemon.wait_runs("done", "dead")
    assert "symbolic link" in dead["detail"] and store.files == {}


def test_a_file_that_is_gone_is_a_failed_attempt(run):
    store = Store()
    server = serve(run, lambda asked: store.s3(asked) if asked.method != "HEAD" else remove(asked))

    def remove(asked):
        with contextlib.suppress(ValueError):
            media(run).unlink()
        return 404, {}, None

    daemon = library(run, s3(run, server))
    _, dead = daemon.wait_runs("done", "dead")
    assert "No such file or directory" in dead["detail"] and dead["attempt"] == 3


# -- files as the body, and in forms ---------------------------------------------------------------


def form_of(asked):
    """The parts of a form: {name: (file name, bytes)}."""
    head = f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + asked.body)
    assert message.is_multipart()
    return {part.get_param("name", header="Content-Disposition"):
            (part.get_filename(), part.get_payload(decode=True)) for part in message.iter_parts()}


def test_a_file_may_be_the_body(run):
    server = serve(run, OK)
    daemon = library(run, {"url": server.url + "/in/{file.name}?n={task.id}", "method": "PUT",
                           "upload": "raw", "token": secret(run, "t.key", TOKEN)})
    _, done = daemon.wait_runs("done", "done")
    asked, = server.wait()
    assert asked.method == "PUT" and asked.headers["Content-Type"] == "video/mp4"
    assert asked.path == "/in/" + urllib.parse.quote(media(run).name, safe="")
    assert asked.body == media(run).read_bytes() and "Transfer-Encoding" not in asked.headers
    assert asked.headers["webhook-id"].endswith(f"_success_{done['id']}")
    assert asked.headers["webhook-timestamp"].isdigit() and asked.headers["Viduhook-Attempt"] == "1"


def test_a_file_may_be_sent_in_a_form(run):
    answers = iter([(503, {}, b"")])
    server = serve(run, lambda asked: next(answers, OK))
    daemon = library(run, {"url": server.url, "upload": "multipart", "file_field": "clip",
                           "form": {"title": "{task.prompt}", "id": "{task.id}"}})
    _, done = daemon.wait_runs("done", "done")
    first, asked = server.wait(2)
    assert asked.method == "POST" and done["attempt"] == 2
    form = form_of(asked)
    assert form == {"title": (None, b"a paper boat"), "clip": (media(run).name,
                    media(run).read_bytes()), "id": (None, done["task"].encode())}
    assert form_of(first) == form and first.body != asked.body  # another boundary each time
    assert int(asked.headers["Content-Length"]) == len(asked.body)


class Immich:
    """Immich 2: a form with these fields, a duplicate is 200."""

    def __init__(self):
        self.assets = []

    def __call__(self, asked):
        if asked.headers.get("x-api-key") != TOKEN:
            return 401, {}, b'{"message":"Invalid API key"}'
        if asked.path != "/api/assets" or asked.method != "POST":
            return 404, {}, b""
        form = form_of(asked)
        times = [form.get(n, (None, b""))[1].decode() for n in ("fileCreatedAt", "fileModifiedAt")]
        if set(form) != {"assetData", "deviceAssetId", "deviceId", "fileCreatedAt",
                         "fileModifiedAt"} or form["assetData"][0] is None:
            return 400, {}, b'{"message":["assetData must not be empty"]}'
        if not all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", t) for t in times):
            return 400, {}, b'{"message":["fileCreatedAt must be a Date instance"]}'
        known = form["assetData"][1] in self.assets
        if not known:
            self.assets.append(form["assetData"][1])
        return (200 if known else 201), {}, b'{"id":"1","status":"%s"}' % (
            b"duplicate" if known else b"created")


def test_immich_gets_the_clip_once(run):
    stub, lost = Immich(), iter([502])
    server = serve(run, lambda asked: (next(lost, stub(asked)[0]), {}, b""))

    daemon = library(run, {"preset": "immich", "url": server.url,
                           "token": secret(run, "t.key", TOKEN)})
    _, done = daemon.wait_runs("done", "done")
    assert done["attempt"] == 2 and stub.assets == [media(run).read_bytes()]


def test_immich_with_a_wrong_key_is_told_so(run):
    server = serve(run, Immich())
    daemon = library(run, {"preset": "immich", "url": server.url,
                           "token": secret(run, "t.key", "another")})
    _, dead = daemon.wait_runs("done", "dead")
    assert "HTTP 401: the server does not know us; check http.token" in dead["detail"]


# -- people ---------------------------------------------------------------------------------------

PROMPT = "<!channel> @everyone \"x\" " + "é" * 900


@pytest.mark.parametrize("preset,path,check", [
    ("ntfy", "/topic", lambda a: a.headers["Title"] == "Vidu: success"
     and a.body.decode().startswith("<!channel>") and len(a.body) < 1200),
    ("gotify", "/topic/message", lambda a: a.headers["X-Gotify-Key"] == TOKEN
     and a.json["title"] == "Vidu: success" and "\n" in a.json["message"]),
    ("apprise", "/topic", lambda a: a.json["type"] == "info" and "<!channel>" in a.json["body"]),
    ("slack", f"/topic/{TOKEN}", lambda a: "channel" not in a.json["text"]
     and a.json["blocks"][0]["text"]["type"] == "plain_text"
     and "..." in a.json["blocks"][0]["text"]["text"]),
    ("discord", f"/topic/{TOKEN}", lambda a: a.json["allowed_mentions"] == {"parse": []}
     and 0 < len(a.json["content"]) < 2000),
])
def test_people_are_told(run, preset, path, check):
    server = serve(run, OK)
    _, daemon = stack(run, {"preset": preset, "url": server.url + "/topic",
                            "token": secret(run, "t.key", TOKEN)})
    daemon.submit(prompt=PROMPT)
    daemon.wait_runs("done")
    asked, = server.wait()
    assert asked.method == "POST" and asked.path == path and check(asked)
    assert TOKEN not in daemon.log() + json.dumps(daemon.runs())


@pytest.mark.parametrize("preset,said", [
    ("ntfy", lambda a: a.body.decode()), ("gotify", lambda a: a.json["message"]),
    ("apprise", lambda a: a.json["body"]), ("discord", lambda a: a.json["content"]),
    ("slack", lambda a: a.json["blocks"][0]["text"]["text"]),
])
def test_people_are_told_what_happened_when_it_is_of_no_task(run, preset, said):
    server = serve(run, OK)
    hook = {"preset": preset, "url": server.url, "token": secret(run, "t.key", TOKEN)}
    sim = run.sim("--ca", run.ca(), *FAST)
    daemon = run.daemon(sim, hooks=[{"name": "tell", "on": ["disk_low"], "http": hook}],
                        alarms={"disk_free": "16TiB"})
    daemon.wait_runs("done")
    asked, = server.wait()
    assert f'"directory":"{run.home}"' in said(asked) and '"limit":17592186044416' in said(asked)


def test_people_are_told_of_a_run_that_was_given_up(run):
    server = serve(run, OK)
    tell = {"preset": "discord", "url": server.url, "token": secret(run, "t.key", TOKEN)}
    long = {"name": "bad", "exec": ["/bin/sh", "-c", "exit 65"]}
    _, daemon = stack(run, tell, also=[long], on=["dead"])
    daemon.submit(prompt=PROMPT)
    daemon.wait_runs("dead", "done")
    asked, = server.wait()
    assert '"hook":"bad"' in asked.json["content"] and len(asked.json["content"]) < 2000


def test_a_header_replaces_that_of_a_preset(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"preset": "ntfy", "url": server.url + "/topic",
                            "token": secret(run, "t.key", TOKEN),
                            "body": '{{"p": "{task.prompt}"}}',
                            "headers": {"title": "{task.model}", "Content-Type": "application/json",
                                        "Authorization": secret(run, "own", "ApiKey=x")}})
    daemon.submit(prompt='a "boat"')
    daemon.wait_runs("done")
    asked, = server.wait()
    for name, value in (("Title", "viduq3-turbo"), ("Content-Type", "application/json"),
                        ("Authorization", "ApiKey=x")):
        assert asked.headers.get_all(name) == [value]
    assert asked.json == {"p": 'a "boat"'}


def test_a_type_of_ones_own_is_the_only_one(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"url": server.url, "format": "cloudevents",
                            "headers": {"content-type": "application/json"}})
    daemon.submit()
    daemon.wait_runs("done")
    asked, = server.wait()
    assert asked.headers.get_all("Content-Type") == ["application/json"]


def test_a_body_replaces_that_of_a_preset(run):
    server = serve(run, OK)
    _, daemon = stack(run, {"preset": "slack", "url": server.url,
                            "token": secret(run, "t.key", TOKEN),
                            "body": '{{"text": "{task.id}"}}'})
    task = daemon.submit()
    asked, = server.wait()
    assert asked.json == {"text": task}
    daemon.wait_runs("done")
