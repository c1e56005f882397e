# SPDX-License-Identifier: MIT
"""The simulated provider keeps to the fact sheet: command line, shapes, errors, media."""
import base64
import http.client
import json
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from harness import LOOPBACK, ROOT, SIM_KEY, get, program, signature_is_good, viduhook, wait_for

FAST = ("--time", "60ms", "--retry-gap", "20ms")
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG not really").decode()
SWITCHES = ["duplicate", "burst", "reorder", "early", "lost-callback", "lost-answer", "late",
            "bad-signature", "unsigned", "stale-date", "replay", "wrong-id", "no-id", "no-url",
            "conflict", "policy-failure", "error-500", "rate-limit", "expired-url",
            "truncated-video", "slow", "several"]


def body(**changes):
    return {"model": "viduq3-turbo", "prompt": "a paper boat", **changes}


def post(sim, fields, endpoint="text2video", **more):
    return sim.request("POST", f"/ent/v2/{endpoint}", fields, **more)


def video_url(sim):
    return sim.finished()["creations"][0]["url"]


# -- command line ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(run, number):
    sim = run.sim()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", sim.url)
    assert sim.stop(number) == 0


def test_help_names_every_switch():
    done = viduhook("sim", "--help")
    assert done.returncode == 0
    for name in SWITCHES:
        assert re.search(rf"^  {name} ", done.stdout, re.M), name


@pytest.mark.parametrize("args", [
    ["--listen", "0.0.0.0:0"], ["--listen", "192.0.2.1:80"], ["--listen", "127.0.0.1"],
    ["--switch", "no-such"], ["--switch", "late=0"], ["--switch", "late,"], ["--time", "soon"],
    ["--key", ""], ["--gateway", "other"], ["--nonsense"], ["word"], ["--time"],
    ["--media-size", "3"], ["--print-port=1"],
])
def test_wrong_usage_is_refused(args):
    done = viduhook("sim", *args)
    assert done.returncode == 2
    assert "viduhook sim: " in done.stderr


def test_a_file_that_is_not_there_is_a_failure(run):
    done = viduhook("sim", "--media", run.home / "nothing.mp4")
    assert done.returncode == 1
    assert "nothing.mp4" in done.stderr


def test_print_port_prints_the_port_alone(run):
    with subprocess.Popen([program("viduhook"), "sim", "--print-port", "--listen", "[::1]:0"],
                          stdout=subprocess.PIPE, text=True) as process:
        assert re.fullmatch(r"\d+\n", process.stdout.readline())
        process.terminate()
    assert process.returncode == 0


# -- create ---------------------------------------------------------------------------------------


def test_a_create_echoes_the_request(run):
    sim = run.sim()
    answer = post(sim, body(payload="order-42", seed=7, wm_position=1,
                            callback_url="http://127.0.0.1:9/cb"))
    made = answer.json
    assert answer.status == 200
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-md-trace-id"])
    assert re.fullmatch(r"\d{18}", made["task_id"]) and int(made["task_id"]) > 2**53
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", made["created_at"])
    assert made["state"] == "created" and made["credits"] == 40
    assert made["payload"] == "order-42" and made["seed"] == 7
    assert made["duration"] == 5 and made["aspect_ratio"] == "16:9" and made["audio"] is True
    assert made["wm_position"] == "top_left"
    assert "callback_url" not in made


def test_bodies_are_escaped_as_go_does(run):
    sim = run.sim()
    answer = post(sim, body(prompt="<a> & b\u2028", payload="\0\"\\/é"))
    assert b"\\u003ca\\u003e \\u0026 b\\u2028" in answer.body
    assert answer.json["prompt"] == "<a> & b\u2028"
    assert answer.json["payload"] == "\0\"\\/é"


def test_every_create_has_its_own_id(run):
    sim = run.sim()
    ids = {sim.create()["task_id"] for _ in range(5)}
    assert len(ids) == 5 == len(sim.ledger("create"))


@pytest.mark.parametrize("headers", [
    {"key": None}, {"key": "other"}, {"scheme": "Bearer"}, {"scheme": "token"}, {"key": ""},
])
def test_a_wrong_key_is_unauthorised(run, headers):
    sim = run.sim()
    answer = post(sim, body(), **headers)
    assert answer.status == 401
    assert answer.json["code"] == 401 and answer.json["reason"] == "Unauthorized"
    assert answer.json["metadata"]["trace_id"] == answer.headers["x-md-trace-id"]
    assert sim.ledger("create") == []


@pytest.mark.parametrize("endpoint, fields, reason, field", [
    ("text2video", {"model": None}, "FieldLacking", "model"),
    ("text2video", {"model": ""}, "FieldInvalid", "model"),
    ("text2video", {"prompt": None}, "FieldLacking", "prompt"),
    ("text2video", {"prompt": 5}, "FieldInvalid", "prompt"),
    ("text2video", {"prompt": "x" * 5001}, "FieldInvalid", "prompt"),
    ("text2video", {"images": [PNG]}, "FieldUnwanted", "images"),
    ("text2video", {"duration": "5"}, "FieldInvalid", "duration"),
    ("text2video", {"duration": 17}, "FieldInvalid", "duration"),
    ("text2video", {"bgm": "yes"}, "FieldInvalid", "bgm"),
    ("text2video", {"resolution": "99p"}, "FieldInvalid", "resolution"),
    ("text2video", {"callback_url": "ftp://x/"}, "FieldInvalid", "callback_url"),
    ("text2video", {"callback_url": "https://"}, "FieldInvalid", "callback_url"),
    ("text2video", {"payload": "é" * 1048577}, "FieldInvalid", "payload"),
    ("img2video", {}, "FieldLacking", "images"),
    ("img2video", {"images": []}, "FieldItemCountOutOfRange", "images"),
    ("img2video", {"images": [PNG, PNG]}, "FieldItemCountOutOfRange", "images"),
    ("img2video", {"images": ["iVBORw0KGgo="]}, "FieldInvalid", "images"),
    ("img2video", {"images": ["data:image/gif;base64,AAAA"]}, "FieldInvalid", "images"),
    ("img2video", {"images": ["data:image/png,AAAA"]}, "FieldInvalid", "images"),
    ("img2video", {"images": ["data:image/png;base64,A"]}, "FieldInvalid", "images"),
    ("img2video", {"images": ["/etc/passwd"]}, "FieldInvalid", "images"),
    ("img2video", {"images": [PNG], "aspect_ratio": "1:1"}, "FieldUnwanted", "aspect_ratio"),
    ("start-end2video", {"images": [PNG]}, "FieldItemCountOutOfRange", "images"),
    ("reference2video", {"images": [PNG] * 8}, "FieldItemCountOutOfRange", "images"),
    ("reference2video", {"images": [PNG] * 5, "videos": ["https://v.example/a.mp4"]},
     "FieldItemCountOutOfRange", "images"),
    ("reference2video", {}, "FieldItemCountOutOfRange", "images"),
    ("reference2video", {"images": [PNG], "videos": [PNG]}, "FieldInvalid", "videos"),
    ("reference2video", {"subjects": [{"images": [PNG]}]}, "FieldInvalid", "subjects"),
    ("reference2video", {"subjects": [{"name": "a"}], "images": [PNG]}, "FieldUnwanted", "images"),
    ("img2video-prompt-recommendation", {"payload": "x"}, "FieldUnwanted", "payload"),
    ("subjects", {"payload": "x"}, "FieldUnwanted", "payload"),
    ("audio-tts", {"callback_url": "https://x/"}, "FieldUnwanted", "callback_url"),
])
def test_bad_fields_are_refused(run, endpoint, fields, reason, field):
    sim = run.sim()
    answer = post(sim, {k: v for k, v in body(**fields).items() if v is not None}, endpoint)
    assert answer.status == 400
    assert (answer.json["reason"], answer.json["metadata"]["fields"]) == (reason, field)
    assert sim.ledger("create") == []


@pytest.mark.parametrize("endpoint, fields", [
    ("img2video", {"images": [PNG]}),
    ("start-end2video", {"images": [PNG, "http://img.example/b.webp"]}),
    ("reference2video", {"images": [PNG] * 7}),
    ("reference2video", {"images": [PNG], "videos": ["https://v.example/a.mp4"]}),
    ("reference2video", {"subjects": [{"name": "a", "images": [PNG]}, {"id": "b"}]}),
    ("text2video", {"payload": "é" * 1048576}),
    ("text2video", {"something_new": {"deep": [1, 2.5, None]}}),
])
def test_good_fields_are_taken(run, endpoint, fields):
    sim = run.sim()
    answer = post(sim, body(**fields), endpoint)
    assert answer.status == 200
    assert answer.json.get("images") == fields.get("images")


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"model":"a"} x', b"\xff"])
def test_what_is_no_json_object_is_a_bad_request(run, text):
    sim = run.sim()
    answer = post(sim, text)
    assert (answer.status, answer.json["reason"]) == (400, "BadRequest")
    answer = post(sim, json.dumps(body()), headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.json["reason"]) == (400, "BadRequest")


def test_unknown_paths_and_methods(run):
    sim = run.sim()
    assert sim.request("GET", "/").status == 404
    assert post(sim, body(), "no-such").json["reason"] == "NotFound"
    assert sim.request("POST", "/ent/v2/tasks/1/creations", {}).status == 405
    assert sim.request("GET", "/ent/v2/tasks/1/creations").json["reason"] == "TaskNotFound"
    assert sim.request("GET", "/ent/v2/nonsense").status == 404
    assert sim.request("GET", "/ent/v2/one-click/nonsense").status == 404
    for endpoint in ("text2video", "multiframe", "one-click/mv/1/edit"):
        assert sim.request("GET", f"/ent/v2/{endpoint}").status == 405, endpoint


# -- the life of a task ---------------------------------------------------------------------------


def test_a_task_succeeds_in_time(run):
    sim = run.sim(*FAST)
    made = sim.create(payload="order-42")
    done = sim.wait_state(made["task_id"], "success")
    assert done["id"] == made["task_id"] and done["payload"] == "order-42"
    assert done["err_code"] == "" and done["credits"] == 40
    assert len(done["creations"]) == 1 and done["creations"][0]["watermarked_url"] == ""
    assert [e["state"] for e in sim.ledger("state")] == ["processing", "success"]


def test_an_unfinished_task_has_no_creations(run):
    sim = run.sim("--time", "1h")
    seen = sim.query(sim.create()["task_id"])
    assert seen["state"] == "created" and seen["creations"] == []


def test_off_peak_tasks_queue(run):
    sim = run.sim(*FAST)
    sim.finished(off_peak=True)
    assert [e["state"] for e in sim.ledger("state")] == ["queueing", "processing", "success"]


def test_a_task_belongs_to_its_key(run):
    sim = run.sim("--key", "one", "--key", "two")
    made = sim.create(key="one")
    assert sim.query(made["task_id"], "one")["state"] == "created"
    answer = sim.request("GET", f"/ent/v2/tasks/{made['task_id']}/creations", key="two")
    assert (answer.status, answer.json["reason"]) == (404, "TaskNotFound")
    for wrong in (str(int(made["task_id"]) + 16), made["task_id"] + "0", "0" + made["task_id"]):
        path = f"/ent/v2/tasks/{wrong}/creations"
        assert sim.request("GET", path, key="one").status == 404


def test_waiting_tasks_can_be_cancelled(run):
    sim = run.sim("--time", "1h")
    task_id = sim.create()["task_id"]
    assert sim.request("POST", f"/ent/v2/tasks/{task_id}/cancel", {"id": task_id}).json == {}
    seen = sim.query(task_id)
    assert (seen["state"], seen["err_code"], seen["credits"]) == ("failed", "UserCancelled", 0)
    answer = sim.request("POST", f"/ent/v2/tasks/{task_id}/cancel", {"id": task_id})
    assert (answer.status, answer.json["reason"]) == (400, "BadRequest")


def test_credits_run_out_and_come_back(run):
    sim = run.sim("--credits", "50", "--time", "1h")
    task_id = sim.create()["task_id"]
    answer = post(sim, body())
    assert (answer.status, answer.json["reason"]) == (400, "CreditInsufficient")
    sim.request("POST", f"/ent/v2/tasks/{task_id}/cancel", {})
    assert sim.request("GET", "/ent/v2/credits").json["remains"][0]["credit_remain"] == 50
    sim.create()


# -- several tasks, and the parts of one ----------------------------------------------------------


def listed(sim, query="", **more):
    answer = sim.request("GET", f"/ent/v2/tasks{query}", **more)
    assert answer.status == 200, answer
    return answer.json


def test_the_list_call_repeats_the_request(run):
    sim = run.sim(*FAST)
    images = ["https://img.example/1.png", PNG]
    task = sim.finished(endpoint="start-end2video", images=images, resolution="1080p", payload="p")
    found, = listed(sim)["tasks"]
    assert list(found) == ["id", "key_id", "type", "template", "model", "prompt", "images", "duration",
                           "resolution", "aspect_ratio", "state", "creations", "created_at", "credits"]
    assert found["id"] == task["id"] and found["type"] == "headtailimg2video"
    assert found["images"] == images and found["resolution"] == "1080p" and found["duration"] == 5
    made, = found["creations"]
    assert made["url"].startswith(sim.url) and made["video"]["resolution"] == {"width": 320, "height": 180}


def test_the_list_call_is_filtered_and_paged(run):
    sim = run.sim("--time", "1h", "--key", SIM_KEY, "--key", "other")
    ids = [sim.create(prompt=str(i), model=f"viduq{1 + i % 2}", resolution="720p")["task_id"]
           for i in range(12)]
    ids.reverse()
    sim.create(key="other")
    sim.request("POST", f"/ent/v2/tasks/{ids[0]}/cancel", {})
    for query, wanted in ((f"?task_ids={ids[3]},{ids[5]}", [ids[3], ids[5]]),
                          (f"?task_ids={ids[3]}%2c{ids[5]}", [ids[3], ids[5]]),
                          (f"?task_ids={ids[3]}&task_ids={ids[5]}", [ids[3], ids[5]]),
                          ("?states=failed", ids[:1]), ("?model_versions=viduq1&pager.pagesz=3", ids[1:7:2]),
                          ("?resolutions=1080p", []), ("?templates=x", []), ("?pager.page=1", ids[10:])):
        assert [t["id"] for t in listed(sim, query)["tasks"]] == wanted, query
    first = listed(sim)
    assert [t["id"] for t in first["tasks"]] == ids[:10] and first["next_page_token"] == "1"
    rest = listed(sim, "?pager.page_token=1")
    assert [t["id"] for t in rest["tasks"]] == ids[10:] and rest["next_page_token"] == ""
    for query in ("?pager.pagesz=101", "?pager.pagesz=0", "?paper.page=1", "?created_at.from=1", "?states=%"):
        assert sim.request("GET", f"/ent/v2/tasks{query}").json["reason"] == "FieldInvalid", query


def test_an_advertisement_shows_its_parts(run):
    sim = run.sim(*FAST)
    ad = sim.finished(endpoint="ad-one-click", images=["https://img.example/a.png"])["id"]
    of = {"ad_one_click_task_id": ad}
    part = post(sim, {**of, "type": "generate_video", "prompt": "x"}, "ad-one-click/edit").json
    music = post(sim, {**of, "type": "generate_bgm", "prompt": "x"}, "ad-one-click/edit").json
    whole = post(sim, of, "ad-one-click/compose").json
    assert part["ad_one_click_task_id"] == whole["ad_one_click_task_id"] == ad
    for answer, name in ((part, "sub_task_id"), (music, "sub_task_id"), (whole, "compose_sub_task_id")):
        sim.wait_state(answer[name], "success")
    tree = sim.request("GET", f"/ent/v2/ad-one-click/{ad}").json
    assert list(tree) == ["id", "err_code", "state", "data_records"] and tree["state"] == "success"
    records = tree["data_records"]
    board, = records["storyboards"]
    assert board["stroyboard_id"] == 0 and [r["id"] for r in board["records"]] == [part["sub_task_id"]]
    assert [r["id"] for r in records["bgm_records"]] == [music["sub_task_id"]]
    assert records["narration_records"] == []
    done = records["completed_creation_records"]
    assert [r["id"] for r in done] == [ad, whole["compose_sub_task_id"]]
    assert all(r["creation_url"].startswith(sim.url) for r in done + board["records"])
    assert sim.request("GET", f"/ent/v2/ad-one-click/{part['sub_task_id']}").status == 404


# -- gateways -------------------------------------------------------------------------------------


def test_powertokens_has_the_official_shape_behind_bearer(run):
    sim = run.sim(*FAST)
    path = "/vidu/ent/v2/text2video"
    assert sim.request("POST", path, body()).status == 401
    made = sim.request("POST", path, body(), scheme="Bearer").json
    assert made["state"] == "created" and re.fullmatch(r"\d{18}", made["task_id"])
    query = f"/vidu/ent/v2/tasks/{made['task_id']}/creations"
    done = wait_for(lambda: (a := sim.request("GET", query, scheme="Bearer").json)["state"]
                    == "success" and a, "success")
    assert done["creations"][0]["url"].startswith(sim.url)
    assert sim.request("GET", f"/ent/v2/tasks/{made['task_id']}/creations").status == 404


def test_powertokens_callbacks_are_signed_with_a_key_of_its_own(run):
    sim = run.sim(*FAST, "--upstream-key", "theirs")
    receiver = run.receiver()
    url = receiver.url("/cb")
    sim.request("POST", "/vidu/ent/v2/text2video", body(callback_url=url), scheme="Bearer")
    for callback in receiver.wait(2):
        assert signature_is_good("theirs", url, callback.headers)
        assert not signature_is_good(SIM_KEY, url, callback.headers)


@pytest.mark.parametrize("played, method, path, named", [
    ("powertokens", "GET", "/vidu/ent/v2/task/1/creations", "octopusx"),
    ("octopusx", "GET", "/vidu/ent/v2/tasks/1/creations", "powertokens"),
    ("powertokens", "POST", "/v1/videos", "openai"),
    ("powertokens", "GET", "/v1/videos/1", "openai"),
])
def test_a_path_of_another_reseller_is_refused_with_its_name(run, played, method, path, named):
    sim = run.sim("--gateway", played)
    refused = sim.request(method, path, body() if method == "POST" else None, scheme="Bearer")
    assert refused.status == 404
    assert refused.json["message"] == f"this path is for viduhook sim --gateway {named}"


def test_octopusx_has_a_shape_of_its_own_and_no_callbacks(run):
    sim = run.sim(*FAST, "--gateway", "octopusx")
    receiver = run.receiver()
    made = sim.request("POST", "/vidu/ent/v2/text2video", body(callback_url=receiver.url()),
                       scheme="Bearer").json
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["task_id"])
    assert made["status"] == "processing" and isinstance(made["created_at"], int)
    query = f"/vidu/ent/v2/task/{made['task_id']}/creations"
    done = wait_for(lambda: (a := sim.request("GET", query, scheme="Bearer").json)["status"]
                    == "completed" and a, "completed")
    assert done["id"] == made["task_id"] and done["video_url"].startswith(sim.url)
    assert isinstance(done["status_update_time"], int) and "state" not in done
    plural = f"/vidu/ent/v2/tasks/{made['task_id']}/creations"
    assert sim.request("GET", plural, scheme="Bearer").status == 404
    assert receiver.all() == [] and sim.ledger("callback") == []


# -- media ----------------------------------------------------------------------------------------


def test_the_clip_is_an_mp4_and_the_cover_a_jpeg(run):
    sim = run.sim(*FAST)
    creation = sim.finished()["creations"][0]
    clip, cover = get(creation["url"]), get(creation["cover_url"])
    assert clip.status == 200 and clip.headers["Content-Type"] == "video/mp4"
    assert clip.body[4:8] == b"ftyp" and b"avc1" in clip.body and len(clip.body) < 61440
    assert int(clip.headers["Content-Length"]) == len(clip.body)
    assert clip.headers["Last-Modified"].endswith(" GMT") and "ETag" in clip.headers
    assert cover.headers["Content-Type"] == "image/jpeg" and cover.body[:2] == b"\xff\xd8"
    assert "X-Amz-Expires=86400" in creation["url"]
    assert "X-Amz-Expires=3600" in creation["cover_url"]


def test_ranges(run):
    sim = run.sim(*FAST)
    url = video_url(sim)
    whole = get(url).body
    size = len(whole)
    for text, first, last in [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19),
                              (f"bytes={size - 5}-", size - 5, size - 1),
                              ("bytes=-7", size - 7, size - 1),
                              (f"bytes=5-{size * 2}", 5, size - 1),
                              (f"bytes=-{size * 2}", 0, size - 1)]:
        answer = get(url, Range=text)
        assert answer.status == 206, text
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert answer.body == whole[first:last + 1]
    for text in (f"bytes={size}-", "bytes=-0"):
        answer = get(url, Range=text)
        assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    for text in ("bytes=5-2", "bytes=0-1,4-5", "pages=1-2", "bytes=-", "bytes=x-"):
        assert get(url, Range=text).body == whole, text


def test_if_range_compares_the_etag(run):
    sim = run.sim(*FAST)
    url = video_url(sim)
    etag = get(url).headers["ETag"]
    assert get(url, Range="bytes=1-", If_Range=etag).status == 206
    assert get(url, Range="bytes=1-", If_Range='"other"').status == 200


def test_urls_are_signed_for_get_and_expire(run):
    sim = run.sim(*FAST)
    url = video_url(sim)
    assert get(url, "HEAD").status == 403
    assert get(url.partition("?")[0]).status == 403
    assert get(url[:-1] + ("0" if url[-1] != "0" else "1")).status == 403
    assert get(re.sub(r"expires=(\d+)", lambda m: f"expires={int(m[1]) + 1}", url)).status == 403
    assert get(url.replace(".mp4", ".jpg", 1)).status == 403
    assert get(url, Authorization=f"Token {SIM_KEY}").status == 400
    assert get(f"{sim.url}/media/1.mp4?sig=0").status == 404
    assert {e["status"] for e in sim.ledger("media")} == {403, 400}


def test_a_made_up_video_of_any_size(run):
    sim = run.sim(*FAST, "--media-size", "5MiB")
    url = video_url(sim)
    whole = get(url).body
    assert len(whole) == 5 << 20 and whole[4:12] == b"ftypisom"
    assert int.from_bytes(whole[40:48], "big") == len(whole) - 32 and whole[36:40] == b"mdat"
    assert get(url, Range="bytes=4000000-4000999").body == whole[4000000:4001000]
    assert get(url).body == whole


def test_media_of_the_users_own(run):
    sim = run.sim(*FAST, "--media", run.file("a.mp4", "not a film"),
                  "--cover", run.file("a.jpg", "no picture"))
    creation = sim.finished()["creations"][0]
    assert get(creation["url"]).body == b"not a film"
    assert get(creation["cover_url"]).body == b"no picture"


@pytest.mark.parametrize("args", [[], ["--media-size", "3MiB"], ["--media", ROOT / "src/sim/clip.mp4"]])
def test_a_watermark_is_in_a_copy_of_its_own(run, args):
    sim = run.sim(*FAST, *args)
    plain, = sim.finished()["creations"]
    made, = sim.finished(watermark=True)["creations"]
    assert plain["watermarked_url"] == ""
    video, copy = get(made["url"]), get(made["watermarked_url"])
    assert (video.status, copy.status) == (200, 200) and len(copy.body) == len(video.body) + 16
    assert get(made["watermarked_url"].replace("-marked.mp4?", ".mp4?")).status == 403
    image = post(sim, body(model="viduq2", watermark=True), "reference2image").json["task_id"]
    made, = sim.wait_state(image, "success")["creations"]
    assert made["watermarked_url"] == "", "only videos have one"


def test_several_creations_have_names_and_links_of_their_own(run):
    sim = run.sim(*FAST, "--switch", "several=1")
    creations = sim.finished()["creations"]
    assert len({c["id"] for c in creations}) == len({c["url"] for c in creations}) == 3
    assert {get(c[key]).status for c in creations for key in ("url", "cover_url")} == {200}
    beyond = str(int(creations[-1]["id"]) + 1)
    assert get(creations[-1]["url"].replace(creations[-1]["id"], beyond)).status == 404
    assert len(sim.finished()["creations"]) == 1


@pytest.mark.parametrize("args", [[], ["--media-size", "3MiB"]])
def test_truncated_video_can_be_continued(run, args):
    sim = run.sim(*FAST, "--switch", "truncated-video", *args)
    url = video_url(sim)
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(url)
    part = cut.value.partial
    rest = get(url, Range=f"bytes={len(part)}-")
    whole = get(url)
    assert rest.status == 206 and whole.status == 200
    assert 0 < len(part) < len(whole.body) and part + rest.body == whole.body


def test_slow_media_dribbles(run):
    sim = run.sim(*FAST, "--switch", "slow", "--media-size", "40KiB")
    url = video_url(sim)
    began = time.monotonic()
    assert len(get(url).body) == 40960
    assert time.monotonic() - began > 0.8


def test_a_client_that_goes_away_does_not_harm(run):
    sim = run.sim(*FAST, "--media-size", "64MiB")
    url = video_url(sim)
    target = url.removeprefix(sim.url)
    for _ in range(3):
        with socket.create_connection((LOOPBACK, sim.port)) as sock:
            sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert sock.recv(100)
    assert get(url, Range="bytes=0-9").status == 206
    with socket.create_connection((LOOPBACK, sim.port)) as sock:  # and one that is there at the end
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert sock.recv(100)
        assert sim.stop() == 0


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def test_a_reader_that_does_not_read_costs_little_memory(run):
    sim = run.sim(*FAST, "--media-size", "2GiB")
    target = video_url(sim).removeprefix(sim.url)
    before = resident_kib(sim)
    with socket.create_connection((LOOPBACK, sim.port)) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert sock.recv(100)
        sim.finished()  # time for it to write far more than it should
        assert resident_kib(sim) - before < 32768
