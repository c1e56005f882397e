# SPDX-License-Identifier: MIT
"""The mirror before every kind of provider: creates and polls in each one's own words."""
import contextlib
import http.client
import re

import pytest

from harness import DEADLINE, ROOT, SIM_KEY
from mirror import (BODY, FAST, LINK, TOKEN, Mirror, amz_date, memory, sim_stack, upstream_stack, with_gateway,
                    without_sanitizer)
from provider import Provider, Task, own_gateway

GOLDEN = ROOT / "tests/fixtures/gateway"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
FORM_TYPE = "multipart/form-data; boundary=limit"


def form(size=0):
    return (b'--limit\r\nContent-Disposition: form-data; name="model"\r\n\r\nviduq3-turbo\r\n'
            b'--limit\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na boat\r\n'
            b'--limit\r\nContent-Disposition: form-data; name="input_reference"; filename="a.png"\r\n'
            b'Content-Type: image/png\r\n\r\n' + PNG + bytes(size) + b'\r\n--limit--\r\n')


def polled(mirror, recorder, path):
    """What a poll is answered without a word with the provider."""
    seen = len(recorder.all())
    answer = mirror.ask("GET", path, scheme="Bearer ")
    assert len(recorder.all()) == seen
    return answer


# -- trees of jobs --------------------------------------------------------------------------------


def test_a_music_video_and_its_edit_are_tasks_of_ours(run):
    recorder, sim, mirror = sim_stack(run)
    mv = mirror.ask("POST", "/vidu/ent/v2/one-click/mv",
                    {"images": ["https://img.example/a.png"], "audio_url": "https://img.example/a.mp3"})
    mirror.daemon.wait_task(mv.headers["X-Viduhook-Task"], "success")
    edit = f"one-click/mv/{mv.json['id']}/edit"
    part = mirror.ask("POST", f"/vidu/ent/v2/{edit}", {"prompt": "brighter"})
    task = mirror.daemon.wait_task(part.headers["X-Viduhook-Task"], "success")
    assert task["endpoint"] == edit and task["remote_id"] == part.json["id"] != mv.json["id"]
    assert all(e.json["callback_url"] for e in recorder.all("POST"))
    assert recorder.all("GET") == []
    tree = mirror.ask("GET", f"/vidu/ent/v2/one-click/mv/{mv.json['id']}")
    assert tree.json["state"] == "success" and tree.json["job_records"]
    assert len(recorder.all("GET")) == 1  # edits made elsewhere are in it as well
    told = polled(mirror, recorder, f"/vidu/ent/v2/tasks/{mv.json['id']}/creations")
    assert told.json["state"] == "success" and len(told.json["creations"]) == 1


def test_a_tree_is_answered_as_it_was_said_last_while_the_provider_is_down(run):
    recorder, sim, mirror = sim_stack(run, "--time", "300ms")
    mv = mirror.ask("POST", "/vidu/ent/v2/one-click/mv",
                    {"images": ["https://img.example/a.png"], "audio_url": "https://img.example/a.mp3"})
    path = f"/vidu/ent/v2/one-click/mv/{mv.json['id']}"
    recorder.server.shutdown()
    recorder.server.server_close()
    early = mirror.ask("GET", path)
    assert early.status == 200 and early.json["id"] == mv.json["id"]
    assert early.json["state"] in ("created", "processing")
    mirror.daemon.wait_task(mv.headers["X-Viduhook-Task"], "success")
    late = mirror.ask("GET", path)
    assert late.status == 200 and late.json["state"] == "success" and late.json["job_records"]
    assert mirror.ask("GET", "/vidu/ent/v2/one-click/mv/912345678901239999").status == 503


AD = {"images": ["https://img.example/a.png"], "duration": 15}


def test_an_advertisement_is_answered_for_as_far_as_it_is_known_while_the_provider_is_down(run):
    recorder, sim, mirror = sim_stack(run, "--time", "300ms")
    ad = mirror.ask("POST", "/vidu/ent/v2/ad-one-click", AD)
    path = f"/ent/v2/ad-one-click/{ad.json['task_id']}"
    passed = mirror.ask("GET", "/vidu" + path)
    assert passed.json["data_records"]["storyboards"] and recorder.all("GET")[-1].path == path
    recorder.server.shutdown()
    recorder.server.server_close()
    early = mirror.ask("GET", "/vidu" + path)
    assert early.status == 200 and early.json["state"] in ("created", "processing")
    mirror.daemon.wait_task(ad.headers["X-Viduhook-Task"], "success")
    late, theirs = mirror.ask("GET", "/vidu" + path).json, sim.request("GET", path).json
    assert list(late) == list(theirs) and list(late["data_records"]) == list(theirs["data_records"])
    assert late["id"] == theirs["id"] and late["state"] == theirs["state"] == "success"
    mine, = late["data_records"]["completed_creation_records"]
    done, = theirs["data_records"]["completed_creation_records"]
    assert mine["state"] == "success" and set(mine) == set(done)
    assert mine["creation_url"].startswith(sim.url)
    assert mirror.ask("GET", "/vidu/ent/v2/ad-one-click/912345678901239999").status == 503
    assert mirror.ask("GET", f"/vidu/ent/v2/one-click/mv/{ad.json['task_id']}").status == 503


def test_the_list_call_says_what_the_provider_would_say(run):
    recorder, sim, mirror = sim_stack(run)
    url, inline = "https://img.example/a.png", "data:image/png;base64,iVBORw0KGgo="
    common = {"model": "viduq3-turbo", "prompt": "a boat", "duration": 5, "resolution": "720p"}
    made = [mirror.ask("POST", f"/vidu/ent/v2/{endpoint}", {**common, **fields}) for endpoint, fields in (
        ("text2video", {"aspect_ratio": "9:16"}), ("start-end2video", {"images": [url, url]}),
        ("img2video", {"images": [inline]}), ("reference2video", {"subjects": [{"name": "a", "images": [url]}]}))]
    for answer in made:
        mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "success")
    query = "/ent/v2/tasks?task_ids=" + ",".join(answer.json["task_id"] for answer in made)
    mine = polled(mirror, recorder, "/vidu" + query).json["tasks"]
    theirs = {task["id"]: task for task in sim.request("GET", query).json["tasks"]}
    for task in mine:
        same = theirs[task["id"]]
        for name in set(task) - {"created_at", "creations", "err_code"}:
            assert task[name] == same[name], (name, task, same)
        assert task["created_at"][:16] == same["created_at"][:16]
        assert [c["id"] for c in task["creations"]] == [c["id"] for c in same["creations"]]
    assert [sorted(set(theirs[t["id"]]) - set(t) - {"key_id", "template"}) for t in mine] == [
        [], ["aspect_ratio"], ["aspect_ratio", "images"], ["aspect_ratio", "images"]]


def test_lists_and_trees_that_the_provider_is_asked_for_come_as_they_are(run):
    recorder, sim, mirror = sim_stack(run)
    ad = mirror.ask("POST", "/vidu/ent/v2/ad-one-click", AD)
    mirror.daemon.wait_task(ad.headers["X-Viduhook-Task"], "success")
    for path in ("/ent/v2/tasks", "/ent/v2/tasks?states=success&pager.pagesz=1", "/ent/v2/tasks?states=no,%2C",
                 "/ent/v2/tasks?paper.page=1", f"/ent/v2/ad-one-click/{ad.json['task_id']}"):
        told, theirs = mirror.ask("GET", "/vidu" + path), sim.request("GET", path)
        assert told.status == theirs.status
        assert re.sub(rb'"trace_id":"\w+"', b"", bare(told)) == re.sub(rb'"trace_id":"\w+"', b"", bare(theirs))
    assert len(recorder.all("GET")) == 5


def test_what_was_asked_elsewhere_is_not_made_up(run):
    recorder, sim, mirror = sim_stack(run)
    remote_id = sim.finished(bgm=True)["id"]
    _, told = mirror.daemon.cli("adopt", remote_id, "--provider", "vidu")
    mirror.daemon.wait_task(told["task"], "success")
    poll = polled(mirror, recorder, f"/vidu/ent/v2/tasks/{remote_id}/creations").json
    assert poll["state"] == "success" and not {"bgm", "off_peak"} & set(poll)
    task, = polled(mirror, recorder, f"/vidu/ent/v2/tasks?task_ids={remote_id}").json["tasks"]
    assert not {"images", "duration", "template", "type", "model", "prompt"} & set(task)


def test_an_answer_at_once_is_handed_on_and_no_task_is_made(run):
    recorder, sim, mirror = sim_stack(run)
    answer = mirror.ask("POST", "/vidu/ent/v2/audio-tts", {"text": "hello", "voice_setting_voice_id": "a"})
    assert answer.status == 200 and "X-Viduhook-Task" not in answer.headers
    assert "callback_url" not in recorder.all("POST")[0].json
    assert mirror.daemon.cli("list")[1]["tasks"] == []


# -- accounts -------------------------------------------------------------------------------------


def test_two_accounts_with_one_provider_are_kept_apart(run):
    sim = run.sim("--ca", run.ca(), *FAST, "--key", SIM_KEY, "--key", "other-key")
    recorder = run.recorder(sim)
    conf = run.conf(sim, providers=["first", "second"])
    for name, key in (("first", SIM_KEY), ("second", "other-key")):
        run.file(f"{name}.key", key)
        conf["providers"][name].update(profile="vidu", base_url=recorder.url,
                                       key={"file": str(run.home / f"{name}.key")})
    mirror = Mirror(run.daemon(conf=with_gateway(run, conf)))
    ids = {}
    for name in ("first", "second"):
        answer = mirror.ask("POST", f"/{name}/ent/v2/text2video", BODY)
        assert mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "success")["provider"] == name
        ids[name] = answer.json["task_id"]
    assert [e.headers["Authorization"] for e in recorder.all("POST")] == [
        f"Token {SIM_KEY}", "Token other-key"]
    polled(mirror, recorder, f"/second/ent/v2/tasks/{ids['second']}/creations")
    mirror.ask("GET", f"/first/ent/v2/tasks/{ids['second']}/creations")
    assert len(recorder.all("GET")) == 1  # not a task of this account: the provider has to say


# -- /v1/videos -----------------------------------------------------------------------------------


def test_a_form_goes_out_as_it_came_and_its_task_is_followed(run):
    recorder, sim, mirror = sim_stack(run, *FAST, "--gateway", "openai", providers=["octopusx-openai"])
    body = form()
    answer = mirror.ask("POST", "/octopusx-openai/v1/videos", body, scheme="Bearer ",
                        headers={"Content-Type": FORM_TYPE, "X-Viduhook-Tag": "album=first"})
    sent, = recorder.all("POST")
    assert answer.status == 200 and answer.json["status"] == "queued"
    assert sent.body == body and sent.headers["Content-Type"] == FORM_TYPE
    assert sent.headers["Authorization"] == f"Bearer {SIM_KEY}"
    task = mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "success", seconds=30)
    assert task["remote_id"] == answer.json["id"] and task["tags"] == {"album": "first"}
    assert task["model"] == "viduq3-turbo" and task["prompt"] == "a boat"
    told = polled(mirror, recorder, f"/octopusx-openai/v1/videos/{answer.json['id']}")
    theirs = sim.request("GET", f"/v1/videos/{answer.json['id']}", scheme="Bearer").json
    assert list(told.json) == list(theirs)
    for name in ("id", "object", "status", "progress"):
        assert told.json[name] == theirs[name]
    assert told.json["video_url"].startswith(sim.url)


def test_forms_follow_one_another_on_a_connection(run):
    upstream, mirror = upstream_stack(run, providers=["octopusx-openai"])
    upstream.body = b'{"id": "a-b", "object": "video", "status": "queued"}'
    with contextlib.closing(http.client.HTTPConnection(mirror.url.split("//")[1],
                                                       timeout=DEADLINE)) as connection:
        connection.connect()
        socket = connection.sock
        for _ in range(3):
            connection.request("POST", "/octopusx-openai/v1/videos", form(), {
                "Authorization": f"Bearer {TOKEN}", "Content-Type": FORM_TYPE})
            answer = connection.getresponse()
            assert answer.status == 200 and answer.read() == upstream.body
            assert connection.sock is socket
    assert [body for _, _, _, body in upstream.seen] == [form()] * 3


@without_sanitizer
def test_a_form_of_40_mib_is_held_once(run):
    upstream, mirror = upstream_stack(run, providers=["octopusx-openai"])
    upstream.body = b'{"id": "a-b", "object": "video", "status": "queued"}'
    body = form(40 << 20)
    answer = mirror.ask("POST", "/octopusx-openai/v1/videos", body, scheme="Bearer ",
                        headers={"Content-Type": FORM_TYPE})
    assert answer.status == 200 and answer.headers["X-Viduhook-Task"]
    assert upstream.seen[0][3] == body
    assert memory(mirror)[1] < 1.3 * (40 << 20) + (20 << 20)


def test_a_failure_is_told_with_its_error(run):
    recorder, sim, mirror = sim_stack(run, *FAST, "--gateway", "openai", "--switch", "policy-failure",
                                      providers=["octopusx-openai"])
    answer = mirror.ask("POST", "/octopusx-openai/v1/videos", form(), scheme="Bearer ",
                        headers={"Content-Type": FORM_TYPE})
    mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "failed", seconds=30)
    told = polled(mirror, recorder, f"/octopusx-openai/v1/videos/{answer.json['id']}")
    theirs = sim.request("GET", f"/v1/videos/{answer.json['id']}", scheme="Bearer").json
    assert told.json == theirs


# -- resellers in the official shape --------------------------------------------------------------


def test_powertokens_has_the_official_shape_below_its_own_prefix(run):
    recorder, sim, mirror = sim_stack(run, *FAST, "--gateway", "powertokens", providers=["powertokens"])
    answer = mirror.ask("POST", "/powertokens/vidu/ent/v2/img2video",
                        {**BODY, "images": ["https://img.example/a.png"]}, scheme="Bearer ")
    assert recorder.all("POST")[0].json["callback_url"].startswith(mirror.daemon.url("/callback/"))
    mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "success", seconds=30)
    path = f"/vidu/ent/v2/tasks/{answer.json['task_id']}/creations"
    told = polled(mirror, recorder, "/powertokens" + path)
    theirs = sim.request("GET", path, scheme="Bearer").json
    assert told.json["state"] == theirs["state"] == "success"
    assert [sorted(c) for c in told.json["creations"]] == [sorted(c) for c in theirs["creations"]]


# -- byte for byte --------------------------------------------------------------------------------


def bare(answer):
    """The bytes of an answer without what is new each time."""
    text = re.sub(rb'"id":"[^"]*"', b'"id":"ID"', answer.body)
    text = re.sub(rb'"http://[^"]*"', b'"URL"', text)
    return re.sub(rb'"(status_update_time|completed_at)":\d+', rb'"\1":0', text)


@pytest.mark.parametrize("state", ["success", "failed"])
@pytest.mark.parametrize("provider, gateway, create, query", [
    ("octopusx", "octopusx", "/vidu/ent/v2/text2video", "/vidu/ent/v2/task/{}/creations"),
    ("octopusx-openai", "openai", "/v1/videos", "/v1/videos/{}"),
    ("powertokens", "powertokens", "/vidu/ent/v2/text2video", "/vidu/ent/v2/tasks/{}/creations"),
])
def test_polls_of_resellers_are_answered_byte_for_byte(run, provider, gateway, create, query, state):
    switches = ("--switch", "policy-failure") if state == "failed" else ()
    recorder, sim, mirror = sim_stack(run, *FAST, "--gateway", gateway, *switches, providers=[provider])
    body, kind = (form(), FORM_TYPE) if create == "/v1/videos" else (BODY, "application/json")
    answer = mirror.ask("POST", f"/{provider}{create}", body, scheme="Bearer ",
                        headers={"Content-Type": kind})
    mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], state, seconds=30)
    path = query.format(answer.json.get("task_id") or answer.json["id"])
    told = bare(polled(mirror, recorder, f"/{provider}{path}"))
    golden = (GOLDEN / f"{provider}-{state}.json").read_bytes().rstrip(b"\n")
    assert told.decode() == golden.decode()
    assert bare(sim.request("GET", path, scheme="Bearer")).decode() == golden.decode()


# -- a gateway in words of its own ----------------------------------------------------------------


def test_a_gateway_of_ones_own_is_told_word_for_word(run):
    gateway, conf = own_gateway(run, auth="Key", prefix="/api", query="/api/ask?job={id}")
    mirror = Mirror(run.daemon(conf=with_gateway(run, conf)))
    answer = mirror.ask("POST", "/mine/api/video/generations", BODY, scheme="Bearer ")
    assert answer.json["out"] == {"job": 77, "phase": "waiting"}
    mirror.daemon.wait_task(answer.headers["X-Viduhook-Task"], "success", seconds=30)
    looks = len(gateway.seen)
    told = mirror.ask("GET", "/mine/api/ask?job=77")
    assert told.json["id"] == "not-this" and told.json["out"]["phase"] == "DONE"
    assert len(gateway.seen) == looks


def silent_gateway(run, **options):
    """(provider, mirror, task, path of the poll): the provider does not answer looks yet."""
    upstream = Provider()
    run.closers.append(upstream)
    conf = run.conf(upstream, providers=["mine"])
    conf["providers"]["mine"].update(profile="generic", base_url=upstream.url, query="/v1/{id}/state", **options)
    mirror = Mirror(run.daemon(conf=with_gateway(run, conf)))
    upstream.down.set()
    answer = mirror.ask("POST", "/mine/v1/video/generations", BODY)
    task = Task(mirror.daemon, answer.headers["X-Viduhook-Task"], answer.json["task_id"], "")
    return upstream, mirror, task, f"/mine/v1/{task.remote_id}/state"


def test_a_gateway_of_ones_own_that_is_down_before_the_first_look(run):
    upstream, mirror, task, path = silent_gateway(run, names={"id": "task_id", "state": "out.phase"})
    told = mirror.ask("GET", path)
    assert told.status == 200
    assert told.json == {"task_id": task.remote_id, "out": {"phase": "queued"}}


def test_without_names_nothing_is_made_up_for_a_gateway_of_ones_own(run):
    upstream, mirror, task, path = silent_gateway(run)
    assert mirror.ask("GET", path).json["reason"].startswith("Viduhook")


def test_links_of_a_gateway_of_ones_own_are_better_old_than_none(run):
    upstream, mirror, task, path = silent_gateway(run)
    upstream.will_say(task, "success", LINK.format(amz_date(-2 * 86400)))
    upstream.down.clear()
    mirror.daemon.wait_task(task.id, "success", seconds=30)
    seen = upstream.looks_at(task)
    assert mirror.ask("GET", path).status == 200 and upstream.looks_at(task) == seen + 1
    upstream.down.set()
    told = mirror.ask("GET", path)
    assert told.status == 200 and told.json == upstream.answers[task.remote_id]
