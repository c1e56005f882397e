# SPDX-License-Identifier: MIT
"""Submitting: what reaches the provider, what does not, and what becomes of the answer."""
import base64
import concurrent.futures
import json
import os
import re
import struct

import pytest

from harness import LOOPBACK, ROOT, SIM_KEY, viduhook, wait_for

CLIP = (ROOT / "src/sim/clip.mp4").read_bytes()
JPEG = (ROOT / "src/sim/cover.jpg").read_bytes()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
WEBP = b"RIFF" + struct.pack("<I", 100) + b"WEBPVP8 " + bytes(100)
FAST = ("--time", "50ms", "--retry-gap", "20ms")
PLAIN = ("text2video", "--model", "viduq3-turbo", "--prompt", "a paper boat")


def data_uri(kind, content):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def write(run, name, content):
    path = run.home / name
    path.write_bytes(content)
    return path


def daemon_for(run, sim, base_url, provider="vidu"):
    """A daemon whose one provider has this address."""
    conf = run.conf(sim, providers=[provider])
    conf["providers"][provider]["base_url"] = base_url
    return run.daemon(conf=conf)


def recorded_stack(run):
    """(recorder, sim, daemon): everything that is sent to vidu goes through the recorder."""
    sim = run.sim("--ca", run.ca(), *FAST)
    recorder = run.recorder(sim)
    return recorder, sim, daemon_for(run, sim, recorder.url)


def creates(recorder):
    return recorder.all("POST")


def sent(recorder):
    """The body of the only create, without what the daemon adds to it."""
    one, = creates(recorder)
    body = one.json
    body.pop("callback_url", None)
    return body


# -- the whole way, on every profile --------------------------------------------------------------


def endpoint_requests(run):
    """{endpoint: (arguments, the fields that must arrive)}"""
    png, jpeg, webp = (write(run, n, c) for n, c in (("a.png", PNG), ("b", JPEG), ("c.x", WEBP)))
    uris = data_uri("png", PNG), data_uri("jpeg", JPEG), data_uri("webp", WEBP)
    return {
        "text2video": (
            ["--model", "viduq3-turbo", "--prompt", "a boat & <a> puddle", "--payload", "order 42"],
            {"model": "viduq3-turbo", "prompt": "a boat & <a> puddle", "payload": "order 42"}),
        "img2video": (
            ["--model", "viduq3-pro", "--image", png, "--set", "duration=4"],
            {"model": "viduq3-pro", "images": [uris[0]], "duration": 4}),
        "start-end2video": (
            ["--model", "viduq2-pro", "--image", webp, "--image", jpeg],
            {"model": "viduq2-pro", "images": [uris[2], uris[1]]}),
        "reference2video": (
            ["--model", "viduq3-turbo", "--prompt", "@cat meets @dog", "--subject",
             f"cat={png},{jpeg}", "--subject", "dog=https://img.example/dog.png"],
            {"model": "viduq3-turbo", "prompt": "@cat meets @dog", "subjects": [
                {"name": "cat", "images": [uris[0], uris[1]]},
                {"name": "dog", "images": ["https://img.example/dog.png"]}]}),
    }


@pytest.mark.parametrize("name, prefix, scheme, called_back, subject_key, sim_args", [
    ("vidu", "/ent/v2", "Token", True, "name", ()),
    ("vidu-cn", "/ent/v2", "Token", True, "name", ()),
    ("powertokens", "/vidu/ent/v2", "Bearer", True, "name", ("--gateway", "powertokens")),
    ("octopusx", "/vidu/ent/v2", "Bearer", False, "id", ("--gateway", "octopusx")),
], ids=["vidu", "vidu-cn", "powertokens", "octopusx"])
def test_every_endpoint_goes_from_submit_to_file(run, name, prefix, scheme, called_back,
                                                 subject_key, sim_args):
    sim = run.sim("--ca", run.ca(), *FAST, *sim_args)
    recorder = run.recorder(sim)
    daemon = daemon_for(run, sim, recorder.url, name)
    asked = endpoint_requests(run)

    def submit(endpoint):
        return daemon.cli("submit", endpoint, *asked[endpoint][0], "-o", run.home / endpoint)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = dict(zip(asked, pool.map(submit, asked)))

    seen = {e.path.removeprefix(prefix + "/"): e for e in creates(recorder)}
    assert sorted(seen) == sorted(asked) and len(creates(recorder)) == 4
    for endpoint, (_, fields) in asked.items():
        status, answer = answers[endpoint]
        assert status == 0 and answer["state"] == "success"
        assert (run.home / endpoint).read_bytes() == CLIP
        assert seen[endpoint].headers["Authorization"] == f"{scheme} {SIM_KEY}"
        assert seen[endpoint].headers["Content-Type"] == "application/json"
        body = seen[endpoint].json
        callback_url = body.pop("callback_url", "")
        assert called_back == bool(re.fullmatch(
            re.escape(daemon.url()) + "/callback/[a-z2-7]{30,}", callback_url))
        if "subjects" in fields:
            fields["subjects"] = [{subject_key: s["name"], "images": s["images"]}
                                  for s in fields["subjects"]]
        assert body == fields
        created, = sim.ledger("create", task=answer["remote_id"])
        assert created["endpoint"] == endpoint and created["callback_url"] == callback_url
        task = daemon.task(answer["task"])
        assert task["remote_id"] == answer["remote_id"]
        assert (task["provider"], task["endpoint"]) == (name, endpoint)
    assert bool(sim.ledger("callback")) == called_back
    if name in ("vidu", "vidu-cn"):  # a signed callback is proof enough
        assert recorder.all("GET") == []
    else:
        assert recorder.all("GET") != []


# -- the body -------------------------------------------------------------------------------------


def test_values_of_set_are_json_when_they_parse_as_json(run):
    recorder, _, daemon = recorded_stack(run)
    daemon.cli("submit", *PLAIN, "--set", "duration=5", "--set", "bgm=true", "--set",
               "style=general", "--set", 'meta_data={"Label":1}', "--set", 'payload="7"', "--set",
               "aspect_ratio=9:16", "--set", "seed=9007199254740993", check=False)
    body = sent(recorder)
    assert body["duration"] == 5 and body["bgm"] is True and body["style"] == "general"
    assert body["meta_data"] == {"Label": 1} and body["payload"] == "7"
    assert body["aspect_ratio"] == "9:16" and body["seed"] == 9007199254740993


def test_a_body_from_standard_input_is_sent_and_options_win(run):
    recorder, _, daemon = recorded_stack(run)
    body = {"model": "viduq3-pro", "prompt": "from the body é \U0001f6a2", "payload": "p",
            "duration": 3, "seed": 1.5e300}
    daemon.cli("submit", "text2video", "-", "--model", "viduq3-turbo", "--set", "duration=4",
               stdin=json.dumps(body), check=False)
    assert sent(recorder) == {**body, "model": "viduq3-turbo", "duration": 4}


def test_a_body_from_a_file_is_sent(run):
    recorder, _, daemon = recorded_stack(run)
    path = run.file("body.json", '{"model": "viduq3-turbo", "prompt": "x", "payload": "\\u0000"}')
    daemon.cli("submit", "text2video", "--body", path)
    assert sent(recorder) == {"model": "viduq3-turbo", "prompt": "x", "payload": "\0"}


def test_a_callback_url_of_the_user_is_replaced_by_ours(run):
    recorder, sim, daemon = recorded_stack(run)
    task = daemon.submit("--set", "callback_url=https://user.example/cb")
    one, = creates(recorder)
    assert one.json["callback_url"].startswith(daemon.url("/callback/"))
    assert one.body.count(b"callback_url") == 1
    daemon.wait_task(task, "success")


@pytest.mark.parametrize("text, message", [
    ("{", "standard input:"), ("[1]", "JSON object"), ('{"a":1,"a":2}', "standard input:"),
    ("", "standard input:"),
], ids=["broken", "array", "twice", "empty"])
def test_a_body_that_is_no_json_object_is_a_usage_error(run, text, message):
    recorder, _, daemon = recorded_stack(run)
    done = daemon.command("submit", "text2video", "-", stdin=text)
    assert done.returncode == 2 and message in done.stderr
    assert creates(recorder) == [] and daemon.cli("list")[1]["tasks"] == []


# -- images ---------------------------------------------------------------------------------------


def test_references_are_sent_as_they_are(run):
    recorder, _, daemon = recorded_stack(run)
    images = ["https://img.example/a.png?x=1&y=2", data_uri("png", PNG)]
    daemon.cli("submit", "start-end2video", "--model", "viduq3-turbo", *(
        word for image in images for word in ("--image", image)))
    assert sent(recorder)["images"] == images


@pytest.mark.parametrize("head, size, message, status", [
    (b"GIF89a", 100, "no PNG, JPEG or WebP", 2),
    (b"RIFF....WAVEfmt ", 100, "no PNG, JPEG or WebP", 2),
    (b"", 0, "no PNG, JPEG or WebP", 2),
    (PNG, (50 << 20) + 1, "at most 50 MiB", 1),
    (PNG, 16 << 20, "a provider takes at most", 1),
], ids=["gif", "wav", "empty", "over 50 MiB", "over 20 MiB in base64"])
def test_a_bad_image_is_an_error_before_anything_is_sent(run, head, size, message, status):
    recorder, _, daemon = recorded_stack(run)
    image = write(run, "image.png", head)
    os.truncate(image, size)
    done = daemon.command("submit", "img2video", "--model", "viduq3-turbo", "--image", image)
    assert done.returncode == status and message in done.stderr, done
    assert creates(recorder) == [] and daemon.cli("list")[1]["tasks"] == []


def test_what_cannot_be_read_is_no_image(run):
    recorder, _, daemon = recorded_stack(run)
    loop = run.home / "loop.png"
    loop.symlink_to(loop)
    pipe = run.home / "pipe.png"
    os.mkfifo(pipe)
    closed = write(run, "closed.png", PNG)
    closed.chmod(0)
    names = [run.home, loop, pipe, run.home / "missing.png"] + [closed] * (os.geteuid() != 0)
    for name in names:
        done = daemon.command("submit", "img2video", "--model", "viduq3-turbo", "--image", name)
        assert done.returncode in (1, 2) and str(name) in done.stderr, done
    assert creates(recorder) == [] and daemon.cli("list")[1]["tasks"] == []


def test_a_bad_image_of_a_subject_is_an_error_as_well(run):
    recorder, _, daemon = recorded_stack(run)
    note = run.file("note.txt", "no image")
    done = daemon.command("submit", "reference2video", "--subject", f"cat={note}")
    assert done.returncode == 2 and "note.txt" in done.stderr
    assert creates(recorder) == []


# -- warnings, not refusals -----------------------------------------------------------------------


def test_an_unknown_model_is_a_warning(run):
    recorder, _, daemon = recorded_stack(run)
    done = daemon.command("submit", "text2video", "--model", "viduq9-ultra", "--prompt", "x")
    assert "warning:" in done.stderr and "viduq9-ultra" in done.stderr
    assert sent(recorder)["model"] == "viduq9-ultra"


def test_a_range_is_a_warning_and_the_provider_decides(run):
    recorder, _, daemon = recorded_stack(run)
    done = daemon.command("submit", *PLAIN, "--set", "duration=99")
    assert "warning:" in done.stderr and "duration" in done.stderr
    assert sent(recorder)["duration"] == 99 and done.returncode == 3


def test_a_misspelt_endpoint_gets_a_suggestion(run):
    recorder, _, daemon = recorded_stack(run)
    done = daemon.command("submit", "txt2video", "--prompt", "x")
    assert done.returncode == 2 and "text2video" in done.stderr
    assert creates(recorder) == []


# -- dry run --------------------------------------------------------------------------------------


def test_a_dry_run_prints_the_request_and_sends_nothing(run):
    recorder, _, daemon = recorded_stack(run)
    png = write(run, "a.png", PNG * 10)
    status, shown = daemon.cli("submit", "img2video", "--model", "viduq3-turbo", "--image", png,
                               "--dry-run")
    assert status == 0 and shown["method"] == "POST"
    assert shown["url"] == recorder.url + "/ent/v2/img2video"
    assert shown["body"]["model"] == "viduq3-turbo"
    assert shown["body"]["images"][0].startswith("data:image/png;base64,iVBOR")
    assert SIM_KEY not in json.dumps(shown)
    assert recorder.all() == [] and daemon.cli("list")[1]["tasks"] == []


def test_a_callback_url_of_ones_own_is_said_to_be_replaced(run):
    sim = run.sim()
    for mode, replaced in (("push", True), ("poll", False), ("both", True)):
        conf = run.conf(sim)
        conf["providers"]["vidu"]["mode"] = mode
        path = run.file("own.yaml", json.dumps(conf))
        done = viduhook("-c", path, "submit", *PLAIN, "--set", "callback_url=https://own.example/",
                        "--dry-run")
        assert done.returncode == 0
        assert ("warning: callback_url is replaced" in done.stderr) is replaced
        assert ("adds callback_url" in done.stderr) is replaced


def test_a_dry_run_needs_no_daemon(run):
    done = viduhook("submit", *PLAIN, "--provider", "octopusx", "--dry-run", "--socket",
                    run.home / "none")
    assert done.returncode == 0
    assert done.stdout.startswith("POST https://octopusx.ai/vidu/ent/v2/text2video\n")
    assert "Authorization: Bearer" in done.stdout and '"a paper boat"' in done.stdout


# -- answers --------------------------------------------------------------------------------------


def test_a_provider_error_comes_through_whole(run):
    recorder, _, daemon = recorded_stack(run)
    args = ("submit", *PLAIN, "--set", "duration=0.5", "--tag", "a=b")
    status, answer = daemon.cli(*args, check=False)
    said = creates(recorder)[0].answer
    assert said.status == 400
    assert status == 3 and answer["http_status"] == 400
    assert answer["code"] == said.json["reason"] and answer["message"] == said.json["message"]
    assert answer["trace_id"] == said.headers["x-md-trace-id"]
    assert answer["answer"] == said.json
    task = daemon.task(answer["task"])
    assert task["state"] == "rejected" and task["err_code"] == said.json["reason"]
    assert task["trace_id"] == answer["trace_id"] and task["tags"] == {"a": "b"}
    done = daemon.command(*args)
    trace_id = creates(recorder)[1].answer.headers["x-md-trace-id"]
    for text in ("400", said.json["reason"], said.json["message"], trace_id):
        assert text in done.stderr


@pytest.mark.parametrize("status, body", [
    (401, '{"code":401,"reason":"Unauthorized","message":"bad key","metadata":{}}'),
    (403, "<html>forbidden</html>"), (404, ""), (413, "too large"),
], ids=lambda value: str(value)[:3])
def test_any_4xx_is_a_refusal(run, status, body):
    sim = run.sim("--ca", run.ca())
    recorder = run.recorder(sim, refuse=(status, body))
    daemon = daemon_for(run, sim, recorder.url)
    code, answer = daemon.cli("submit", *PLAIN, check=False)
    assert code == 3 and answer["http_status"] == status
    assert daemon.task(answer["task"])["state"] == "rejected"


def test_rate_limit_is_a_refusal_and_nothing_is_created(run):
    sim, daemon = run.stack(*FAST, "--switch", "rate-limit=1")
    status, answer = daemon.cli("submit", *PLAIN, check=False)
    assert status == 3 and answer["http_status"] == 429 and answer["code"] == "TooManyRequests"
    assert sim.ledger("create") == []
    assert daemon.cli("submit", *PLAIN, "--wait")[1]["state"] == "success"


@pytest.mark.parametrize("switch, status", [("lost-answer", 0), ("error-500", 500)])
def test_without_an_answer_a_task_is_ambiguous_and_never_sent_again(run, switch, status):
    sim = run.sim("--ca", run.ca(), "--time", "2s", "--switch", switch)
    hook = {"name": "note", "exec": ["/bin/sh", "-c", f"echo x >>{run.home}/note"]}
    daemon = run.daemon(sim, hooks=[hook])
    code, answer = daemon.cli("submit", *PLAIN, "--tag", "a", check=False)
    assert code == 1 and answer["state"] == "ambiguous" and answer["http_status"] == status
    assert daemon.task(answer["task"])["state"] == "ambiguous"
    daemon.stop()
    daemon = run.daemon(conf=daemon.conf)  # a restart is no reason to send it again either
    task = daemon.wait_task(answer["task"], "success")
    created, = sim.ledger("create")
    assert task["remote_id"] == created["task"]
    assert wait_for((run.home / "note").exists, "run of the hook")
    assert len(daemon.cli("list")[1]["tasks"]) == 1


def test_waiting_for_an_ambiguous_task_is_over_at_once(run):
    sim, daemon = run.stack("--time", "60s", "--switch", "lost-answer")
    assert daemon.cli("submit", *PLAIN, "--wait", check=False)[0] == 1
    assert len(sim.ledger("create")) == 1


def test_a_provider_that_cannot_be_reached_creates_nothing(run):
    sim = run.sim()
    closed = run.port()
    daemon = daemon_for(run, sim, f"http://{LOOPBACK}:{closed}")
    status, answer = daemon.cli("submit", *PLAIN, check=False)
    assert status == 1 and "nothing was created" in answer["error"]
    assert daemon.task(answer["task"])["state"] == "rejected"


def test_a_callback_before_the_answer_finds_its_task(run):
    sim, daemon = run.stack(*FAST, "--switch", "early")
    assert daemon.cli("submit", *PLAIN, "--wait")[1]["state"] == "success"
    task = daemon.cli("list")[1]["tasks"][0]["id"]
    verdicts = [(e["source"], e["verdict"]) for e in daemon.cli("explain", task)[1]["events"]]
    assert verdicts[0] == ("submit", "registered")
    assert verdicts.index(("callback", "accepted")) < verdicts.index(("submit", "submitted"))


def test_a_lost_callback_is_made_up_for_by_a_look(run):
    sim, daemon = run.stack(*FAST, "--switch", "lost-callback")
    task = daemon.submit()
    sim.wait_ledger("state", state="success")
    assert daemon.task(task)["state"] == "submitted"
    daemon.stop()
    daemon = run.daemon(conf=daemon.conf)  # at start everything unfinished is looked at
    daemon.wait_task(task, "success")
    assert {"poll"} == {e["source"] for e in daemon.cli("explain", task)[1]["events"]
                        if e["state"] == "success"}


# -- waiting --------------------------------------------------------------------------------------


def test_a_policy_failure_ends_the_wait_with_8(run):
    _, daemon = run.stack(*FAST, "--switch", "policy-failure")
    out = run.home / "never.mp4"
    status, answer = daemon.cli("submit", *PLAIN, "-o", out, check=False)
    assert status == 8 and answer["state"] == "failed"
    assert answer["err_code"] == "CreationPolicyViolation" and not out.exists()
    done = daemon.command("submit", *PLAIN, "--wait")
    assert done.returncode == 8 and "CreationPolicyViolation" in done.stderr


def test_a_wait_that_is_too_short_ends_with_6_and_the_task_goes_on(run):
    _, daemon = run.stack("--time", "1s")
    status, answer = daemon.cli("submit", *PLAIN, "--timeout", "200ms", check=False)
    assert status == 6 and "goes on" in answer["error"]
    daemon.wait_task(daemon.cli("list")[1]["tasks"][0]["id"], "success")


def test_an_existing_file_is_never_replaced(run):
    sim, daemon = run.stack(*FAST)
    out = run.file("mine.mp4", "mine")
    done = daemon.command("submit", *PLAIN, "-o", out)
    assert done.returncode == 1 and "exists" in done.stderr
    assert out.read_text() == "mine" and sim.ledger("create") == []
    daemon.cli("submit", *PLAIN, "-o", out, "--force")
    assert out.read_bytes() == CLIP


def test_a_file_that_appears_meanwhile_is_not_replaced_either(run):
    sim, daemon = run.stack("--time", "1s")
    out = run.home / "late.mp4"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(daemon.cli, "submit", *PLAIN, "-o", out)
        sim.wait_ledger("create")
        out.write_text("mine")
        status, answer = waiting.result()
    assert status == 0 and out.read_text() == "mine"
    assert answer["file"] != str(out) and os.path.dirname(answer["file"]) == str(run.home)
    with open(answer["file"], "rb") as saved:
        assert saved.read() == CLIP


@pytest.mark.parametrize("name", ["no/such/dir/x.mp4", ".", ""], ids=["folder", "dot", "slash"])
def test_a_file_that_cannot_be_made_is_an_error_before_anything_is_sent(run, name):
    sim, daemon = run.stack(*FAST)
    done = daemon.command("submit", *PLAIN, "-o", f"{run.home}/{name}")
    assert done.returncode in (1, 2) and done.stderr
    assert sim.ledger("create") == []


def test_an_expired_url_is_refreshed_for_output_too(run):
    sim, daemon = run.stack(*FAST, "--switch", "expired-url")
    daemon.cli("submit", *PLAIN, "-o", run.home / "x.mp4")
    assert (run.home / "x.mp4").read_bytes() == CLIP
    assert sim.ledger("query") != []


def test_a_truncated_answer_is_resumed_for_output_too(run):
    sim, daemon = run.stack(*FAST, "--switch", "truncated-video")
    daemon.cli("submit", *PLAIN, "-o", run.home / "x.mp4")
    assert (run.home / "x.mp4").read_bytes() == CLIP
    assert [p.name for p in run.home.glob(".x*")] == []


# -- tags, and more than one ----------------------------------------------------------------------


def test_tags_are_kept_and_listed(run):
    _, daemon = run.stack(*FAST)
    task = daemon.submit("--tag", "album=summer = 2026", "--tag", "draft")
    other = daemon.submit("--tag", "album=winter")
    assert daemon.task(task)["tags"] == {"album": "summer = 2026", "draft": ""}
    listed = {tag: [t["id"] for t in daemon.cli("list", "--tag", tag)[1]["tasks"]]
              for tag in ("album", "album=winter", "draft", "album=summer = 2026", "none")}
    assert listed == {"album": [other, task], "album=winter": [other], "draft": [task],
                      "album=summer = 2026": [task], "none": []}


def test_submits_at_once_keep_their_answers_apart(run):
    sim, daemon = run.stack(*FAST)

    def submit(i):
        return daemon.cli("submit", "text2video", "--model", "viduq3-turbo", "--prompt",
                          f"boat {i}", "--wait", "--tag", f"n={i}")[1]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(submit, range(8)))
    created = {c["task"]: c["prompt"] for c in sim.ledger("create")}
    assert len(created) == 8
    for i, answer in enumerate(answers):
        assert answer["state"] == "success" and created[answer["remote_id"]] == f"boat {i}"
        assert daemon.task(answer["task"])["tags"] == {"n": str(i)}
    urls = [c["callback_url"] for c in sim.ledger("create")]
    assert len(set(urls)) == 8


def test_an_unknown_provider_is_refused_before_anything_is_sent(run):
    sim, daemon = run.stack(*FAST)
    done = daemon.command("submit", *PLAIN, "--provider", "nobody")
    assert done.returncode == 2 and "nobody" in done.stderr and "vidu" in done.stderr
    assert sim.ledger("create") == []


def test_the_key_is_nowhere_but_in_the_request(run):
    recorder, _, daemon = recorded_stack(run)
    run.file("sim.key", SIM_KEY)
    task = daemon.submit()
    daemon.wait_task(task, "success")
    callback_key = creates(recorder)[0].json["callback_url"].rpartition("/")[2]
    store = b"".join(p.read_bytes() for p in run.home.glob("viduhook.db*"))
    for secret in (SIM_KEY, callback_key):
        assert secret not in daemon.log()
        assert secret.encode() not in store
        assert secret not in json.dumps(daemon.cli("explain", task)[1])
