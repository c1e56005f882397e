# SPDX-License-Identifier: MIT
"""The providers' own paths for local clients: who is let in, what is handed on, what comes back."""
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import re
import socket
import threading
import time

import pytest

from harness import (DEADLINE, LOOPBACK, ROOT, SIM_KEY, callback_body, request,
                     wait_for)
from mirror import (BODY, FAST, LINK, TOKEN, Mirror, Upstream, amz_date, create, is_own_error, memory,
                    poll, polled_stack, sim_stack, upstream_stack, with_gateway, without_sanitizer)


# -- who is let in --------------------------------------------------------------------------------


def test_the_token_is_taken_in_every_scheme_and_nothing_else_is(run):
    upstream, mirror = upstream_stack(run)
    for scheme in ("Token ", "Bearer ", "token ", "BEARER  ", ""):
        assert mirror.ask("GET", "/vidu/ent/v2/credits", scheme=scheme).status == 200
    seen = len(upstream.seen)
    assert seen == 5
    for token, scheme in ((None, ""), ("", "Token "), (TOKEN[:-1], "Token "), (TOKEN + "x", "Token "),
                          (SIM_KEY, "Token "), (TOKEN, "Basic "), (TOKEN.upper(), "")):
        answer = mirror.ask("POST", "/vidu/ent/v2/text2video", BODY, token=token, scheme=scheme)
        assert is_own_error(answer, 401, "ViduhookUnauthorized"), answer
    assert len(upstream.seen) == seen
    assert mirror.daemon.cli("list")[1]["tasks"] == []


def test_a_path_that_names_no_provider_is_not_found_and_creates_nothing(run):
    upstream, mirror = upstream_stack(run)
    for path in ("/", "/ent/v2/text2video", "/vidux/ent/v2/text2video", "/vid/ent/v2/text2video",
                 "//vidu/ent/v2/text2video", "/octopusx/v1/videos"):
        answer = mirror.ask("POST", path, BODY)
        assert is_own_error(answer, 404, "ViduhookUnknownProvider"), (path, answer)
    assert upstream.seen == [] and mirror.daemon.cli("list")[1]["tasks"] == []


@pytest.mark.parametrize("path", ["%74ext2video", "text2video/", "/text2video", "./text2video", "../v2/text2video"])
def test_a_create_under_another_spelling_does_not_go_by_unseen(run, path):
    upstream, mirror = upstream_stack(run)
    answer = mirror.ask("POST", "/vidu/ent/v2/" + path, BODY)
    assert is_own_error(answer, 404, "ViduhookUnknownProvider"), answer
    assert upstream.seen == [] and mirror.daemon.cli("list")[1]["tasks"] == []


def test_the_gateway_needs_both_address_and_token_and_loopback_without_tls(run):
    upstream = Upstream()
    run.closers.append(upstream)
    conf = with_gateway(run, run.conf(upstream))
    token = conf["gateway"]["token"]
    for group, text in (({"listen": "http://127.0.0.1:1"}, "'gateway.token' is missing"),
                        ({"token": token}, "'gateway.listen' is missing"),
                        ({"listen": "http://0.0.0.0:1", "token": token}, "without TLS"),
                        ({"listen": "systemd", "token": token}, "gateway.listen")):
        conf["gateway"] = group
        daemon = run.daemon(conf=conf, args=["--check"], expected=78, wait=False)
        assert daemon.wait() == 78
        assert text in daemon.log() + daemon.output() and "viduhook.yaml:" in daemon.log()


# -- what is handed on ----------------------------------------------------------------------------


@pytest.mark.parametrize("provider, scheme", [("vidu", "Token"), ("octopusx", "Bearer")])
def test_a_request_goes_out_with_our_key_and_without_what_is_between_client_and_us(
        run, provider, scheme):
    upstream, mirror = upstream_stack(run, [provider])
    answer = mirror.ask("PUT", f"/{provider}/a%2Fb/../c;d?x=1&y=%20&x=2", "some text", headers={
        "Content-Type": "text/plain; charset=utf-8", "Connection": "X-Hop", "X-Hop": "1",
        "connection": "x-leap, X-Jump", "X-Leap": "1", "X-Jump": "1",
        "X-Viduhook-Tag": "a=b", "X-Viduhook-Other": "1", "X-Own": "kept", "Accept-Language": "de",
        "TE": "trailers", "Proxy-Authorization": "secret"})
    assert answer.status == 200
    (method, path, headers, body), = upstream.seen
    assert (method, path, body) == ("PUT", "/a%2Fb/../c;d?x=1&y=%20&x=2", b"some text")
    assert headers["Authorization"] == f"{scheme} {SIM_KEY}"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["X-Own"] == "kept" and headers["Accept-Language"] == "de"
    assert headers["Host"] == f"{LOOPBACK}:{upstream.port}"
    lower = {name.lower() for name in headers}
    assert not lower & {"connection", "x-hop", "x-leap", "x-jump", "te", "proxy-authorization", "x-viduhook-tag",
                        "x-viduhook-other"}
    assert TOKEN not in str(headers)


def test_the_answer_comes_back_as_it_is(run):
    upstream, mirror = upstream_stack(run)
    upstream.status, upstream.body = 429, b'{"code":429,"reason":"TooManyRequests"}  '
    upstream.headers = [("Content-Type", "application/json; charset=utf-8"), ("Retry-After", "7"),
                        ("x-md-trace-id", "t-1"), ("X-Hop", "1"), ("Connection", "X-Hop"),
                        ("X-Leap", "1"), ("Connection", "X-Leap"),
                        ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    answer = mirror.ask("GET", "/vidu/ent/v2/unknown")
    assert (answer.status, answer.body) == (429, upstream.body)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Retry-After"] == "7" and answer.headers["x-md-trace-id"] == "t-1"
    assert answer.headers["X-Hop"] is None and answer.headers["X-Leap"] is None
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert len(answer.headers.get_all("Date")) == 1


def test_redirects_are_handed_back_and_not_followed(run):
    upstream, mirror = upstream_stack(run)
    upstream.status, upstream.headers = 302, [("Location", "https://elsewhere.example/x?y=1")]
    answer = mirror.ask("GET", "/vidu/old")
    assert answer.status == 302 and answer.headers["Location"] == "https://elsewhere.example/x?y=1"
    assert len(upstream.seen) == 1


def test_a_head_request_is_answered_without_a_body(run):
    upstream, mirror = upstream_stack(run)
    upstream.body = b"not sent"
    answer = mirror.ask("HEAD", "/vidu/x")
    assert answer.status == 200 and answer.body == b""
    assert answer.headers.get_all("Content-Length") == ["8"]
    assert upstream.seen[0][0] == "HEAD"
    assert int(mirror.ask("HEAD", "/none").headers["Content-Length"]) > 100


def test_the_upload_flow_passes_through(run):
    upstream, mirror = upstream_stack(run)
    upstream.body = b'{"id":"1","put_url":"https://put.example/1"}'
    answer = mirror.ask("POST", "/vidu/tools/v2/files/uploads", {"scene": "vidu"})
    assert answer.body == upstream.body
    assert json.loads(upstream.seen[0][3]) == {"scene": "vidu"}
    assert mirror.daemon.cli("list")[1]["tasks"] == []


def test_a_multipart_body_of_40_mib_passes_and_json_of_that_size_does_not(run):
    upstream, mirror = upstream_stack(run)
    body = b"x" * (40 << 20)
    answer = mirror.ask("POST", "/vidu/v1/files", body,
                        headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status == 200 and upstream.seen[0][3] == body
    answer = mirror.ask("POST", "/vidu/v1/files", body)
    assert is_own_error(answer, 413, "ViduhookBodyTooLarge")
    assert len(upstream.seen) == 1


def test_a_provider_that_cannot_be_reached_is_an_error_in_its_own_shape(run):
    upstream, mirror = upstream_stack(run)
    upstream.server.shutdown()
    upstream.server.server_close()
    answer = mirror.ask("GET", "/vidu/ent/v2/credits")
    assert is_own_error(answer, 503, "ViduhookUnreachable") and "Retry-After" in answer.headers


def test_own_headers_that_are_wrong_are_refused(run):
    upstream, mirror = upstream_stack(run)
    for name, value in (("X-Viduhook-Tag", "=x"), ("X-Viduhook-Tag", "album"), ("X-Viduhook-Tag", "n" * 65 + "=x"),
                        ("X-Viduhook-Tag", "n=" + "x" * 257), ("X-Viduhook-Wait", "soon"),
                        ("X-Viduhook-Wait", "-1")):
        answer = mirror.ask("GET", "/vidu/x", headers={name: value})
        assert is_own_error(answer, 400, "ViduhookBadHeader") and name in answer.json["message"]
    assert upstream.seen == []


def test_a_new_token_is_good_after_a_reload_and_the_old_one_is_not(run):
    _, mirror = upstream_stack(run)
    run.file("gateway.token", "another-token")
    assert mirror.daemon.cli("reload")[0] == 0
    wait_for(lambda: mirror.ask("GET", "/vidu/x", token="another-token").status == 200, "new token")
    wait_for(lambda: mirror.ask("GET", "/vidu/x").status == 401, "end of the old token")


# -- creates --------------------------------------------------------------------------------------


def test_a_create_is_recorded_called_back_and_answered_unchanged(run):
    recorder, sim, mirror = sim_stack(run)
    text = '{ "model":"viduq3-turbo",\t"prompt":"a \\u0062oat", "payload":"p", "seed":9007199254740993}'
    answer = mirror.ask("POST", "/vidu/ent/v2/text2video?x=1", text,
                        headers={"X-Viduhook-Tag": "album=first", "X-Viduhook-Wait": "5"})
    sent, = recorder.all("POST")
    assert sent.path == "/ent/v2/text2video?x=1"
    assert sent.headers["Authorization"] == f"Token {SIM_KEY}"
    inserted = re.sub(r'"callback_url":"[^"]*",', "", sent.body.decode())
    assert inserted == text
    assert sent.json["callback_url"].startswith(mirror.daemon.url("/callback/"))
    assert "x-viduhook-tag" not in {n.lower() for n in sent.headers}
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json")
    created, = sim.ledger("create")
    assert answer.json["task_id"] == created["task"] and answer.json["state"] == "created"
    assert answer.headers["x-md-trace-id"]
    task = mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "success")
    assert task["remote_id"] == created["task"] and task["tags"] == {"album": "first"}
    assert task["payload"] == "p" and task["endpoint"] == "text2video"
    assert len(sim.ledger("create")) == 1


def test_a_refused_create_says_what_the_provider_says(run):
    upstream, mirror = upstream_stack(run)
    upstream.status = 400
    upstream.body = b'{"code":400, "reason":"CreditInsufficient","message":"no","metadata":{}}\n'
    upstream.headers = [("Content-Type", "application/json"), ("x-md-trace-id", "t-7"),
                        ("Retry-After", "9")]
    answer = mirror.ask("POST", "/vidu/ent/v2/img2video", BODY)
    assert (answer.status, answer.body) == (400, upstream.body)
    assert answer.headers["x-md-trace-id"] == "t-7" and answer.headers["Retry-After"] == "9"
    task = mirror.daemon.task(answer.headers["X-Viduhook-Task"])
    assert task["state"] == "rejected" and task["err_code"] == "CreditInsufficient"


def test_a_create_whose_answer_is_lost_is_kept_and_not_sent_again(run):
    upstream, mirror = upstream_stack(run)
    upstream.status, upstream.body = 500, b'{"code":500,"reason":"InternalServiceFailure"}'
    answer = mirror.ask("POST", "/vidu/ent/v2/text2video", BODY)
    assert (answer.status, answer.body) == (500, upstream.body)
    task, = mirror.daemon.cli("list")[1]["tasks"]
    assert task["state"] == "ambiguous" and len(upstream.seen) == 1


def test_a_create_that_cannot_be_sent_creates_nothing(run):
    upstream, mirror = upstream_stack(run)
    for body in ("{", "[]", '{"callback_url":7}', '{"a":1,"a":2}', ""):
        answer = mirror.ask("POST", "/vidu/ent/v2/text2video", body)
        assert is_own_error(answer, 400, "ViduhookBadRequest"), (body, answer)
    chunked = json.dumps({**BODY, "images": ["x" * (20 << 20)]}).encode()
    answer = mirror.ask("POST", "/vidu/ent/v2/text2video", iter([chunked]))
    assert is_own_error(answer, 413, "ViduhookBodyTooLarge")
    assert upstream.seen == [] and mirror.daemon.cli("list")[1]["tasks"] == []
    upstream.server.shutdown()
    upstream.server.server_close()
    answer = mirror.ask("POST", "/vidu/ent/v2/text2video", BODY)
    assert is_own_error(answer, 503, "ViduhookUnreachable") and answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("own", ["https://own.example/x", "", None])
def test_a_callback_url_of_the_clients_own_gives_way_to_ours(run, own):
    recorder, _, mirror = sim_stack(run)
    answer = mirror.ask("POST", "/vidu/ent/v2/text2video", {**BODY, "callback_url": own})
    assert answer.status == 200
    assert recorder.all("POST")[0].json["callback_url"].startswith(mirror.daemon.url("/callback/"))


def test_a_reseller_without_callbacks_is_looked_at(run):
    recorder, sim, mirror = sim_stack(run, *FAST, "--gateway", "octopusx", providers=["octopusx"])
    answer = mirror.ask("POST", "/octopusx/vidu/ent/v2/text2video", BODY, scheme="Bearer ")
    assert recorder.all("POST")[0].json == BODY and answer.json["status"] == "processing"
    mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "success", seconds=30)
    assert len(sim.ledger("create")) == 1


def test_large_bodies_beyond_the_budget_get_503_and_the_rest_goes_on(run):
    upstream, mirror = upstream_stack(run, body_budget="64MiB")
    body = json.dumps({**BODY, "images": ["data:image/png;base64," + "A" * (18 << 20)]})
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        with upstream.hold():
            held = [pool.submit(mirror.ask, "POST", "/vidu/ent/v2/img2video", body)
                    for _ in range(3)]
            wait_for(lambda: len(mirror.daemon.cli("list")[1]["tasks"]) == 3, "creates in flight")
            with contextlib.suppress(OSError):
                answer = mirror.ask("POST", "/vidu/ent/v2/img2video", body)
                assert is_own_error(answer, 503, "ViduhookBusy")
                assert "Retry-After" in answer.headers
            assert len(mirror.daemon.cli("list")[1]["tasks"]) == 3
            assert mirror.ask("GET", "/vidu/x").status == 200
        assert [a.result().status for a in held] == [200] * 3 and len(upstream.seen) == 4


# -- polls ----------------------------------------------------------------------------------------


GOLDEN = ROOT / "tests/fixtures/gateway"


def golden(name):
    return (GOLDEN / name).read_bytes().rstrip(b"\n")


def test_polls_of_known_tasks_cost_the_provider_nothing_and_have_its_shape(run):
    upstream, mirror = polled_stack(run)
    task = create(upstream, mirror, payload='order "42" \u00e9')
    seen = {"created.json": poll(mirror, task)}
    assert task.say("processing") == 200
    seen["processing.json"] = poll(mirror, task)
    assert task.say("success", url="https://media.example/a.mp4?Expires=4102444800&s=1") == 200
    seen["success.json"] = poll(mirror, task)
    failing = create(upstream, mirror, bgm=True, off_peak=True)
    cancelled = create(upstream, mirror, prompt='"bgm":true', metadata={"bgm": True})
    assert failing.say("failed", err_code="CreationPolicyViolation") == 200
    seen["failed.json"] = poll(mirror, failing)
    assert cancelled.say("failed", err_code="UserCancelled") == 200
    seen["cancelled.json"] = poll(mirror, cancelled)
    for name, answer in seen.items():
        assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
        assert answer.body == golden(name), name
    assert upstream.looks == []


def test_success_is_only_said_together_with_a_url(run):
    upstream, mirror = polled_stack(run)
    task = create(upstream, mirror)
    upstream.will_say(task, "success")
    assert task.post(callback_body(task.remote_id, "success")) == 200
    wait_for(lambda: upstream.looks_at(task), "a look")
    answer = poll(mirror, task).json
    assert answer["state"] in ("created", "processing") and answer["creations"] == []


def test_a_reseller_is_answered_for_in_its_own_shape(run):
    recorder, sim, mirror = sim_stack(run, *FAST, "--gateway", "octopusx", providers=["octopusx"])
    answer = mirror.ask("POST", "/octopusx/vidu/ent/v2/text2video", BODY)
    mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "success", seconds=30)
    path = f"/vidu/ent/v2/task/{answer.json['task_id']}/creations"
    looks = len(recorder.all("GET"))
    told = mirror.ask("GET", "/octopusx" + path, scheme="Bearer ")
    assert len(recorder.all("GET")) == looks
    theirs = sim.request("GET", path, scheme="Bearer").json
    assert told.status == 200 and list(told.json) == list(theirs)
    assert told.json["status"] == theirs["status"] == "completed"
    assert told.json["id"] == theirs["id"] and told.json["video_url"].startswith(sim.url)


def test_an_unknown_task_is_asked_for_at_the_provider(run):
    upstream, mirror = upstream_stack(run)
    upstream.status, upstream.body = 404, b'{"code":404,"reason":"TaskNotFound"}'
    answer = mirror.ask("GET", "/vidu/ent/v2/tasks/912345678901234567/creations",
                        headers={"X-Viduhook-Wait": "60"})
    assert (answer.status, answer.body) == (404, upstream.body)
    (_, path, headers, _), = upstream.seen
    assert path == "/ent/v2/tasks/912345678901234567/creations"
    assert "x-viduhook-wait" not in {name.lower() for name in headers}


def test_links_about_to_end_are_refreshed_before_they_are_handed_out(run):
    upstream, mirror = polled_stack(run)
    task = create(upstream, mirror)
    old, new = LINK.format(amz_date(-86400 + 300)), LINK.format(amz_date())
    assert task.say("success", url=old) == 200
    upstream.will_say(task, "success", new)
    for _ in range(3):
        assert poll(mirror, task).json["creations"][0]["url"] == new
    assert upstream.looks_at(task) == 1
    seen = mirror.daemon.task(task.id)
    assert seen["updated_at"] > seen["finished_at"]  # how old links are that do not say it


def test_polls_are_answered_while_the_provider_is_down(run):
    upstream, mirror = polled_stack(run)
    task, running = create(upstream, mirror), create(upstream, mirror)
    old = LINK.format(amz_date(-2 * 86400))
    assert task.say("success", url=old) == 200
    upstream.server.RequestHandlerClass.do_GET = lambda self: setattr(self, "close_connection", True)
    for _ in range(2):
        answer = poll(mirror, task)
        assert answer.status == 200 and answer.json["creations"][0]["url"] == old
    assert poll(mirror, running).json["state"] == "created"
    # Once, not by each poll.
    assert len(mirror.daemon.log("http.links_not_fresh")) == 1


def test_the_list_call_answers_for_local_tasks(run):
    upstream, mirror = polled_stack(run)
    tasks = [create(upstream, mirror, prompt="boat 0"),
             create(upstream, mirror, prompt="boat 1", duration=8, resolution="720p", aspect_ratio="9:16",
                    template="hug", payload="p")]
    ids = [task.remote_id for task in tasks]
    for query in (f"task_ids={ids[0]},{ids[1]}", f"task_ids={ids[0]}%2C{ids[1]}",
                  f"task_ids={ids[0]}&task_ids={ids[1]}"):
        answer = mirror.ask("GET", f"/vidu/ent/v2/tasks?{query}")
        assert answer.status == 200
        text = re.sub(rb'"created_at":"[-0-9T:.]*Z"', b'"created_at":""', answer.body)
        assert text == golden("list.json")
    assert upstream.looks == []
    for query in (f"task_ids={ids[0]},999", f"task_ids={ids[0]}&states=success", "task_ids=a/b", ""):
        mirror.ask("GET", f"/vidu/ent/v2/tasks?{query}")
    assert len(upstream.looks) == 4  # they went on


def test_a_list_is_answered_however_large_the_payloads_are(run):
    upstream, mirror = polled_stack(run)
    ids = [create(upstream, mirror, payload="\x01" * (1 << 20)).remote_id for _ in range(4)]  # 6 MiB each
    told = mirror.ask("GET", "/vidu/ent/v2/tasks?task_ids=" + ",".join(ids))
    assert [task["id"] for task in told.json["tasks"]] == ids and upstream.looks == []


# -- waiting --------------------------------------------------------------------------------------


def waiting_poll(mirror, task, seconds, answers):
    thread = threading.Thread(target=lambda: answers.append(
        (poll(mirror, task, X_Viduhook_Wait=str(seconds)), time.monotonic())))
    thread.start()
    return thread


def test_a_waiting_poll_is_answered_when_its_task_changes(run):
    upstream, mirror = polled_stack(run, log_level="debug")
    task, other = create(upstream, mirror), create(upstream, mirror)
    answers = []
    thread = waiting_poll(mirror, task, 100, answers)
    mirror.daemon.wait_log("http.waits")
    assert other.say("processing") == 200
    assert poll(mirror, task).json["state"] == "created" and answers == []
    assert task.say("processing") == 200
    thread.join(DEADLINE)
    assert answers[0][0].json["state"] == "processing"
    thread = waiting_poll(mirror, task, 1000, answers)
    line = mirror.daemon.wait_log("http.waits", 2)[-1]
    assert "seconds=120" in line
    assert task.say("success", url=LINK.format(amz_date())) == 200
    thread.join(DEADLINE)
    assert answers[1][0].json["state"] == "success" and answers[1][0].json["creations"]
    assert poll(mirror, task, X_Viduhook_Wait="100").json["state"] == "success"


def test_a_waiting_poll_is_answered_when_its_time_is_over(run):
    upstream, mirror = polled_stack(run)
    task = create(upstream, mirror)
    begin = time.monotonic()
    assert poll(mirror, task, X_Viduhook_Wait="1").json["state"] == "created"
    assert time.monotonic() - begin > 0.9  # the daemon counts from the begin of its turn
    assert poll(mirror, task, X_Viduhook_Wait="0").json["state"] == "created"


def test_waiting_polls_are_answered_when_the_daemon_stops_or_reloads(run):
    upstream, mirror = polled_stack(run, log_level="debug")
    task = create(upstream, mirror)
    answers = []
    thread = waiting_poll(mirror, task, 100, answers)
    mirror.daemon.wait_log("http.waits")
    assert mirror.daemon.cli("reload")[0] == 0
    thread.join(DEADLINE)
    assert [a.status for a, _ in answers] == [200]
    thread = waiting_poll(mirror, task, 100, answers)
    mirror.daemon.wait_log("http.waits", 2)
    mirror.daemon.stop()
    thread.join(DEADLINE)
    assert [a.json["state"] for a, _ in answers] == ["created", "created"]


# -- memory, TLS, reload --------------------------------------------------------------------------


@without_sanitizer
def test_large_bodies_are_held_once_and_given_back(run):
    upstream, mirror = upstream_stack(run)
    body = json.dumps({**BODY, "images": ["data:image/png;base64," + "A" * (18 << 20)]}).encode()
    idle = memory(mirror)[0]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        with upstream.hold():
            asked = [pool.submit(mirror.ask, "POST", "/vidu/ent/v2/img2video", body)
                     for _ in range(8)]
            wait_for(lambda: len(mirror.daemon.cli("list")[1]["tasks"]) == 8, "creates in flight")
        assert [a.result().status for a in asked] == [200] * 8
    assert memory(mirror)[1] - idle <= 1.3 * 8 * len(body)
    wait_for(lambda: memory(mirror)[0] - idle < len(body) // 2,
             lambda: f"memory near {idle}: {memory(mirror)}")


def test_the_gateway_speaks_tls_with_the_certificate_of_the_listeners(run):
    upstream = Upstream()
    run.closers.append(upstream)
    conf = with_gateway(run, run.conf(upstream))
    conf["gateway"]["listen"] = conf["gateway"]["listen"].replace("http:", "https:")
    mirror = Mirror(run.daemon(conf=conf))
    url = mirror.url.replace("http:", "https:") + "/vidu/x"
    answer = request("GET", url, headers={"Authorization": TOKEN}, ca=mirror.daemon.ca)
    assert answer.status == 200 and len(upstream.seen) == 1
    with pytest.raises((OSError, http.client.HTTPException)):
        mirror.ask("GET", "/vidu/x")
    assert len(upstream.seen) == 1


def test_a_gateway_that_a_new_configuration_leaves_out_stays_until_the_restart(run):
    upstream, mirror = upstream_stack(run)
    conf = dict(mirror.daemon.conf)
    del conf["gateway"]
    mirror.daemon.write(conf)
    for _ in range(2):
        status, said = mirror.daemon.cli("reload")
        assert status == 0 and "gateway.listen: changed" in str(said)
        assert mirror.ask("GET", "/vidu/x").status == 200
    assert len(upstream.seen) == 2


# -- limits ---------------------------------------------------------------------------------------


def test_methods_that_are_not_handed_on_are_refused(run):
    upstream, mirror = upstream_stack(run)
    for method in ("OPTIONS", "TRACE", "get"):
        answer = mirror.ask(method, "/vidu/x")
        assert is_own_error(answer, 405, "ViduhookMethodNotAllowed"), method
        assert answer.headers["Allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert upstream.seen == []


def test_an_answer_over_its_limit_is_not_handed_back(run):
    upstream, mirror = upstream_stack(run)
    upstream.body = b"x" * ((64 << 20) + 1)
    assert is_own_error(mirror.ask("GET", "/vidu/x"), 502, "ViduhookNoAnswer")


def test_answers_count_in_the_budget_until_their_clients_have_taken_them(run):
    upstream, mirror = upstream_stack(run, body_budget="64MiB")
    upstream.body = b"x" * (40 << 20)
    port = int(mirror.url.rpartition(":")[2])
    with socket.create_connection((LOOPBACK, port)) as slow:
        slow.sendall(f"GET /vidu/x HTTP/1.1\r\nHost: h\r\nAuthorization: {TOKEN}\r\n\r\n".encode())
        assert slow.recv(12) == b"HTTP/1.1 200"
        answer = mirror.ask("GET", "/vidu/x")
        assert is_own_error(answer, 503, "ViduhookBusy") and "Retry-After" in answer.headers
    wait_for(lambda: mirror.ask("GET", "/vidu/x").status == 200, "room for an answer")


def test_an_answer_that_was_taken_does_not_count_while_its_connection_is_kept(run):
    upstream, mirror = upstream_stack(run, body_budget="64MiB")
    upstream.body = b"x" * (40 << 20)
    with contextlib.closing(http.client.HTTPConnection(mirror.url.removeprefix("http://"))) as kept:
        for _ in range(2):
            kept.request("GET", "/vidu/x", headers={"Authorization": TOKEN})
            answer = kept.getresponse()
            assert answer.status == 200 and len(answer.read()) == len(upstream.body)
        wait_for(lambda: mirror.ask("GET", "/vidu/x").status == 200, "room for another")
