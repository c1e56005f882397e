# SPDX-License-Identifier: MIT
"""The simulated provider's callbacks, and every way in which it goes wrong when told to."""
import email.utils
import json
import socket
import threading
import time

from harness import (LOOPBACK, SIM_KEY, exchange, get, make_certificate, signature_is_good,
                     viduhook)

CREATE = "/ent/v2/text2video"
FAST = ("--time", "60ms", "--retry-gap", "20ms")


def body(**changes):
    return {"model": "viduq3-turbo", "prompt": "a paper boat", **changes}


def raw_create(callback_url):
    text = json.dumps(body(callback_url=callback_url))
    return ("POST /ent/v2/text2video HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Token {SIM_KEY}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}").encode()


def settled(sim, task_id, count):
    """The callback entries of the ledger, once there are as many and no more can come: a whole
    task takes longer than the gap between two attempts."""
    sim.wait_ledger("callback", count, task=task_id)
    sim.finished()
    return sim.ledger("callback", task=task_id)


# -- callbacks ------------------------------------------------------------------------------------


def callbacks(run, *args, count=2, path="/cb/abc?x=1&y=%20", answers=(), **fields):
    """(sim, receiver, create's answer, callbacks): a task and its first callbacks."""
    sim = run.sim(*FAST, *args)
    receiver = run.receiver(answers=answers)
    made = sim.create(callback_url=receiver.url(path), **fields)
    return sim, receiver, made, receiver.wait(count) if count else []


def test_callbacks_have_the_documented_form(run):
    sim, receiver, made, seen = callbacks(run, payload="order-42")
    url = receiver.url("/cb/abc?x=1&y=%20")
    assert [c.state for c in seen] == ["processing", "success"]
    for callback in seen:
        assert callback.target == "/cb/abc?x=1&y=%20"
        assert callback.headers["Content-Type"] == "application/json"
        assert callback.headers["X-Hmac-Algorithm"] == "hmac-sha256"
        assert callback.headers["X-Hmac-Access-Key"] == "vidu"
        assert callback.headers["X-Hmac-Signed-Headers"] == "Date;x-request-nonce"
        assert signature_is_good(SIM_KEY, url, callback.headers)
        assert callback.json["id"] == made["task_id"]
        assert callback.json["payload"] == "order-42"
    assert seen[0].headers["X-Request-Nonce"] != seen[1].headers["X-Request-Nonce"]
    assert seen[0].json["creations"] == []
    assert b"\\u0026sig=" in seen[1].body and b"&" not in seen[1].body
    assert get(seen[1].json["creations"][0]["url"]).status == 200
    assert len(settled(sim, made["task_id"], 2)) == 2


def test_terminal_callbacks_are_tried_three_times_with_new_signatures(run):
    sim, receiver, made, seen = callbacks(run, count=4, answers=[200, 500, 503, 301])
    assert [c.state for c in seen] == ["processing"] + ["success"] * 3
    assert len({c.headers["X-Hmac-Signature"] for c in seen}) == 4
    entries = settled(sim, made["task_id"], 4)
    assert [(e["state"], e["attempt"], e["status"]) for e in entries] == [
        ("processing", 1, 200), ("success", 1, 500), ("success", 2, 503), ("success", 3, 301)]


def test_a_2xx_ends_the_attempts_and_processing_has_only_one(run):
    sim, receiver, made, seen = callbacks(run, count=3, answers=[500, 500, 202])
    entries = settled(sim, made["task_id"], 3)
    assert [(e["state"], e["attempt"], e["status"]) for e in entries] == [
        ("processing", 1, 500), ("success", 1, 500), ("success", 2, 202)]


def test_nobody_there(run):
    sim = run.sim(*FAST)
    made = sim.create(callback_url=f"http://{LOOPBACK}:{run.port()}/cb")
    entries = settled(sim, made["task_id"], 4)
    assert [e["status"] for e in entries] == [0] * 4 and entries[0]["error"]


def test_https_needs_the_right_ca(run):
    certificate = make_certificate(run.home)
    receiver = run.receiver(certificate=certificate)
    good = run.sim(*FAST, "--ca", certificate[0])
    good.create(callback_url=receiver.url())
    assert [c.state for c in receiver.wait(2)] == ["processing", "success"]
    doubtful = run.sim(*FAST)
    made = doubtful.create(callback_url=receiver.url())
    assert {e["status"] for e in settled(doubtful, made["task_id"], 4)} == {0}
    assert len(receiver.all()) == 2


def test_a_file_without_a_certificate_is_no_ca(run):
    for path in (run.file("empty.pem", ""), run.file("text.pem", "no certificate\n"), "/dev/null"):
        done = viduhook("sim", "--ca", path)
        assert done.returncode == 2 and str(path) in done.stderr
        assert "holds no certificate" in done.stderr or path == "/dev/null"


def test_tasks_without_a_callback_url_send_nothing(run):
    sim = run.sim(*FAST)
    sim.finished()
    assert sim.ledger("callback") == []


def test_cancelling_sends_a_failed_callback(run):
    sim = run.sim("--time", "1h")
    receiver = run.receiver()
    task_id = sim.create(callback_url=receiver.url())["task_id"]
    sim.request("POST", f"/ent/v2/tasks/{task_id}/cancel", {})
    seen = receiver.wait(1)[0].json
    assert (seen["state"], seen["err_code"]) == ("failed", "UserCancelled")


# -- switches -------------------------------------------------------------------------------------


def test_a_count_limits_a_switch_to_the_first_tasks(run):
    sim = run.sim(*FAST, "--switch", "policy-failure=2,late")
    ids = [sim.create()["task_id"] for _ in range(3)]
    states = [sim.wait_state(i, state) for i, state in zip(ids, ("failed", "failed", "success"))]
    assert states[0]["err_code"] == "CreationPolicyViolation" and states[0]["credits"] == 0


def test_duplicate_sends_the_same_bytes_again(run):
    sim, receiver, made, seen = callbacks(run, "--switch", "duplicate", count=4)
    for state in ("processing", "success"):
        first, second = [c for c in seen if c.state == state]
        assert first.body == second.body
        assert dict(first.headers) == dict(second.headers)


def test_burst_sends_64_copies_signed_on_their_own(run):
    sim, receiver, made, seen = callbacks(run, "--switch", "burst", count=128)
    last = [c for c in seen if c.state == "success"]
    assert len(last) == 64 and len({c.headers["X-Request-Nonce"] for c in last}) == 64
    assert all(signature_is_good(SIM_KEY, receiver.url("/cb/abc?x=1&y=%20"), c.headers)
               for c in seen)
    assert len(settled(sim, made["task_id"], 128)) == 128


def test_reorder_sends_processing_last(run):
    _, _, _, seen = callbacks(run, "--switch", "reorder")
    assert [c.state for c in seen] == ["success", "processing"]


def test_early_calls_back_before_it_answers(run):
    sim = run.sim("--time", "1h", "--switch", "early")
    with Quiet() as quiet:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(sim.create(
            callback_url=quiet.url())))
        thread.start()
        quiet.accept()
        assert answers == []
        quiet.answer()
        thread.join()
    assert answers[0]["state"] == "created"
    assert sim.query(answers[0]["task_id"])["state"] == "processing"


def test_it_stops_while_an_answer_is_waiting(run):
    sim = run.sim("--time", "1h", "--switch", "early")
    with Quiet() as quiet, socket.create_connection((LOOPBACK, sim.port)) as sock:
        sock.sendall(raw_create(quiet.url()))
        quiet.accept()
        assert sim.stop() == 0


class Quiet:
    """A server that answers when it is told to."""

    def __enter__(self):
        self.listener = socket.create_server((LOOPBACK, 0))
        self.listener.settimeout(10)
        self.peer = None
        return self

    def url(self):
        return f"http://{LOOPBACK}:{self.listener.getsockname()[1]}/cb"

    def accept(self):
        self.peer = self.listener.accept()[0]
        self.peer.settimeout(10)
        text = b""
        while b'"state":"processing"' not in text:
            text += self.peer.recv(65536)

    def answer(self):
        self.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def __exit__(self, *args):
        self.listener.close()
        if self.peer is not None:
            self.peer.close()


def test_lost_callback_sends_none(run):
    sim = run.sim(*FAST, "--switch", "lost-callback")
    receiver = run.receiver()
    sim.finished(callback_url=receiver.url())
    assert receiver.all() == [] and sim.ledger("callback") == []


def test_lost_answer_creates_and_says_nothing(run):
    sim, receiver = run.sim(*FAST, "--switch", "lost-answer"), run.receiver()
    raw = exchange(sim.port, raw_create(receiver.url()))
    assert raw == b""
    assert [c.state for c in receiver.wait(2)] == ["processing", "success"]
    assert len(sim.ledger("create")) == 1


def test_error_500_creates_all_the_same(run):
    sim = run.sim(*FAST, "--switch", "error-500=1")
    receiver = run.receiver()
    answer = sim.request("POST", CREATE, body(callback_url=receiver.url()))
    assert (answer.status, answer.json["reason"]) == (500, "InternalServiceFailure")
    assert [c.state for c in receiver.wait(2)] == ["processing", "success"]
    assert sim.request("POST", CREATE, body()).status == 200


def test_rate_limit_creates_nothing(run):
    sim = run.sim(*FAST, "--switch", "rate-limit=1")
    answer = sim.request("POST", CREATE, body())
    assert (answer.status, answer.json["reason"]) == (429, "TooManyRequests")
    assert answer.headers["Retry-After"] == "1" and sim.ledger("create") == []
    assert sim.request("POST", CREATE, body()).status == 200


def test_late_holds_the_last_callback(run):
    sim, receiver, made, seen = callbacks(run, "--switch", "late", "--late", "1500ms", count=1)
    sim.wait_state(made["task_id"], "success")
    ended = time.monotonic()
    assert [c.state for c in receiver.all()] == ["processing"]
    assert receiver.wait(2)[1].state == "success"
    assert time.monotonic() - ended > 1


def test_bad_signature(run):
    _, receiver, _, seen = callbacks(run, "--switch", "bad-signature")
    for callback in seen:
        assert len(callback.headers["X-Hmac-Signature"]) == 44
        assert not signature_is_good(SIM_KEY, receiver.url("/cb/abc?x=1&y=%20"), callback.headers)


def test_unsigned(run):
    _, _, _, seen = callbacks(run, "--switch", "unsigned")
    for callback in seen:
        assert [h for h in callback.headers if h.lower().startswith("x-")] == []


def test_stale_date_is_rightly_signed(run):
    _, receiver, _, seen = callbacks(run, "--switch", "stale-date")
    for callback in seen:
        age = time.time() - email.utils.parsedate_to_datetime(callback.headers["Date"]).timestamp()
        assert 3 * 86400 - 5 < age < 3 * 86400 + 60
        assert signature_is_good(SIM_KEY, receiver.url("/cb/abc?x=1&y=%20"), callback.headers)


def test_replay_forges_the_body_under_good_headers(run):
    _, receiver, made, seen = callbacks(run, "--switch", "replay", count=4)
    by_nonce = {}
    for callback in seen:
        by_nonce.setdefault(callback.headers["X-Request-Nonce"], []).append(callback)
    assert sorted([c.state for c in pair] for pair in by_nonce.values()) == [
        ["processing", "success"], ["success", "failed"]]
    forged = next(p[1] for p in by_nonce.values() if p[0].state == "processing").json
    assert forged["id"] == made["task_id"] and "/media/forged.mp4" in forged["creations"][0]["url"]
    assert get(forged["creations"][0]["url"]).status == 404


def test_wrong_id_and_no_id(run):
    sim, _, made, seen = callbacks(run, "--switch", "wrong-id")
    wrong = seen[0].json["id"]
    assert wrong != made["task_id"]
    assert sim.request("GET", f"/ent/v2/tasks/{wrong}/creations").status == 404
    _, _, _, seen = callbacks(run, "--switch", "no-id")
    assert set(seen[1].json) == {"state", "err_code", "creations"}


def test_no_url_leaves_the_query_good(run):
    sim, _, made, seen = callbacks(run, "--switch", "no-url")
    assert seen[1].json["creations"] == []
    assert len(sim.query(made["task_id"])["creations"]) == 1


def test_conflict_fails_after_success(run):
    sim, _, made, seen = callbacks(run, "--switch", "conflict", count=3)
    assert [c.state for c in seen] == ["processing", "success", "failed"]
    assert seen[2].json["err_code"] != ""
    assert sim.query(made["task_id"])["state"] == "success"


def test_policy_failure_calls_back(run):
    _, _, _, seen = callbacks(run, "--switch", "policy-failure")
    assert (seen[1].state, seen[1].json["err_code"]) == ("failed", "CreationPolicyViolation")
    assert seen[1].json["creations"] == [] and seen[1].json["credits"] == 0


def test_expired_urls_are_repaired_by_a_query(run):
    sim, _, made, seen = callbacks(run, "--switch", "expired-url")
    stale = get(seen[1].json["creations"][0]["url"])
    assert stale.status == 403 and b"ExpiredToken" in stale.body
    assert get(sim.query(made["task_id"])["creations"][0]["url"]).status == 200
