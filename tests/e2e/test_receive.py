# SPDX-License-Identifier: MIT
"""Receiving: sizes, counters, a full disk, and what of the secrets can be seen from outside."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess

import pytest

from harness import (LOOPBACK, SIM_KEY, descendants, exchange, post_callback, program, request,
                     signed_headers, wait_for)
from provider import VIDEO, Provider, submit

LIMITS = {"source_rate": 0, "per_source": 0}
MIB = 1 << 20


def start(run, hooks=(), **limits):
    """(provider, daemon)"""
    provider = Provider()
    run.closers.append(provider)
    conf = run.conf(provider, hooks, limits={**LIMITS, **limits})
    return provider, run.daemon(conf=conf)


def receiver(daemon):
    rooms = daemon.cli("status")[1]["rooms"]
    return next(r for r in rooms if r["name"] == "receiver 1")


def raw_post(task, headers, body=b""):
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return f"POST /callback/{task.key} HTTP/1.1\r\nHost: h\r\n{lines}\r\n".encode() + body


# -- sizes ----------------------------------------------------------------------------------------


def padded(task, size):
    """A body of exactly so many bytes with a payload of 1,048,576 characters, the longest that is
    allowed, each of which may arrive as six bytes."""
    body = json.dumps(task.body("processing", payload="@")).encode()
    filled = body.replace(b"@", b"\\u4f60" * MIB)
    assert len(filled) <= size
    return filled + b" " * (size - len(filled))


def test_a_body_of_8_mib_is_taken(run):
    provider, daemon = start(run)
    task = submit(daemon, provider)
    assert task.post(padded(task, 8 * MIB)) == 200
    assert task.state == "processing" and task.verdicts() == ["accepted"]


def test_a_body_of_8_mib_in_chunks_is_taken(run):
    provider, daemon = start(run)
    task = submit(daemon, provider)
    body = padded(task, 8 * MIB)
    context = ssl.create_default_context(cafile=str(daemon.ca))
    connection = http.client.HTTPSConnection(LOOPBACK, daemon.port, context=context)
    pieces = (body[at:at + 100000] for at in range(0, len(body), 100000))
    connection.request("POST", f"/callback/{task.key}", body=pieces, encode_chunked=True,
                       headers={**signed_headers(SIM_KEY, task.url),
                                "Transfer-Encoding": "chunked"})
    assert connection.getresponse().status == 200
    connection.close()
    assert task.state == "processing"


def test_one_byte_more_is_refused_before_it_is_sent(run):
    provider, daemon = start(run)
    task = submit(daemon, provider)
    headers = {**signed_headers(SIM_KEY, task.url), "Content-Length": 8 * MIB + 1}
    answer = exchange(daemon.port, raw_post(task, headers), ca=daemon.ca)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert task.events() == []


def test_who_has_a_key_may_send_first_and_is_told_why(run):
    provider, daemon = start(run)
    task = submit(daemon, provider)
    signed, large = signed_headers(SIM_KEY, task.url), b" " * (30 * MIB)
    assert task.post(large) == 413
    for path, status in (("/callback/at/vidu", 413), ("/callback/x", 404)):  # anybody could
        with pytest.raises(OSError):
            request("POST", daemon.url(path), large, signed, ca=daemon.ca)
        begun = raw_post(task, {**signed, "Content-Length": 9 * MIB}, large[:60000])
        begun = begun.replace(f"/callback/{task.key}".encode(), path.encode())
        assert exchange(daemon.port, begun, ca=daemon.ca).startswith(b"HTTP/1.1 %d " % status)


def test_the_limit_can_be_changed_while_running(run):
    provider, daemon = start(run, max_body="1KiB")
    task = submit(daemon, provider)
    body = json.dumps(task.body("processing")).encode()
    assert task.post(body + b" " * (1024 - len(body))) == 200
    assert task.post(body + b" " * (1025 - len(body))) == 413
    daemon.conf["limits"]["max_body"] = "2KiB"
    daemon.write(daemon.conf)
    assert daemon.cli("reload")[0] == 0
    wait_for(lambda: task.post(body + b" " * (1025 - len(body))) == 200, "new limit")


# -- counters -------------------------------------------------------------------------------------


def test_every_refusal_is_counted(run):
    provider, daemon = start(run, max_body=4096, body_budget=4096)
    task = submit(daemon, provider)
    signed = signed_headers(SIM_KEY, task.url)
    body = json.dumps(task.body("processing")).encode()
    headers = {**signed, "Content-Length": len(body)}
    good = raw_post(task, headers, body)
    raw = {
        "refused_malformed": (400, good.replace(b"Host: h", b"Host : h")),
        "refused_head_size": (431, good.replace(b"Host: h", b"Host: h\r\na: " + b"b" * 5000)),
        "refused_body_size": (413, raw_post(task, {**headers, "Content-Length": 5000})),
        "refused_budget": (503, raw_post(task, {**headers, "Content-Length": 4000})),
        "refused_request": (404, good.replace(task.key.encode(), b"a" * 42)),
    }
    context = ssl.create_default_context(cafile=str(daemon.ca))
    with socket.create_connection((LOOPBACK, daemon.port), timeout=30) as plain, \
            context.wrap_socket(plain, server_hostname=LOOPBACK) as other:
        other.sendall(raw_post(task, {**headers, "Content-Length": 4000,
                                      "Expect": "100-continue"}))
        assert b" 100 " in other.recv(1000), "4000 bytes of the budget are spoken for"
        for name, (status, data) in raw.items():
            answer = exchange(daemon.port, data, ca=daemon.ca)
            assert answer.startswith(b"HTTP/1.1 %d " % status), name
    assert post_callback(task.url, body, headers={**signed, "X-Hmac-Signature": "A" * 43 + "="},
                         ca=daemon.ca).status == 401
    assert [task.post(body), task.post(body), task.post(b"?")] == [200] * 3
    expected = {**dict.fromkeys(raw, 1), "verdict_unauthorised": 1, "verdict_accepted": 1,
                "verdict_duplicate": 1, "verdict_quarantined": 1, "not_understood": 1,
                "replies_2xx": 3, "replies_4xx": 5, "replies_5xx": 1, "requests": 4}

    def counted():
        seen = receiver(daemon)["counters"]
        return {k: seen.get(k) for k in expected} == expected

    wait_for(counted, lambda: f"{expected} in {receiver(daemon)}")
    assert daemon.cli("status")[1]["verdicts"] == {
        "accepted": 1, "duplicate": 1, "quarantined": 1, "unauthorised": 1, "unknown": 0,
        "busy": 0}
    text = subprocess.run([program("viduhook"), "-c", daemon.conf_path, "status"], text=True,
                          capture_output=True, check=True, timeout=30).stdout
    for name in expected:
        assert name in text


# -- a disk that is nearly full -------------------------------------------------------------------


def free_bytes(path):
    fs = os.statvfs(path)
    return fs.f_bavail * fs.f_frsize


def test_without_space_callbacks_come_again_later(run):
    """503 before the store itself would fail; nothing is lost, and it recovers by itself."""
    provider, daemon = start(run)
    task = submit(daemon, provider)
    assert task.say("queueing") == 200
    least = min(16 << 40, free_bytes(run.home) * 2)
    assert least > free_bytes(run.home)
    daemon.conf["limits"]["min_free"] = least
    daemon.write(daemon.conf)
    assert daemon.cli("reload")[0] == 0
    wait_for(lambda: task.say("processing") == 503, "503")
    answer = post_callback(task.url, task.body("success"), ca=daemon.ca)
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
    assert daemon.cli("status")[1]["low_space"] is True
    assert len(daemon.wait_log("space.low")) == 1, "said once"
    before = task.verdicts()
    assert task.say("success") == 503 and task.verdicts() == before
    daemon.conf["limits"]["min_free"] = 0
    daemon.write(daemon.conf)
    assert daemon.cli("reload")[0] == 0
    wait_for(lambda: task.say("success") == 200, "recovery")
    assert task.state == "success"
    assert daemon.cli("status")[1]["low_space"] is False and daemon.log("space.back")


# -- rooms ----------------------------------------------------------------------------------------


def test_several_receivers_share_the_listeners(run):
    provider = Provider()
    run.closers.append(provider)
    daemon = run.daemon(conf=run.conf(provider, limits=LIMITS, receivers=3))
    task = submit(daemon, provider)
    assert [task.say("processing") for _ in range(30)] == [200] * 30
    assert task.verdicts() == ["accepted"] + ["duplicate"] * 29
    names = {r["name"] for r in daemon.cli("status")[1]["rooms"]}
    assert {"receiver 1", "receiver 2", "receiver 3"} <= names


def test_more_than_may_wait_are_told_to_come_again(run):
    """While the keeper stands still: 503 at once for what is too many, 503 at the deadline for
    the others, never a 200 that was not written down."""
    provider, daemon = start(run, max_in_flight=2, reply_timeout="3s")
    task = submit(daemon, provider)
    body = json.dumps(task.body("processing")).encode()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        daemon.send(signal.SIGSTOP)
        try:
            answers = list(pool.map(lambda _: task.post(body), range(6)))
        finally:
            daemon.send(signal.SIGCONT)
    assert answers == [503] * 6
    assert task.post(body) == 200
    wait_for(lambda: receiver(daemon)["counters"].get("no_verdict") == 2,
             lambda: f"2 x no_verdict in {receiver(daemon)}")
    assert receiver(daemon)["counters"]["refused_in_flight"] == 4


# -- secrets --------------------------------------------------------------------------------------


def environment(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # not dumpable: nobody but root reads it
        return b""


def command_line(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_shown_anywhere(run, form):
    """After a run in which everything went wrong that can."""
    api_key, callback_secret = "vda_1234_CANARYapikey", "CANARYcallbacksecret"
    old_key = "CANARYoldkey"
    provider = Provider()
    run.closers.append(provider)
    hooks = [{"name": "save", "download": {"dir": str(run.home / "media")},
              "retry": {"attempts": 2, "from": "10ms", "to": "10ms", "max_age": "1s"}},
             {"name": "fails", "exec": ["/bin/sh", "-c", "echo oh no >&2; exit 3"],
              "retry": {"attempts": 2, "from": "10ms", "to": "10ms"}}]
    conf = run.conf(provider, hooks, limits=LIMITS, log=form, log_level="debug")
    conf["providers"]["vidu"] |= {
        "key": {"file": str(run.file("api.key", api_key))},
        "previous_keys": [{"env": "VIDU_OLD_KEY"}],
        "callback_secret": {"file": str(run.file("callback.key", callback_secret))}}
    daemon = run.daemon(conf=conf, env={"VIDU_OLD_KEY": old_key})
    tasks = [submit(daemon, provider) for _ in range(3)]
    signatures = []

    def say(task, body, key=callback_secret, url=None, **changes):
        headers = signed_headers(key, url or task.url, **changes)
        signatures.extend(v for k, v in headers.items() if k.lower() == "x-hmac-signature")
        return post_callback(url or task.url, body, headers=headers, ca=daemon.ca).status

    first, second, third = tasks
    assert say(first, first.body("success"), "wrong-key") == 401
    assert say(first, first.body("success"), x_hmac_algorithm="none") == 401
    assert say(first, b"?") == 200
    assert say(first, second.body("success")) == 200
    assert say(first, first.body("success"), date="Tue, 06 May 2025 12:09:42 GMT") == 200
    assert say(first, first.body("success")) == 200
    assert say(first, first.body("failed", err_msg="see " + VIDEO)) == 200
    assert say(first, first.body("success"), old_key) == 200
    forbidden = second.body("success", url="http://127.0.0.1:1/x?X-Amz-Signature=ab1")
    assert say(second, forbidden) == 200
    assert say(third, third.body("failed", err_code="X")) == 200
    assert say(first, b"{}", url=first.url + "x") == 404
    assert say(first, b"{}", url=daemon.url("/callback/at/vidu")) == 200
    request("GET", first.url, ca=daemon.ca)
    request("POST", first.url, b"{}", {"Content-Type": "text/plain"}, daemon.ca)
    exchange(daemon.port, f"POST /callback/{first.key}\r\n\r\n".encode(), ca=daemon.ca)
    exchange(daemon.port, f"POST /callback/{first.key} HTTP/1.1\r\nx: y\0\r\n\r\n".encode(),
             ca=daemon.ca)
    exchange(daemon.port, f"POST /callback/{first.key} HTTP/1.1\r\n\r\n".encode())

    def runs_are_over():
        runs = daemon.cli("runs", "--limit", 100)[1]["runs"]
        return len(runs) >= 4 and all(r["state"] in ("done", "dead") for r in runs)

    wait_for(runs_are_over, lambda: f"end of {daemon.cli('runs')}")
    wait_for(lambda: provider.looks_at(first), "look")
    shown = {"log": daemon.log() + daemon.output()}
    asked = [["status"], ["config", "show"], ["list"], ["runs"]]
    asked += [[command, task.id] for task in tasks for command in ("explain", "show")]
    for words in asked:
        for option in ([], ["--json"]):
            done = subprocess.run([program("viduhook"), "-c", daemon.conf_path, *words, *option],
                                  text=True, capture_output=True, timeout=30)
            assert done.returncode == 0, done.stderr
            shown[" ".join(words + option)] = done.stdout + done.stderr
    rooms = {pid: name for pid, name in descendants().items() if "viduhookd" in name}
    assert len(rooms) >= 4
    for pid, name in rooms.items():
        shown[f"command line of {name}"] = command_line(pid).decode()
        if pid != daemon.pid:  # the keeper's environment is the operator's own
            shown[f"environment of {name}"] = environment(pid).decode()
    assert "callback.unauthorised" in shown["log"] and "CreationPolicy" not in shown["log"]
    secrets = [api_key, callback_secret, old_key, "X-Amz-Signature", "51f2secret"]
    secrets += [task.key for task in tasks] + [task.key[:20] for task in tasks]
    secrets += [s for s in signatures if s]
    for where, text in shown.items():
        for secret in secrets:
            assert secret not in text, f"{secret} in {where}"
            assert secret.replace("/", "\\/") not in text, f"{secret} in {where}"


def test_whole_urls_are_shown_to_who_asks_for_them(run):
    provider, daemon = start(run)
    task = submit(daemon, provider)
    assert task.say("success") == 200
    assert daemon.cli("show", task.id, "--urls")[1]["task"]["result"][0]["url"] == VIDEO
    assert task.result_url() == VIDEO.split("?")[0] + "?..."


def test_the_store_keeps_no_callback_key(run):
    """Only its hash: who reads the file cannot call in anybody's name."""
    provider, daemon = start(run)
    task = submit(daemon, provider)
    assert task.say("success") == 200
    daemon.stop()
    files = list(run.home.glob("viduhook.db*"))
    assert files
    for path in files:
        data = path.read_bytes()
        assert task.key.encode() not in data and SIM_KEY.encode() not in data
        assert path.stat().st_mode & 0o077 == 0, f"{path} is open to others"
