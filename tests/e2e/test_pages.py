# SPDX-License-Identifier: MIT
"""The five pages of resellers that this project was made for, each in that provider's own shape,
from submit to the downloaded file. The fifth, octopusx /v1/videos, ends this file."""
import re

import pytest

from harness import SIM_KEY
from test_catalogue import CLIP, PNG, stack, write

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PROMPT = 'a "boat" & é'


def reseller(run, name, profile, *sim_args):
    """(recorder, sim, daemon, library): a hook downloads what succeeds."""
    library = run.home / "library"
    library.mkdir()
    recorder, sim, daemon = stack(run, "--gateway", name, *sim_args, provider=profile,
                                  hooks=[{"name": "keep", "on": ["success"],
                                          "download": {"dir": str(library)}}])
    return recorder, sim, daemon, library


def saved(daemon, library):
    daemon.wait_runs("done")
    assert [p.read_bytes() for p in library.rglob("*.mp4")] == [CLIP]


def made_once(recorder, sim, path):
    """The one create: what was sent, and what came back."""
    create, = recorder.all("POST")
    assert create.path == path and create.headers["Authorization"] == f"Bearer {SIM_KEY}"
    assert create.answer.status == 200
    made, = sim.ledger("create")
    return create, made


OCTOPUSX = [
    ("img2video", ("--image", "a.png"), {"images": 1}),
    ("reference2video", ("--image", "a.png", "--image", "https://img.example/b.webp"),
     {"images": 2}),
    ("reference2video", ("--subject", "cat=a.png"), {"subjects": 1}),
    ("start-end2video", ("--image", "a.png", "--image", "a.png"), {"images": 2}),
]


@pytest.mark.parametrize("endpoint, media, members", OCTOPUSX, ids=[
    "img2video", "reference2video", "reference2video with subjects", "start-end2video"])
def test_octopusx_by_its_own_words(run, endpoint, media, members):
    recorder, sim, daemon, library = reseller(run, "octopusx", "octopusx")
    path = str(write(run, "a.png", PNG))
    _, answer = daemon.cli("submit", endpoint, "--model", "viduq3-pro", "--prompt", PROMPT,
                           "--payload", "order 42", "--set", "duration=5", "--wait",
                           *(word.replace("a.png", path) for word in media))
    create, made = made_once(recorder, sim, f"/vidu/ent/v2/{endpoint}")
    sent = create.json
    assert set(sent) == {"model", "prompt", "payload", "duration", *members}
    assert (sent["prompt"], sent["payload"], sent["duration"]) == (PROMPT, "order 42", 5)
    assert all(len(sent[name]) == n for name, n in members.items())
    if "subjects" in members:
        assert sent["subjects"][0]["id"] == "cat"
    # a UUID, `status` for `state`, seconds for a date, and one URL in place of creations
    said = create.answer.json
    assert re.fullmatch(UUID, said["task_id"]) and said["status"] == "processing"
    assert isinstance(said["created_at"], int) and "state" not in said
    assert answer["remote_id"] == said["task_id"] == made["task"]
    looks = recorder.all("GET")
    assert {e.path for e in looks} == {f"/vidu/ent/v2/task/{made['task']}/creations"}
    assert {e.headers["Authorization"] for e in looks} == {f"Bearer {SIM_KEY}"}
    last = looks[-1].answer.json
    assert last["status"] == "completed" and last["video_url"].startswith(sim.url)
    assert "creations" not in last and "state" not in last
    saved(daemon, library)
    task = daemon.task(answer["task"])
    assert (task["provider"], task["endpoint"], task["state"]) == ("octopusx", endpoint, "success")


def test_octopusx_says_that_it_failed(run):
    recorder, sim, daemon, _ = reseller(run, "octopusx", "octopusx", "--switch", "policy-failure")
    status, answer = daemon.cli("submit", "img2video", "--model", "viduq3-pro", "--image",
                                "https://img.example/a.png", "--wait", check=False)
    assert (status, answer["state"]) == (8, "failed")
    made_once(recorder, sim, "/vidu/ent/v2/img2video")
    assert daemon.runs() == []


def test_powertokens_img2video_is_called_back_and_looked_up(run):
    """Its callbacks carry a signature that only the reseller could verify: the sealed path says
    which task it is, and looks that it is true."""
    recorder, sim, daemon, library = reseller(run, "powertokens", "powertokens")
    _, answer = daemon.cli("submit", "img2video", "--model", "viduq3-pro", "--prompt", PROMPT,
                           "--image", write(run, "a.png", PNG), "--payload", "order 42", "--wait")
    create, made = made_once(recorder, sim, "/vidu/ent/v2/img2video")
    assert create.json["callback_url"].startswith(daemon.url("/callback/"))
    assert create.json["payload"] == "order 42"
    said = create.answer.json
    assert said["state"] == "created" and re.fullmatch(r"\d{18}", said["task_id"])
    assert answer["remote_id"] == said["task_id"]
    sim.wait_ledger("callback", task=made["task"], status=200)
    looks = recorder.all("GET")
    assert {e.path for e in looks} == {f"/vidu/ent/v2/tasks/{made['task']}/creations"}
    last = looks[-1].answer.json
    assert last["state"] == "success" and last["creations"][0]["url"].startswith(sim.url)
    saved(daemon, library)
    assert daemon.task(answer["task"])["payload"] == "order 42"


def test_octopusx_v1_videos_takes_a_form_with_a_file(run):
    recorder, sim, daemon, library = reseller(run, "openai", "octopusx-openai")
    _, answer = daemon.cli("submit", "videos", "--model", "viduq3-turbo", "--prompt", PROMPT,
                           "--set", "seconds=5", "--set", "size=1280x720", "--image",
                           write(run, "a.png", PNG), "--wait")
    create, made = made_once(recorder, sim, "/v1/videos")
    assert create.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    parts = re.findall(rb'form-data; name="(\w+)"(; filename="[^"]+")?', create.body)
    assert dict(parts) == {b"model": b"", b"prompt": b"", b"seconds": b"", b"size": b"",
                           b"input_reference": b'; filename="input_reference.png"'}
    assert (made["prompt"], made["file_bytes"], made["file_type"]) == (PROMPT, len(PNG), "image/png")
    said = create.answer.json
    assert said["object"] == "video" and said["status"] == "queued"
    assert answer["remote_id"] == said["id"] and re.fullmatch(UUID, said["id"])
    looks = recorder.all("GET")
    assert {e.path for e in looks} == {f"/v1/videos/{said['id']}"}
    assert looks[-1].answer.json["status"] == "completed"
    saved(daemon, library)
