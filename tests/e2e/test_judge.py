# SPDX-License-Identifier: MIT
"""What a callback is worth: body variants, verdicts, signatures, order, adoption (design.md 2 and
4, vidu-api.md 11.3 and 12.5). The provider never calls back by itself; what arrives is said here.
"""
import base64
import concurrent.futures
import contextlib
import datetime
import itertools
import json
import socket
import sqlite3
import ssl
import subprocess
import threading
import uuid

import pytest

from harness import (LOOPBACK, SIM_KEY, exchange, http_date, leftovers, post_callback, program,
                     request, sign, signed_headers, wait_for)
from provider import VIDEO, Provider, Task, submit

LIMITS = {"source_rate": 0, "per_source": 0}
DAY = 24 * 3600


class World:
    """A daemon with two providers and a hook that writes down each of its runs."""

    def __init__(self, run, providers=("vidu", "powertokens"), **changes):
        self.run = run
        self.provider = Provider()
        run.closers.append(self.provider)
        self.ran_path = run.file("ran", "")
        hook = {"name": "note", "on": ["success", "failed", "cancelled"],
                "exec": ["/bin/sh", "-c", f'echo "$VIDUHOOK_TASK_ID $VIDUHOOK_EVENT $VIDUHOOK_URL"'
                         f" >>{self.ran_path}"]}
        second = {"name": "second", "on": ["success"], "exec": ["/bin/true"]}
        conf = run.conf(self.provider, [hook, second], providers, limits=LIMITS)
        for name, value in changes.items():
            conf[name] = {**conf[name], **value} if isinstance(conf.get(name), dict) else value
        self.daemon = run.daemon(conf=conf)

    def submit(self, name="vidu"):
        return submit(self.daemon, self.provider, name)

    def ran(self, task):
        """(event, url) of each run of the first hook."""
        lines = [line.split(" ") for line in self.ran_path.read_text().splitlines()]
        return [(event, url) for ident, event, url in lines if ident == task.id]

    def settled(self, task):
        """[(hook, event)] of the runs, once all of them are over."""
        def over():
            runs = task.runs()
            return [r for r in runs if r["state"] not in ("done", "dead")] == [] and (runs,)

        runs, = wait_for(over, lambda: f"end of the runs {task.runs()}")
        return sorted((r["hook"], r["event"]) for r in runs)

    def verdicts(self):
        return self.daemon.cli("status")[1]["verdicts"]

    def at(self, name):
        return self.daemon.url(f"/callback/at/{name}")

    def find(self, remote_id):
        """The task of this remote id, None when there is none."""
        status, answer = self.daemon.cli("show", remote_id, check=False)
        return Task(self.daemon, answer["task"]["id"], remote_id, "") if status == 0 else None

    def count(self):
        return len(self.daemon.cli("list", "--limit", 1000)[1]["tasks"])


@pytest.fixture(scope="module")
def world(shared_run):
    return World(shared_run)


BOTH = [("note", "success"), ("second", "success")]


# -- bodies ---------------------------------------------------------------------------------------

# @ID stands for the task's id. name: (body, state, url of the result; LOOK: from the look)
LOOK = "https://media.example/looked-up.mp4?s=9"
FIXTURES = {
    "F1": ('{"id":"@ID","state":"success","err_code":"","credits":40,"payload":"order-42",'
           '"bgm":false,"off_peak":false,"creations":[{"id":"912345999901234567",'
           '"url":"https://media.example/a.mp4?s=1&e=2","cover_url":"https://media.example/a.jpg",'
           '"watermarked_url":""}]}', "success", "https://media.example/a.mp4?s=1&e=2"),
    "F2": ('{"state":"success","err_code":"","creations":[{"id":"1",'
           '"url":"https://media.example/a.mp4","cover_url":"https://media.example/a.jpg"}]}',
           "success", "https://media.example/a.mp4"),
    "F3": ('{"id":"@ID","state":"processing","err_code":"","credits":40,"payload":"order-42",'
           '"creations":[]}', "processing", None),
    "F4": ('{"id":"@ID","state":"failed","err_code":"CreationPolicyViolation","credits":0,'
           '"payload":"order-42","creations":[]}', "failed", None),
    "F5": ('{"task_id":"@ID","status":"success","payload":"order-42",'
           '"creations":[{"id":"1","url":"https://media.example/a.mp4"}]}',
           "success", "https://media.example/a.mp4"),
    "F6": ('{"task_id":@ID,"status":"SUCCESS","err_code":null,"credits":"40","creations":null}',
           "success", LOOK),
    "F7": ('{"id":"@ID","state":"success","err_code":"","err_msg":"",'
           '"signed_url":"https://media.example/mv.mp4","job_records":[]}',
           "success", "https://media.example/mv.mp4"),
    "F8": ('{"id":"@ID","state":"success","creations":[]}', "success", LOOK),
    "F9": ('{"id":"@ID","state":"success","status":"processing"}', "success", LOOK),
    "F10": ('{"id":"@ID","status":"completed","video_url":"https://media.example/a.mp4"}',
            "success", "https://media.example/a.mp4"),
    "byte order mark": ('\ufeff{"id":"@ID","state":"processing"}', "processing", None),
    "trailing newline": ('{"id":"@ID","state":"processing"}\r\n', "processing", None),
    "unknown members": ('{"id":"@ID","state":"processing","x":{"y":[{"z":null}]},"state2":1}',
                        "processing", None),
    "escaped slashes": ('{"id":"@ID","state":"success","creations":[{"id":"1",'
                        '"url":"https:\\/\\/media.example\\/a.mp4"}]}',
                        "success", "https://media.example/a.mp4"),
    "escaped ampersand": ('{"id":"@ID","state":"success","creations":[{"id":"1",'
                          '"url":"https://media.example/a.mp4?a=1\\u0026b=%2F"}]}',
                          "success", "https://media.example/a.mp4?a=1&b=%2F"),
    "surrogate pair": ('{"id":"@ID","state":"processing","payload":"\\ud83d\\ude00"}',
                       "processing", None),
    "NUL in the payload": ('{"id":"@ID","state":"processing","payload":"a\\u0000b"}',
                           "processing", None),
    "cancelled": ('{"id":"@ID","state":"failed","err_code":"UserCancelled"}', "cancelled", None),
    "FAILED": ('{"id":"@ID","state":"FAILED","err_code":"AuditSubmitIllegal"}', "failed", None),
    "unknown word": ('{"id":"@ID","state":"reticulating"}', "processing", None),
    "queueing": ('{"id":"@ID","state":"queueing"}', "queued", None),
    "deep enough": ('{"id":"@ID","state":"processing","x":' + "[" * 30 + "]" * 30 + "}",
                    "processing", None),
    "large payload": ('{"id":"@ID","state":"processing","payload":"' + "\\u4f60" * 100000 + '"}',
                      "processing", None),
}


@pytest.mark.parametrize("body, state, url", FIXTURES.values(), ids=FIXTURES.keys())
def test_every_known_body_is_understood(world, body, state, url):
    task = world.submit()
    world.provider.will_say(task, "success", LOOK)
    assert task.post(body.replace("@ID", task.remote_id).encode()) == 200
    task.wait_state(state)
    assert task.verdicts() == ["accepted"]
    if url == LOOK:
        assert task.verdicts("poll") == ["accepted"] and world.provider.looks_at(task) == 1
    else:
        assert task.verdicts("poll") == [] and world.provider.looks_at(task) == 0
    expected = {"success": BOTH, "failed": [("note", "failed")],
                "cancelled": [("note", "cancelled")]}.get(state, [])
    assert world.settled(task) == expected
    assert [u for _, u in world.ran(task)] == ([url or ""] if expected else [])


def test_a_failure_says_why(world):
    task = world.submit()
    assert task.say("failed", err_code="CreationPolicyViolation") == 200
    assert task.show()["err_code"] == "CreationPolicyViolation"


NOT_UNDERSTOOD = {
    "empty": b"",
    "blank": b" \r\n",
    "text": b"state=success",
    "array": b'[{"id":"@ID","state":"success"}]',
    "string": b'"success"',
    "cut": b'{"id":"@ID","state":"suc',
    "two objects": b'{"id":"@ID","state":"success"}{}',
    "duplicate keys": b'{"id":"@ID","state":"success","state":"failed"}',
    "comment": b'{"id":"@ID",/**/"state":"success"}',
    "not UTF-8": b'{"id":"@ID","state":"success\xff"}',
    "lone surrogate": b'{"id":"@ID","state":"success","payload":"\\ud83d"}',
    "integer beyond 64 bits": b'{"id":"@ID","state":"success","x":99999999999999999999}',
    "too deep": b'{"id":"@ID","state":"success","x":' + b"[" * 40 + b"]" * 40 + b"}",
    "very deep": b"[" * 100000,
    "no state": b'{"id":"@ID"}',
    "state a number": b'{"id":"@ID","state":1}',
    "id an object": b'{"id":{},"state":"success"}',
    "id a fraction": b'{"id":9.12345678901234567e17,"state":"success"}',
    "UTF-16": '{"id":"@ID","state":"success"}'.encode("utf-16"),
}


@pytest.mark.parametrize("body", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
def test_what_is_not_understood_is_kept_and_looked_up(world, body):
    """Authentic, so it is answered 200 and nothing is lost; nothing runs because of it."""
    task = world.submit()
    assert task.post(body.replace(b"@ID", task.remote_id.encode())) == 200
    assert task.events() == [("quarantined", "the body could not be understood")]
    wait_for(lambda: world.provider.looks_at(task), "look")
    assert task.state in ("submitted", "processing") and task.runs() == []
    assert task.say("success") == 200, "the next one counts"
    assert task.state == "success" and world.settled(task) == BOTH


def test_quarantined_bodies_are_explained_and_kept_raw(run):
    world = World(run)
    task = world.submit()
    body = b'\x00\x01{"state" "success"}\xff\n'
    assert task.post(body) == 200
    told = run_text(world, "explain", task.id)
    line = next(line for line in told.splitlines() if "quarantined" in line)
    assert "callback" in line and "the body could not be understood" in line
    world.daemon.stop()
    with contextlib.closing(sqlite3.connect(run.home / "viduhook.db")) as store:
        rows = store.execute("SELECT body FROM event WHERE verdict = 'quarantined'").fetchall()
    assert [bytes(row[0]) for row in rows] == [body]


def run_text(world, *args):
    return subprocess.run([program("viduhook"), "-c", world.daemon.conf_path, *args], text=True,
                          capture_output=True, check=True, timeout=30).stdout


# -- verdicts: order ------------------------------------------------------------------------------


def test_states_go_forward_and_hooks_run_once(world):
    task = world.submit()
    for state in ("created", "queueing", "processing", "success"):
        assert task.say(state) == 200
    assert task.verdicts() == ["accepted", "duplicate", "accepted", "accepted"]
    assert task.state == "success"
    assert world.settled(task) == BOTH and world.ran(task) == [("success", VIDEO)]


@pytest.mark.parametrize("order", itertools.permutations(["queueing", "processing", "success"]),
                         ids=lambda order: "-".join(order))
def test_in_every_order_it_ends_the_same_way(world, order):
    task = world.submit()
    for state in order:
        assert task.say(state) == 200
    assert task.state == "success" and "quarantined" not in task.verdicts()
    assert len(task.verdicts()) == 3
    assert world.settled(task) == BOTH and len(world.ran(task)) == 1


def test_processing_after_success_changes_nothing(world):
    task = world.submit()
    for state in ("success", "processing", "queueing", "success"):
        assert task.say(state) == 200
    assert task.verdicts() == ["accepted", "duplicate", "duplicate", "duplicate"]
    assert task.state == "success"
    assert world.settled(task) == BOTH and len(world.ran(task)) == 1
    assert world.provider.looks_at(task) == 0


def test_a_repeated_success_does_not_change_the_result(world):
    task = world.submit()
    assert task.say("success") == 200
    assert task.say("success", url="https://evil.example/x.mp4") == 200
    assert task.verdicts() == ["accepted", "duplicate"]
    assert task.result_url().startswith("https://media.example/")


@pytest.mark.parametrize("first, second", [
    ("success", "failed"), ("failed", "success"), ("success", "cancelled"),
    ("failed", "processing"),
])
def test_the_first_final_state_wins(world, first, second):
    """What contradicts it is kept, and the provider is asked."""
    task = world.submit()
    world.provider.will_say(task, first, LOOK if first == "success" else "")
    assert task.say(first) == 200
    assert task.say(second) == 200
    if second == "processing":
        assert task.verdicts() == ["accepted", "duplicate"]
    else:
        assert task.events()[1] == ("quarantined", "contradicts the final state that came first")
        wait_for(lambda: world.provider.looks_at(task) == 1, "look")
    assert task.state == first
    assert world.settled(task) == (BOTH if first == "success" else [("note", "failed")])


def other_looks(world, count=3):
    """Looks at another task, one after the other: whatever else is due has had its turn then."""
    for n in range(1, count + 1):
        later = world.submit()
        world.provider.will_say(later, "failed")
        assert later.post(b"?") == 200
        later.wait_state("failed")


def test_a_look_that_contradicts_as_well_is_not_repeated(world):
    """Or a provider that changed its mind would be asked for ever."""
    task = world.submit()
    world.provider.will_say(task, "failed", err_code="X")
    assert task.say("success") == 200 and task.say("failed") == 200
    wait_for(lambda: "quarantined" in task.verdicts("poll"), "second opinion")
    other_looks(world)
    assert world.provider.looks_at(task) == 1 and task.state == "success"


def test_a_look_that_finds_another_task_is_not_repeated_at_once(world):
    task = world.submit()
    with world.provider.lock:
        world.provider.answers[task.remote_id] = {"id": "900000000000000008", "state": "success"}
    assert task.post(b"?") == 200
    wait_for(lambda: "quarantined" in task.verdicts("poll"), "look")
    other_looks(world)
    assert world.provider.looks_at(task) == 1 and task.state == "submitted"


def test_progress_after_a_success_that_waits_for_its_look_does_not_undo_it(world):
    """The order is not promised. Looks are paced, so this one has not been made yet."""
    others, task = [world.submit() for _ in range(7)], world.submit()
    for other in others:
        assert other.post(b"?") == 200
    assert task.say("success", url="") == 200
    assert task.say("processing") == 200
    assert task.verdicts() == ["accepted", "duplicate"]
    world.provider.will_say(task, "success", LOOK)
    task.wait_state("success")
    assert world.settled(task) == BOTH


def test_a_look_wished_for_while_one_is_under_way_is_made(world):
    """The one under way may have been answered before the news."""
    task = world.submit()
    with world.provider.hold() as held:
        assert task.post(b"?") == 200
        wait_for(lambda: world.provider.looks_at(task) == 1, "look")
        assert task.say("success", url="") == 200
        held.set()
        world.provider.will_say(task, "success", LOOK)
        task.wait_state("success")
    assert world.provider.looks_at(task) == 2


@pytest.mark.parametrize("state", ["success", "failed"])
def test_another_id_than_the_keys_is_quarantined(world, state):
    task, other = world.submit(), world.submit()
    assert task.post(other.body(state)) == 200
    assert task.events() == [
        ("quarantined", "names another task than the one its key belongs to")]
    wait_for(lambda: world.provider.looks_at(task), "look")
    assert other.events() == [] and other.state == "submitted"
    assert task.runs() == other.runs() == []


def test_copies_at_the_same_time_make_one_run_of_each_hook(world):
    """64 connections at once: half of them byte for byte the same, half signed anew."""
    task = world.submit()
    same = signed_headers(SIM_KEY, task.url)
    barrier = threading.Barrier(64)

    def deliver(n):
        headers = same if n % 2 else signed_headers(SIM_KEY, task.url)
        barrier.wait()
        return post_callback(task.url, task.body("success"), headers=headers,
                             ca=world.daemon.ca).status

    before = world.verdicts()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        assert list(pool.map(deliver, range(64))) == [200] * 64
    after = world.verdicts()
    assert after["accepted"] - before["accepted"] == 1
    assert after["duplicate"] - before["duplicate"] == 63
    assert world.settled(task) == BOTH and world.ran(task) == [("success", VIDEO)]


def test_many_callbacks_of_one_task_are_counted_not_stored(world):
    task = world.submit()
    before = world.verdicts()
    for _ in range(40):
        assert task.say("processing") == 200
    assert len(task.events()) == 32
    assert world.verdicts()["duplicate"] - before["duplicate"] == 39
    for body in (b"?", b"??"):
        assert task.post(body) == 200
    assert len(task.events()) == 32
    assert task.say("success") == 200, "what is news is still written down"
    assert task.verdicts()[-1] == "accepted" and len(task.events()) == 33
    assert world.settled(task) == BOTH
    looks = world.provider.looks_at(task)
    assert task.post(b"???") == 200
    assert world.daemon.cli("explain", task.id)[1]["next"] == [], "what has ended is not looked at for it"
    assert world.provider.looks_at(task) == looks


def test_who_uses_up_what_is_stored_does_not_hide_the_truth_for_long(world):
    """The URL has leaked, and this provider's signatures prove nothing."""
    task = world.submit("powertokens")
    for _ in range(32):
        assert task.post(b"?", "upstream-key") == 200

    def planned():
        told = world.daemon.cli("explain", task.id)[1]["next"]
        return ([datetime.datetime.fromisoformat(n["at"]) for n in told if n["kind"] == "look" and "at" in n] or
                [datetime.datetime.now(datetime.timezone.utc)])[0]

    def seconds_to_look():
        return (planned() - datetime.datetime.now(datetime.timezone.utc)).total_seconds()

    wait_for(lambda: seconds_to_look() > 100, "the looks that the junk has caused are over")
    assert task.post(task.body("success"), "upstream-key") == 200
    assert len(task.events()) == 32
    near = wait_for(lambda: seconds_to_look() < 61 and planned(), "a look")
    assert task.post(b"?", "upstream-key") == 200
    assert planned() == near, "and nobody puts it off by saying more"


# -- verdicts: signatures -------------------------------------------------------------------------


BAD = {
    "another key": {"key": "other-key"},
    "key with scheme": {"key": "Token " + SIM_KEY},
    "empty key": {"key": ""},
    "no signature": {"x_hmac_signature": None},
    "empty signature": {"x_hmac_signature": ""},
    "signature in hex": {"x_hmac_signature": "ab" * 32},
    "signature of 31 bytes": {"x_hmac_signature": base64.b64encode(b"x" * 31).decode()},
    "no algorithm": {"x_hmac_algorithm": None},
    "algorithm none": {"x_hmac_algorithm": "none"},
    "algorithm sha1": {"x_hmac_algorithm": "hmac-sha1"},
    "no access key": {"x_hmac_access_key": None},
    "another access key": {"x_hmac_access_key": "VIDU"},
    "no list": {"x_hmac_signed_headers": None},
    "no date": {"Date": None},
    "another date": {"Date": "Tue, 06 May 2025 12:09:42 GMT"},
    "date in another form": {"Date": "2026-01-01T00:00:00Z"},
    "no nonce": {"x_request_nonce": None},
    "another nonce": {"x_request_nonce": "123e4567-e89b-12d3-a456-426614174000"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_without_a_right_signature_it_is_401(world, changes):
    task = world.submit()
    key = changes.get("key", SIM_KEY)
    changes = {k: v for k, v in changes.items() if k != "key"}
    assert task.post(task.body("success"), key, **changes) == 401
    assert task.verdicts() == ["unauthorised"] and task.state == "submitted"
    assert world.provider.looks_at(task) == 0


def test_a_refusal_stands_in_the_story_of_its_task(world):
    """A wrong API key is found where its owner looks; who has no key cannot fill the store."""
    task = world.submit()
    for _ in range(12):
        assert task.post(task.body("success"), "another-key") == 401
    assert task.events() == [("unauthorised", "no key gives this signature")] * 8
    assert task.post(task.body("success")) == 200
    assert task.verdicts()[8:] == ["accepted"] and task.state == "success"


def test_without_any_signature_it_is_401(world):
    task = world.submit()
    headers = {"Content-Type": "application/json", "Date": http_date()}
    answer = post_callback(task.url, task.body(), headers=headers, ca=world.daemon.ca)
    assert answer.status == 401 and answer.body == b""
    assert task.events() == [("unauthorised", "not signed")]


@pytest.mark.parametrize("names", ["Date", "x-request-nonce", "", "Date;;x-request-nonce",
                                   "Date;x-request-nonce;X-Extra"])
def test_a_signature_over_too_little_is_401(world, names):
    """They compute (V07, V08, V12, V13 of vidu-api.md), policy rejects."""
    task = world.submit()
    date, nonce = http_date(), str(uuid.uuid4())
    values = {"Date": date, "x-request-nonce": nonce}
    fields = [(name, values.get(name, "")) for name in names.split(";")] if names else []
    status = task.post(task.body(), date=date, nonce=nonce, x_hmac_signed_headers=names,
                       x_hmac_signature=sign(SIM_KEY, task.url, date, fields))
    assert status == 401 and task.verdicts() == ["unauthorised"]


@pytest.mark.parametrize("names", ["x-request-nonce;Date", "date;X-Request-Nonce",
                                   "Date;x-request-nonce;", "Date;x-request-nonce;Content-Type"])
def test_the_list_may_be_written_in_other_ways(world, names):
    task = world.submit()
    date, nonce = http_date(), str(uuid.uuid4())
    values = {"date": date, "x-request-nonce": nonce, "content-type": "application/json"}
    fields = [(name, values[name.lower()]) for name in names.split(";") if name]
    status = task.post(task.body(), date=date, nonce=nonce, x_hmac_signed_headers=names,
                       x_hmac_signature=sign(SIM_KEY, task.url, date, fields))
    if names.endswith(";"):  # whether an empty part is signed, nobody knows: both would do
        assert status in (200, 401)
    else:
        assert status == 200 and task.state == "success"


@pytest.mark.parametrize("name", ["Date", "X-Request-Nonce", "X-Hmac-Signature",
                                  "X-Hmac-Access-Key", "X-Hmac-Algorithm",
                                  "X-Hmac-Signed-Headers"])
def test_a_signature_header_that_comes_twice_is_401(world, name):
    task = world.submit()
    body = json.dumps(task.body()).encode()
    lines = [f"{k}: {v}\r\n" for k, v in signed_headers(SIM_KEY, task.url).items()]
    again = [line for line in lines if line.startswith(name + ":")]
    assert len(again) == 1
    for more, status in ((again, 401), ([], 200)):
        raw = (f"POST /callback/{task.key} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
               f"{''.join(lines + more)}Content-Length: {len(body)}\r\n\r\n").encode() + body
        answer = exchange(world.daemon.port, raw, ca=world.daemon.ca)
        assert int(answer.split()[1]) == status
    assert task.verdicts() == ["unauthorised", "accepted"]


@pytest.mark.parametrize("shift", [-3 * DAY, 3 * DAY])
def test_a_stale_date_is_quarantined_and_looked_up(world, shift):
    task = world.submit()
    assert task.post(task.body("success"), date=http_date(shift)) == 200
    assert task.events() == [("quarantined", "rightly signed, but its Date is outside the window")]
    wait_for(lambda: world.provider.looks_at(task), "look")
    assert task.state in ("submitted", "processing") and task.runs() == []


def test_a_late_callback_inside_the_window_is_accepted(world):
    task = world.submit()
    assert task.post(task.body("success"), date=http_date(-20 * 3600)) == 200
    assert task.verdicts() == ["accepted"]


def test_a_stale_success_counts_when_the_provider_says_so(world):
    task = world.submit()
    world.provider.will_say(task, "success", LOOK)
    assert task.post(task.body("success"), date=http_date(-3 * DAY)) == 200
    task.wait_state("success")
    assert world.settled(task) == BOTH and world.ran(task) == [("success", LOOK)]


def test_a_nonce_with_news_in_the_body_is_quarantined(world):
    """Who saw the signed headers of one callback cannot make another one of them."""
    task = world.submit()
    headers = signed_headers(SIM_KEY, task.url)

    def say(body):
        return post_callback(task.url, body, headers=headers, ca=world.daemon.ca).status

    assert say(task.body("processing")) == 200
    assert say(task.body("success", "https://evil.example/x.mp4")) == 200
    assert task.events() == [("accepted", ""), ("quarantined", "its signature was used before")]
    assert say(task.body("processing")) == 200
    assert task.verdicts()[2] == "duplicate", "the provider's own retry"
    assert task.state == "processing" and task.runs() == []
    wait_for(lambda: world.provider.looks_at(task), "look")


def test_a_nonce_with_the_same_state_in_another_body_is_quarantined(world):
    task = world.submit()
    headers = signed_headers(SIM_KEY, task.url)

    def say(body):
        return post_callback(task.url, body, headers=headers, ca=world.daemon.ca).status

    assert say(task.body("success")) == 200
    assert say(task.body("success")) == 200
    assert say(task.body("success", "https://evil.example/x.mp4")) == 200
    assert task.verdicts()[:3] == ["accepted", "duplicate", "quarantined"]
    assert world.settled(task) == BOTH and world.ran(task) == [("success", VIDEO)]


def test_an_exact_retry_of_a_success_that_waits_for_its_look_is_a_duplicate(run):
    """But another body under the same headers is not believed."""
    world = World(run)
    task = world.submit()
    headers = signed_headers(SIM_KEY, task.url)

    def say(body):
        return post_callback(task.url, body, headers=headers, ca=world.daemon.ca).status

    assert say(task.body("success", "")) == 200  # the provider still says processing
    assert say(task.body("success", "")) == 200
    assert task.verdicts() == ["accepted", "duplicate"]
    assert say(task.body("success", "https://evil.example/x.mp4")) == 200
    assert task.verdicts()[2] == "quarantined" and task.runs() == []
    assert task.state in ("submitted", "processing")


# -- success without a URL ------------------------------------------------------------------------


def test_a_success_without_url_is_looked_up_first(world):
    task = world.submit()
    assert task.say("success", url="") == 200
    wait_for(lambda: world.provider.looks_at(task), "look")
    assert task.state != "success" and task.runs() == []
    assert task.events()[0][1].startswith("to be confirmed by a look")


# -- resellers: a signature proves something only when it is there ---------------------------------


def unsigned(task, body):
    headers = {"Content-Type": "application/json"}
    return post_callback(task.url, body, headers=headers, ca=task.daemon.ca).status


def test_a_resellers_unsigned_success_waits_for_a_look(world):
    task = world.submit("powertokens")
    assert unsigned(task, task.body("success")) == 200
    wait_for(lambda: world.provider.looks_at(task), "look")
    assert task.events()[0] == (
        "accepted", "to be confirmed by a look at the provider before hooks run")
    assert task.state != "success" and task.runs() == []


def test_a_resellers_unsigned_success_runs_once_confirmed(world):
    task = world.submit("powertokens")
    world.provider.will_say(task, "success", LOOK)
    assert unsigned(task, task.body("success", "https://evil.example/x.mp4")) == 200
    task.wait_state("success")
    assert world.settled(task) == BOTH
    assert world.ran(task) == [("success", LOOK)], "the look's URL, not the stranger's"


def test_a_resellers_unsigned_lie_stays_without_effect(world):
    task = world.submit("powertokens")
    world.provider.will_say(task, "failed", err_code="AuditFailed")
    assert unsigned(task, task.body("success")) == 200
    task.wait_state("failed")
    assert world.settled(task) == [("note", "failed")]


def test_a_resellers_progress_needs_no_look(world):
    task = world.submit("powertokens")
    assert unsigned(task, task.body("processing")) == 200
    assert task.state == "processing" and world.provider.looks_at(task) == 0


def test_a_resellers_right_signature_is_enough(world):
    task = world.submit("powertokens")
    assert task.say("success") == 200
    assert task.state == "success" and world.provider.looks_at(task) == 0


def test_a_resellers_signature_by_another_key_proves_as_little_as_none(world):
    task = world.submit("powertokens")
    world.provider.will_say(task, "success", LOOK)
    assert task.post(task.body("processing"), "upstream-key") == 200
    assert task.state == "processing" and world.provider.looks_at(task) == 0
    assert task.post(task.body("success", "https://evil.example/x.mp4"), "upstream-key") == 200
    assert task.events() == [("accepted", ""), (
        "accepted", "to be confirmed by a look at the provider before hooks run")]
    task.wait_state("success")
    assert world.settled(task) == BOTH and world.ran(task) == [("success", LOOK)]


@pytest.mark.parametrize("name, signature, status", [
    ("vidu", "off", 200), ("vidu", "if-present", 200), ("powertokens", "required", 401)])
def test_the_configuration_decides_about_signatures(run, name, signature, status):
    world = World(run, [name])
    conf = world.daemon.conf
    conf["providers"][name]["signature"] = signature
    world.daemon.write(conf)
    assert world.daemon.cli("reload")[0] == 0
    task = world.submit(name)
    assert unsigned(task, task.body("processing")) == status


@pytest.mark.parametrize("confirm, looks", [("always", True), ("never", False)])
def test_the_configuration_decides_about_looks(run, confirm, looks):
    world = World(run, ["vidu"])
    conf = world.daemon.conf
    conf["providers"]["vidu"]["confirm"] = confirm
    world.daemon.write(conf)
    assert world.daemon.cli("reload")[0] == 0
    task = world.submit()
    world.provider.will_say(task, "success", LOOK)
    assert task.say("success") == 200
    task.wait_state("success")
    assert world.settled(task) == BOTH
    assert world.ran(task) == [("success", LOOK if looks else VIDEO)]
    assert world.provider.looks_at(task) == int(looks)


# -- keys -----------------------------------------------------------------------------------------


def test_previous_keys_are_good_for_callbacks(run):
    world = World(run, ["vidu"])
    task, late = world.submit(), world.submit()
    conf = world.daemon.conf
    new, old = run.file("new.key", "new-key"), run.file("old.key", SIM_KEY)
    conf["providers"]["vidu"] |= {"key": {"file": str(new)}, "previous_keys": [{"file": str(old)}]}
    world.daemon.write(conf)
    assert world.daemon.cli("reload")[0] == 0
    assert task.post(task.body("processing"), SIM_KEY) == 200
    assert task.post(task.body("success"), "new-key") == 200
    assert task.state == "success"
    del conf["providers"]["vidu"]["previous_keys"]
    world.daemon.write(conf)
    assert world.daemon.cli("reload")[0] == 0
    assert late.post(late.body("success"), SIM_KEY) == 401
    assert late.post(late.body("success"), "new-key") == 200


def test_a_callback_secret_takes_the_keys_place(run):
    world = World(run, ["vidu"])
    conf = world.daemon.conf
    secret = run.file("callback.key", "callback-secret")
    conf["providers"]["vidu"]["callback_secret"] = {"file": str(secret)}
    world.daemon.write(conf)
    assert world.daemon.cli("reload")[0] == 0
    task = world.submit()
    assert task.post(task.body("success"), SIM_KEY) == 401
    assert task.post(task.body("success"), "callback-secret") == 200


# -- the fixed address ----------------------------------------------------------------------------


def fixed(world, remote_id, name="vidu", key=SIM_KEY, body=None):
    body = body or Task(world.daemon, "", remote_id, "").body("success")
    return post_callback(world.at(name), body, key, world.daemon.ca).status


def test_the_fixed_address_finds_a_known_task_by_its_id(world):
    task = world.submit()
    assert fixed(world, task.remote_id) == 200
    assert task.state == "success" and task.verdicts() == ["accepted"]
    assert world.settled(task) == BOTH


def test_the_fixed_address_adopts_an_unknown_id(world):
    remote_id = "923456789012345678"
    assert fixed(world, remote_id) == 200
    task = world.find(remote_id)
    assert task.state == "success" and task.show()["provider"] == "vidu"
    assert world.settled(task) == BOTH and world.ran(task) == [("success", VIDEO)]
    count = world.count()
    assert fixed(world, remote_id) == 200
    assert task.verdicts() == ["accepted", "duplicate"] and world.count() == count
    assert world.settled(task) == BOTH


def test_copies_at_the_fixed_address_adopt_once(world):
    remote_id, before = "923456789012345679", world.count()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: fixed(world, remote_id), range(16)))
    assert statuses == [200] * 16 and world.count() == before + 1
    assert world.settled(world.find(remote_id)) == BOTH


@pytest.mark.parametrize("name", ["vidu", "powertokens"])
def test_the_fixed_address_wants_a_signature_of_everybody(world, name):
    before = world.count()
    remote_id = "923456789012345680"
    body = json.dumps(Task(world.daemon, "", remote_id, "").body("success"))
    assert fixed(world, remote_id, name, "other-key") == 401
    assert request("POST", world.at(name), body, {"Content-Type": "application/json"},
                   world.daemon.ca).status == 401
    assert world.find(remote_id) is None and world.count() == before


def test_the_fixed_address_keeps_providers_apart(world):
    task = world.submit("vidu")
    assert fixed(world, task.remote_id, "powertokens") == 200
    assert task.state == "submitted"


@pytest.mark.parametrize("body", [b'{"state":"success"}', b"?", b'{"id":"../x","state":"success"}'])
def test_at_the_fixed_address_what_names_no_task_is_kept_without_effect(world, body):
    """It is rightly signed, so it is kept, once; there is nothing that it could do."""
    before, headers = world.count(), signed_headers(SIM_KEY, world.at("vidu"))
    for _ in range(3):
        answer = post_callback(world.at("vidu"), body, headers=headers, ca=world.daemon.ca)
        assert answer.status == 200
    assert world.count() == before + 1
    newest = world.daemon.cli("list", "--limit", 1)[1]["tasks"][0]
    task = Task(world.daemon, newest["id"], newest["remote_id"], "")
    assert task.remote_id == "" and task.verdicts() == ["quarantined"] and task.runs() == []


def test_at_the_fixed_address_a_signature_is_good_for_one_task(world):
    """Whoever saw one callback could otherwise speak for every other task: the body with the id
    is not signed."""
    headers = signed_headers(SIM_KEY, world.at("vidu"))
    mine, known = Task(world.daemon, "", "923456789012345690", ""), world.submit()
    unknown = Task(world.daemon, "", "923456789012345691", "")

    def say(task):
        return post_callback(world.at("vidu"), task.body(), headers=headers,
                             ca=world.daemon.ca).status

    assert say(mine) == 200
    before = world.count()
    assert say(unknown) == 401 and world.find(unknown.remote_id) is None
    assert say(known) == 200 and known.runs() == []
    assert known.events() == [("quarantined", "its signature was used before")]
    assert say(mine) == 200, "the provider's own retry"
    assert world.find(mine.remote_id).verdicts() == ["accepted", "duplicate"]
    assert world.count() == before


def test_a_signature_for_one_address_is_not_good_for_another(world):
    task = world.submit()
    headers = signed_headers(SIM_KEY, world.at("vidu"))
    assert post_callback(task.url, task.body(), headers=headers, ca=world.daemon.ca).status == 401
    headers = signed_headers(SIM_KEY, task.url)
    assert post_callback(world.at("vidu"), task.body(), headers=headers,
                         ca=world.daemon.ca).status == 401
    assert task.verdicts() == ["unauthorised"]


# -- addresses ------------------------------------------------------------------------------------


def test_a_public_url_with_a_path_is_where_callbacks_come(run):
    provider = Provider()
    run.closers.append(provider)
    conf = run.conf(provider, limits=LIMITS)
    conf["public_url"] += "/hooks/vidu"
    daemon = run.daemon(conf=conf)
    task = submit(daemon, provider)
    assert task.url.startswith(conf["public_url"] + "/callback/")
    assert task.say("processing") == 200
    bare = daemon.url(f"/callback/{task.key}")
    assert task.post(task.body("success"), url=bare) == 404
    assert task.say("success") == 200 and task.state == "success"
    fixed_url = conf["public_url"] + "/callback/at/vidu"
    other = Task(daemon, "", "923456789012345678", fixed_url)
    assert other.say("success") == 200


def test_a_public_url_with_another_host_is_what_is_signed(run):
    """As behind a proxy: neither host nor scheme enter the signature, the path does."""
    provider = Provider()
    run.closers.append(provider)
    conf = run.conf(provider, limits=LIMITS, public_url="https://hooks.example.org")
    daemon = run.daemon(conf=conf)
    task = submit(daemon, provider)
    assert task.url == f"https://hooks.example.org/callback/{task.key}"
    headers = signed_headers(SIM_KEY, task.url)
    local = f"https://{LOOPBACK}:{daemon.port}/callback/{task.key}"
    assert post_callback(local, task.body(), headers=headers, ca=daemon.ca).status == 200


@pytest.mark.parametrize("query", ["?a=b", "?b=2&a=1&a=0&flag&e=", "?t=a%2Fb+c&amp=%26", "?"])
def test_a_query_that_was_signed_is_verified_as_it_came(world, query):
    task = world.submit()
    assert task.post(task.body(), url=task.url + query) == 200
    assert task.verdicts() == ["accepted"]


def test_a_query_that_a_proxy_added_does_no_harm(world):
    task = world.submit()
    headers = signed_headers(SIM_KEY, task.url)
    status = post_callback(task.url + "?from=proxy", task.body(), headers=headers,
                           ca=world.daemon.ca).status
    assert status == 200 and task.verdicts() == ["accepted"]


def test_a_query_that_was_changed_is_401(world):
    task = world.submit()
    headers = signed_headers(SIM_KEY, task.url + "?a=1")
    status = post_callback(task.url + "?a=2", task.body(), headers=headers,
                           ca=world.daemon.ca).status
    assert status == 401 and task.verdicts() == ["unauthorised"]


# -- what is written down -------------------------------------------------------------------------


def test_what_was_answered_is_there_after_a_power_cut(run):
    """No 200 before the commit."""
    world = World(run)
    tasks = [world.submit() for _ in range(5)]
    assert [t.say("success") for t in tasks] == [200] * 5
    world.daemon.kill()
    wait_for(lambda: not gone_children(world), "end of the rooms")
    again = run.daemon(conf=world.daemon.conf)
    for task in tasks:
        task.daemon = again
        assert task.state == "success" and world.settled(task) == BOTH


def gone_children(world):
    return [c for c in leftovers(world.run.known).values() if "viduhookd" in c]


def test_a_client_that_leaves_before_its_answer_is_not_forgotten(world):
    """Its retry is a duplicate (F20)."""
    task = world.submit()
    headers = "".join(f"{k}: {v}\r\n" for k, v in signed_headers(SIM_KEY, task.url).items())
    body = json.dumps(task.body()).encode()
    context = ssl.create_default_context(cafile=str(world.daemon.ca))
    with socket.create_connection((LOOPBACK, world.daemon.port)) as plain:
        with context.wrap_socket(plain, server_hostname=LOOPBACK) as tls:
            tls.sendall(f"POST /callback/{task.key} HTTP/1.1\r\nHost: h\r\n{headers}"
                        f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    task.wait_state("success")
    assert task.say("success") == 200
    assert task.verdicts() == ["accepted", "duplicate"]
    assert world.settled(task) == BOTH
