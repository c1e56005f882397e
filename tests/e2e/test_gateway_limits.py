# SPDX-License-Identifier: MIT
"""What the mirror refuses, and that nobody pays for somebody else's load."""
import contextlib
import json
import socket
import urllib.error
import urllib.request

import pytest

from harness import DEADLINE, LOOPBACK
from mirror import (BODY, FAST, LINK, TOKEN, Mirror, Upstream, amz_date, create, is_own_error, poll, polled_stack,
                    upstream_stack, with_gateway)
from provider import Provider
from web import Answer, exchange, request, tls_context

CREATE = "/vidu/ent/v2/text2video"


def port_of(mirror):
    return int(mirror.url.rpartition(":")[2])


def head(line, *fields, token=TOKEN):
    return "\r\n".join((f"{line} HTTP/1.1", "Host: x", f"Authorization: Token {token}", *fields, "", "")).encode()


# -- bodies ---------------------------------------------------------------------------------------


def test_a_create_that_is_no_json_is_refused_and_sent_nowhere(run):
    upstream, mirror = upstream_stack(run)
    for body in ("", "{", "[]", '{"model":1,"model":2}', '{"callback_url":7}'):
        assert is_own_error(mirror.ask("POST", CREATE, body), 400, "ViduhookBadRequest"), body
    assert upstream.seen == [] and mirror.daemon.cli("list")[1]["tasks"] == []


@pytest.mark.parametrize("field", ["model", "callback_url"])
def test_a_text_too_long_to_be_recorded_is_no_reason_to_come_again(run, field):
    upstream, mirror = upstream_stack(run)
    long = {**BODY, field: "http://x/" + "x" * (64 << 10)}
    answer = mirror.ask("POST", CREATE, long)
    assert is_own_error(answer, 413, "ViduhookBodyTooLarge") and "64 KiB" in answer.json["message"]
    assert upstream.seen == [] and mirror.daemon.cli("list")[1]["tasks"] == []


def stack_of(run, scheme):
    """(upstream, mirror, url) of a gateway that is spoken to by this scheme."""
    upstream = Upstream()
    run.closers.append(upstream)
    conf = with_gateway(run, run.conf(upstream))
    conf["gateway"]["listen"] = conf["gateway"]["listen"].replace("http:", f"{scheme}:")
    mirror = Mirror(run.daemon(conf=conf))
    return upstream, mirror, mirror.url.replace("http:", f"{scheme}:")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_wrong_token_is_told_so_to_a_client_that_sends_first(run, scheme):
    upstream, mirror, url = stack_of(run, scheme)
    body = json.dumps({**BODY, "images": ["x" * (15 << 20)]}).encode()
    answer = request("POST", url + CREATE, body,
                     {"Authorization": "Token wrong", "Content-Type": "application/json"},
                     ca=mirror.daemon.ca if scheme == "https" else None)
    assert is_own_error(answer, 401, "ViduhookUnauthorized")
    assert upstream.seen == []


def test_a_large_body_is_refused_before_it_is_sent(run):
    upstream, mirror = upstream_stack(run)
    fields = ("Content-Length: 30000000", "Content-Type: application/json")
    unknown = exchange(port_of(mirror), head(f"POST {CREATE}", *fields, token="wrong"))
    known = exchange(port_of(mirror), head(f"POST {CREATE}", *fields))
    assert unknown.startswith(b"HTTP/1.1 401 ") and b"ViduhookUnauthorized" in unknown
    assert known.startswith(b"HTTP/1.1 413 ") and b"ViduhookBodyTooLarge" in known


@pytest.mark.parametrize("path", [CREATE, "/vidu/ent/v2/other"])
def test_json_over_the_limit_is_refused_however_it_is_sent(run, path):
    upstream, mirror = upstream_stack(run)
    piece = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    said = exchange(port_of(mirror), head(f"POST {path}", "Content-Type: application/json",
                                          "Transfer-Encoding: chunked") + piece * 21 + b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 413 ") and b"ViduhookBodyTooLarge" in said
    assert upstream.seen == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_client_that_sends_first_and_then_reads_is_told_why(run, scheme):
    upstream, mirror, url = stack_of(run, scheme)
    body = json.dumps({**BODY, "images": ["x" * (25 << 20)]}).encode()
    sent = {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"}
    context = tls_context(mirror.daemon.ca) if scheme == "https" else None
    for path, status, reason in ((CREATE, 413, "BodyTooLarge"), ("/other/x", 404, "UnknownProvider")):
        asked = urllib.request.Request(url + path, body, sent)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=DEADLINE, context=context)
        answer = Answer(refused.value.code, refused.value.headers, refused.value.read())
        assert is_own_error(answer, status, f"Viduhook{reason}"), answer
    assert upstream.seen == []


# -- clients --------------------------------------------------------------------------------------


def test_more_requests_than_there_are_places_get_503(run):
    upstream, mirror = polled_stack(run, log_level="debug")
    task = create(upstream, mirror)
    text = head(f"GET /vidu/ent/v2/tasks/{task.remote_id}/creations", "X-Viduhook-Wait: 120")
    with contextlib.ExitStack() as waiting:
        for _ in range(256):
            sock = socket.create_connection((LOOPBACK, port_of(mirror)), timeout=DEADLINE)
            waiting.enter_context(sock).sendall(text)
        mirror.daemon.wait_log("http.waits", 256)
        assert is_own_error(poll(mirror, task), 503, "ViduhookBusy")


def test_slow_clients_do_not_slow_the_others(run):
    upstream, mirror = polled_stack(run)
    task = create(upstream, mirror)
    with contextlib.ExitStack() as slow:
        for sent in (head(f"POST {CREATE}", "Content-Length: 1000") + b"{", b"GET /vidu/ent/v2/tas",
                     head(f"GET /vidu/ent/v2/tasks/{task.remote_id}/creations", "X-Viduhook-Wait: 60")):
            for _ in range(20):
                sock = socket.create_connection((LOOPBACK, port_of(mirror)), timeout=DEADLINE)
                slow.enter_context(sock).sendall(sent)
        assert poll(mirror, task).json["state"] == "created"
        assert create(upstream, mirror).remote_id != task.remote_id


# -- credits --------------------------------------------------------------------------------------


def test_beyond_the_limit_of_a_day_a_create_is_refused_as_the_provider_would(run):
    upstream = Provider()
    run.closers.append(upstream)
    limits = {"min_free": "1MiB", "credits_per_day": 40}
    mirror = Mirror(run.daemon(conf=with_gateway(run, run.conf(upstream, limits=limits))))
    create(upstream, mirror)
    refused = mirror.ask("POST", CREATE, BODY)
    assert is_own_error(refused, 400, "ViduhookCreditsPerDay")
    assert "limits.credits_per_day" in refused.json["message"] and "X-Viduhook-Task" not in refused.headers
    assert len(upstream.created) == 1 and len(mirror.daemon.cli("list")[1]["tasks"]) == 1


def test_what_is_answered_at_once_is_counted_and_refused_as_well(run):
    sim = run.sim("--ca", run.ca(), *FAST)
    recorder = run.recorder(sim)
    conf = run.conf(sim, limits={"min_free": "1MiB", "credits_per_day": 2})
    conf["providers"]["vidu"]["base_url"] = recorder.url
    mirror = Mirror(run.daemon(conf=with_gateway(run, conf)))
    path, body = "/vidu/ent/v2/audio-tts", {"text": "hello", "voice_setting_voice_id": "a"}
    args = ("submit", "audio-tts", "--set", "text=hello", "--set", "voice_setting_voice_id=a")
    assert mirror.ask("POST", path, body).json["credits"] == 1
    assert mirror.daemon.cli("spend")[1]["days"][0]["credits"] == 1
    assert mirror.daemon.cli(*args)[0] == 0
    day, = mirror.daemon.cli("spend")[1]["days"]
    assert (day["credits"], day["tasks"]) == (2, 0)
    refused = mirror.ask("POST", path, body)
    assert is_own_error(refused, 400, "ViduhookCreditsPerDay") and "X-Viduhook-Task" not in refused.headers
    status, answer = mirror.daemon.cli(*args, check=False)
    assert status == 3 and answer["code"] == "ViduhookCreditsPerDay"
    assert len(recorder.all("POST")) == 2


# -- links ----------------------------------------------------------------------------------------


def test_a_provider_without_fresh_links_is_not_asked_again_and_again(run):
    upstream, mirror = polled_stack(run)
    task = create(upstream, mirror)
    old, newer = LINK.format(amz_date(-86400 + 200)), LINK.format(amz_date(-86400 + 300))
    assert task.say("success", url=old) == 200
    upstream.will_say(task, "success", newer)
    for _ in range(3):
        assert poll(mirror, task).json["creations"][0]["url"] == newer
    assert upstream.looks_at(task) == 1


def test_links_that_live_long_are_not_refreshed(run):
    upstream, mirror = polled_stack(run)
    task = create(upstream, mirror)
    assert task.say("success", url=LINK.format(amz_date())) == 200
    assert poll(mirror, task).json["state"] == "success"
    assert upstream.looks_at(task) == 0


# -- answers that are none ------------------------------------------------------------------------


def test_half_an_answer_to_a_create_is_not_handed_on_as_a_success(run):
    upstream, mirror = upstream_stack(run)
    upstream.body, upstream.missing = b'{"task_id":"9123', 10
    assert is_own_error(mirror.ask("POST", CREATE, BODY), 500, "ViduhookAmbiguous")
    task, = mirror.daemon.cli("list")[1]["tasks"]
    assert task["state"] == "ambiguous" and len(upstream.seen) == 1
    upstream.body = b'{"task_id":"9123","state":"created"}'  # enough to know it by
    answer = mirror.ask("POST", CREATE, BODY)
    assert (answer.status, answer.body) == (200, upstream.body)


def test_the_log_tells_why_a_create_was_not_sent(run):
    upstream, mirror = upstream_stack(run)
    upstream.close()
    run.closers.remove(upstream)
    assert mirror.daemon.cli("submit", "text2video", "--model", "m", "--prompt", "x", check=False)[0] != 0
    line, = mirror.daemon.wait_log("submit.unsent")
    assert "provider=vidu" in line and "connect" in line
