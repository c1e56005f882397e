# SPDX-License-Identifier: MIT
"""Endpoints besides the four for video, and providers in shapes of their own: from submit to file."""
import json
import re

import pytest

from harness import ROOT, SIM_KEY, Daemon, viduhook
from provider import Gateway, own_gateway

CLIP = (ROOT / "src/sim/clip.mp4").read_bytes()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
FAST = ("--time", "50ms", "--retry-gap", "20ms")


def stack(run, *sim_args, provider="vidu", hooks=(), **options):
    """(recorder, sim, daemon): everything that is sent goes through the recorder."""
    sim = run.sim("--ca", run.ca(), *FAST, *sim_args)
    recorder = run.recorder(sim)
    conf = run.conf(sim, hooks, providers=[provider])
    conf["providers"][provider].update(base_url=recorder.url, **options)
    return recorder, sim, run.daemon(conf=conf)


def write(run, name, content):
    path = run.home / name
    path.write_bytes(content)
    return path


# -- /v1/videos -----------------------------------------------------------------------------------


def test_v1_videos_takes_a_form_and_gives_a_file(run):
    recorder, sim, daemon = stack(run, "--gateway", "openai", provider="octopusx-openai")
    saved = run.home / "out.mp4"
    status, answer = daemon.cli(
        "submit", "videos", "--model", "viduq3-turbo", "--prompt", 'a "boat" & é', "--set",
        "seconds=5", "--image", write(run, "a.png", PNG), "-o", saved)
    assert status == 0 and answer["state"] == "success"
    assert saved.read_bytes() == CLIP
    create, = recorder.all("POST")
    assert create.path == "/v1/videos" and create.headers["Authorization"] == f"Bearer {SIM_KEY}"
    assert re.fullmatch(r"multipart/form-data; boundary=viduhook-[0-9a-f]{32}",
                        create.headers["Content-Type"])
    assert create.body.count(PNG) == 1 and b"callback_url" not in create.body
    made, = sim.ledger("create")
    assert made["prompt"] == 'a "boat" & é'
    assert made["file_bytes"] == len(PNG) and made["file_type"] == "image/png"
    assert {e.path for e in recorder.all("GET")} == {"/v1/videos/" + answer["remote_id"]}
    assert daemon.task(answer["task"])["endpoint"] == "videos"


def test_a_dry_run_says_that_a_form_is_sent(run):
    done = viduhook("submit", "videos", "--provider", "octopusx-openai", "--prompt", "x", "--model",
                    "m", "--image", write(run, "a.png", PNG), "--dry-run", "--socket",
                    run.home / "none")
    assert done.returncode == 0 and "as a form" in done.stderr and "warning" not in done.stderr
    assert done.stdout.startswith("POST https://octopusx.ai/v1/videos\n")
    assert "Content-Type: multipart/form-data\n" in done.stdout


def test_an_error_of_v1_videos_is_told(run):
    recorder, sim, daemon = stack(run, "--gateway", "openai", "--switch", "policy-failure",
                                  provider="octopusx-openai")
    status, answer = daemon.cli("submit", "videos", "--prompt", "x", "--model", "viduq3", "--wait",
                                check=False)
    assert status == 8
    assert (answer["state"], answer["err_code"]) == ("failed", "CreationPolicyViolation")
    assert answer["err_msg"] == "it did not work"
    assert daemon.cli("submit", "videos", "--model", "viduq3", check=False)[0] == 3


# -- trees of jobs and other ids ------------------------------------------------------------------


def test_a_music_video_and_its_edits(run):
    recorder, sim, daemon = stack(run)
    saved = run.home / "mv.mp4"
    _, mv = daemon.cli("submit", "one-click/mv", "--image", "https://img.example/a.png", "--audio",
                       "https://img.example/a.mp3", "-o", saved)
    assert mv["state"] == "success" and saved.read_bytes() == CLIP
    edit = f"one-click/mv/{mv['remote_id']}/edit"
    _, part = daemon.cli("submit", edit, "--prompt", "brighter", "--wait")
    assert part["state"] == "success" and part["remote_id"] != mv["remote_id"]
    assert daemon.task(part["task"])["endpoint"] == edit
    bodies = [e.json for e in recorder.all("POST")]
    assert all(b["callback_url"].startswith(daemon.url("/callback/")) for b in bodies)
    assert recorder.all("GET") == []  # a signed tree with its URL is proof enough


def test_a_job_whose_callbacks_are_lost_is_found_in_its_parents_tree(run):
    recorder, sim, daemon = stack(run, mode="poll")
    _, mv = daemon.cli("submit", "one-click/mv", "--image", "https://img.example/a.png", "--wait")
    _, part = daemon.cli("submit", f"one-click/mv/{mv['remote_id']}/compose", "--wait")
    assert part["state"] == "success"
    assert {e.path for e in recorder.all("GET")} == {f"/ent/v2/one-click/mv/{mv['remote_id']}"}


@pytest.mark.parametrize("endpoint", ["ad-one-click/edit", "ad-one-click/compose"])
def test_a_part_of_an_advertisement_has_an_id_of_its_own(run, endpoint):
    _, sim, daemon = stack(run)
    _, answer = daemon.cli("submit", endpoint, "--set", "ad_one_click_task_id=1", "--wait")
    made, = sim.ledger("create")
    assert answer["state"] == "success" and answer["remote_id"] == made["task"]


def test_every_kind_of_medium_goes_into_its_field(run):
    recorder, _, daemon = stack(run)
    clip = write(run, "clip.mp4", CLIP)
    sound = write(run, "a.mp3", b"ID3" + bytes(100))
    daemon.cli("submit", "lip-sync", "--video", clip, "--audio", sound, "--wait")
    daemon.cli("submit", "multiframe", "--model", "viduq2-pro", "--image", write(run, "0", PNG),
               "--frame", f"{write(run, '1', PNG)},3,up, and away", "--frame", "https://h/2",
               "--wait")
    lip, frames = (e.json for e in recorder.all("POST"))
    assert lip["video_url"].startswith("data:video/mp4;base64,")
    assert lip["audio_url"].startswith("data:audio/mpeg;base64,")
    assert frames["start_image"].startswith("data:image/png;base64,")
    first, second = frames["image_settings"]
    assert first["duration"] == 3 and first["prompt"] == "up, and away"
    assert first["key_image"].startswith("data:image/png;base64,")
    assert second == {"key_image": "https://h/2"}


# -- answers that are the result ------------------------------------------------------------------


@pytest.mark.parametrize("endpoint, member", [
    ("audio-tts", "file_url"), ("audio-clone", "voice_id"), ("subjects", "id"),
    ("img2video-prompt-recommendation", "prompts")])
def test_an_answer_at_once_is_printed_and_no_task_is_kept(run, endpoint, member):
    recorder, _, daemon = stack(run)
    done = daemon.command("submit", endpoint, "--set", "text=hello")
    assert done.returncode == 0 and member in json.loads(done.stdout)
    assert recorder.all("POST")[0].json == {"text": "hello"}
    assert daemon.cli("list")[1]["tasks"] == []
    done = daemon.command("submit", endpoint, "--wait")
    assert done.returncode == 2 and "answers at once" in done.stderr
    assert len(recorder.all()) == 1


# -- a gateway in words of its own ----------------------------------------------------------------


def test_a_gateway_of_ones_own_is_configured_not_programmed(run):
    gateway, conf = own_gateway(run, auth="Key", prefix="/api", query="/api/ask?job={id}")
    daemon = run.daemon(conf=conf)
    saved = run.home / "own.mp4"
    _, answer = daemon.cli("submit", "video/generations", "--model", "viduq3", "--prompt", "x",
                           "-o", saved)
    assert answer["remote_id"] == "77" and saved.read_bytes() == CLIP
    create, *looks = gateway.seen
    assert create[:3] == ("POST", "/api/video/generations", f"Key {SIM_KEY}")
    assert json.loads(create[3]) == {"model": "viduq3", "prompt": "x"}
    assert looks and {look[:3] for look in looks} == {("GET", "/api/ask?job=77", f"Key {SIM_KEY}")}


def test_a_gateway_that_calls_back_is_waited_for(run):
    gateway, conf = own_gateway(run, run.ca(), mode="push", overdue="1h")
    daemon = run.daemon(conf=conf)
    _, answer = daemon.cli("submit", "video/generations", "--model", "viduq3", "--prompt", "x",
                           "--wait")
    assert answer["state"] == "success" and gateway.told == [200]
    create, look = gateway.seen
    assert json.loads(create[3])["callback_url"].startswith(daemon.url("/callback/"))
    assert look[:2] == ("GET", "/v1/video/generations/77")


class Manual(Daemon):
    """With the providers of a piece of YAML, as it stands in the manual."""

    providers = ""

    def write(self, conf):
        super().write(conf)
        rest = "".join(f"{name}: {json.dumps(value)}\n" for name, value in conf.items()
                       if name != "providers")
        self.conf_path.write_text(rest + self.providers)


def test_the_example_of_the_manual_works_as_it_stands(run):
    manual = (ROOT / "man/viduhook.yaml.5").read_text()
    example, = (block for block in re.findall(r"\.Bd -literal[^\n]*\n(.*?)\.Ed", manual, re.S)
                if "profile: generic" in block)
    command, = re.findall(r"^\.Ic viduhook (submit .*) \.$", manual, re.M)
    sim = run.sim(*FAST)
    gateway = Gateway(sim.finished()["creations"][0]["url"])
    run.closers.append(gateway)
    conf = run.conf(sim)
    for told, real in (("https://gateway.example.org", gateway.url),
                       ("/etc/viduhook/mine.key", str(run.home / "sim.key"))):
        assert example.count(told) == 1
        example = example.replace(told, real)
    Manual.providers = example
    daemon = run.add(Manual(run.home, conf)).wait_ready()
    saved = run.home / "own.mp4"
    _, answer = daemon.cli(*command.split(), "--model", "viduq3", "--prompt", "x", "-o", saved)
    assert answer["remote_id"] == "77" and saved.read_bytes() == CLIP
    create, *looks = gateway.seen
    assert create[:3] == ("POST", "/v1/video/generations", f"Bearer {SIM_KEY}")
    assert {look[:3] for look in looks} == {
        ("GET", "/v1/video/generations/77", f"Bearer {SIM_KEY}")}


# -- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("submit", "--help", "extend"), ("submit", "extend", "--help"),
                                   ("help", "submit", "extend")])
def test_the_fields_of_an_endpoint_are_shown(words):
    done = viduhook(*words)
    assert done.returncode == 0
    for text in ("viduhook submit extend", "video_creation_id", "1 to 7; default 5", "viduq2-pro"):
        assert text in done.stdout, text
    listed = re.search(r"endpoints:\n(.*?)\n\n", viduhook("help", "submit").stdout, re.S)
    names = [line.split()[0] for line in listed.group(1).splitlines()]
    assert len(names) == 32 and "multiframe" in names
    for name in names:
        shown = viduhook("help", "submit", name).stdout
        assert max(map(len, shown.splitlines())) <= 100, name


def test_names_that_are_no_endpoints_are_said_to_be_none(run):
    assert "did you mean extend" in viduhook("submit", "--help", "extned").stderr
    done = viduhook("submit", "one-click/mv/{id}/edit", "--dry-run", "--socket", run.home / "none")
    assert done.returncode == 2 and "in the place of {id}" in done.stderr
