# SPDX-License-Identifier: MIT
"""Downloads into a library: bytes, names, interruptions, and URLs that must not be followed."""
import contextlib
import hashlib
import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
import urllib.parse

import pytest

from harness import LOOPBACK, ROOT, callback_body, get, post_callback, wait_for
from provider import Provider, submit

CLIP = (ROOT / "src/sim/clip.mp4").read_bytes()
JPEG = (ROOT / "src/sim/cover.jpg").read_bytes()
FAST = ("--time", "20ms", "--retry-gap", "20ms")
QUICK = {"attempts": 3, "from": "1ms", "to": "20ms"}
ONCE = {"attempts": 1}


class Files:
    """tests/fixtures/file_server.py: the first part of a path says how it misbehaves."""

    def __init__(self):
        server = ROOT / "tests/fixtures/file_server.py"
        self.process = subprocess.Popen([sys.executable, server], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def url(self, path):
        return f"http://{LOOPBACK}:{self.port}/{path}"

    def asked(self, path):
        return get(self.url(f"_log/{path}")).json

    def close(self):
        self.process.communicate()


class Canary:
    """Listens on both loopbacks and counts who comes: nobody should."""

    def __init__(self):
        self.count = 0
        self.sockets = [socket.socket(), socket.socket(socket.AF_INET6)]
        self.sockets[0].bind((LOOPBACK, 0))
        self.port = self.sockets[0].getsockname()[1]
        with contextlib.suppress(OSError):  # a machine without IPv6
            self.sockets[1].bind(("::1", self.port))
        for s in self.sockets:
            s.listen()
            s.settimeout(0.05)
        self.over = False
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.over:
            for s in self.sockets:
                with contextlib.suppress(OSError):
                    s.accept()[0].close()
                    self.count += 1

    def close(self):
        self.over = True
        self.thread.join()
        for s in self.sockets:
            s.close()


@pytest.fixture
def files(run):
    server = Files()
    run.closers.append(server)
    run.known.add(server.process.pid)
    return server


@pytest.fixture
def canary(run):
    one = Canary()
    run.closers.append(one)
    return one


def hook(run, **changes):
    retry = changes.pop("retry", QUICK)
    return {"name": "dl", "retry": retry, "download": {"dir": str(run.home / "media"), **changes}}


def stack(run, *sim_args, also_allow=(), fetch=None, **changes):
    """(sim, daemon) with one download hook; changes are the hook's."""
    sim = run.sim("--ca", run.ca(), *FAST, *sim_args)
    allow = [f"{LOOPBACK}:{port}" for port in (sim.port, *also_allow)]
    return sim, run.daemon(sim, hooks=[hook(run, **changes)],
                           fetch={"allow": allow, **(fetch or {})})


def tell(run, sim, daemon, task, *creations):
    """A success callback with results of our choice for a task whose own callbacks are lost."""
    remote_id = daemon.task(task)["remote_id"]
    created, = sim.ledger("create", task=remote_id)
    sim.wait_ledger("state", task=remote_id, state="success")
    filled = [{"id": str(i), "cover_url": "", "watermarked_url": "", **c}
              for i, c in enumerate(creations)]
    answer = post_callback(created["callback_url"], callback_body(remote_id, creations=filled),
                           ca=run.ca())
    assert answer.status == 200


def submit_and_tell(run, sim, daemon, *creations):
    task = daemon.submit()
    tell(run, sim, daemon, task, *creations)
    return task


def listing(run):
    """Files of the library that people see, by name."""
    return {p.name: p for p in (run.home / "media").rglob("*")
            if p.is_file() and not p.name.startswith(".")}


def hidden(run):
    return [p for p in (run.home / "media").rglob(".*") if p.is_file()]


def only(run, ending):
    one, = [p for n, p in listing(run).items() if n.endswith(ending)]
    return one


# -- what comes out -------------------------------------------------------------------------------


def test_video_and_cover_arrive_byte_by_byte(run):
    sim, daemon = stack(run)
    task = daemon.submit()
    run_, = daemon.wait_runs("done")
    video, cover = only(run, ".mp4"), only(run, ".jpg")
    assert video.read_bytes() == CLIP and cover.read_bytes() == JPEG
    for path in (video, cover):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert path.stem == f"a paper boat [vidu-{task}]"
        assert path.parent.name == daemon.task(task)["created_at"][:7]
    assert listing(run).keys() == {video.name, cover.name} and hidden(run) == []
    recorded = daemon.cli("show", task)[1]["files"]
    assert [(f["kind"], f["path"], f["bytes"], f["sha256"], f["run"]) for f in recorded] == [
        ("video", str(video), len(CLIP), hashlib.sha256(CLIP).hexdigest(), run_["id"]),
        ("cover", str(cover), len(JPEG), hashlib.sha256(JPEG).hexdigest(), run_["id"])]
    assert [m["method"] for m in sim.ledger("media")] == ["GET", "GET"]


@pytest.mark.parametrize("endpoint, model, kind, ending, begins, cover", [
    ("reference2image", "viduq2", "image", ".jpg", b"\xff\xd8\xff", True),
    ("text2audio", "audio1.0", "audio", ".wav", b"RIFF", False),
])
def test_images_and_sounds_are_results_as_well(run, endpoint, model, kind, ending, begins, cover):
    sim, daemon = stack(run)
    task = daemon.submit("--model", model, "--prompt", "a paper boat", endpoint=endpoint)
    daemon.wait_runs("done")
    path = only(run, ending)
    (recorded,) = daemon.cli("show", task)[1]["files"]
    assert (recorded["kind"], recorded["path"]) == (kind, str(path))
    assert path.read_bytes().startswith(begins)
    (result,) = daemon.task(task)["result"]
    assert bool(result["cover_url"]) == cover
    assert len(sim.ledger("media")) == 1


def test_the_cover_is_a_matter_of_choice(run):
    sim, daemon = stack(run, cover="no")
    daemon.submit()
    daemon.wait_runs("done")
    assert [p.suffix for p in listing(run).values()] == [".mp4"]
    assert len(sim.ledger("media")) == 1


@pytest.mark.parametrize("wanted, seeds, kinds", [
    ("no", {"": 1}, ["video"]), ("yes", {"": 2}, ["video"]),
    ("both", {"": 1, "-watermarked": 2}, ["video", "watermarked"])])
def test_the_watermarked_copy_is_saved_when_asked_for(run, files, wanted, seeds, kinds):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port],
                        watermarked=wanted)
    task = submit_and_tell(run, sim, daemon, {
        "url": files.url("good/a.mp4?seed=1"), "watermarked_url": files.url("good/b.mp4?seed=2")})
    daemon.wait_runs("done")
    stem = f"a paper boat [vidu-{task}]"
    assert {n: p.read_bytes() for n, p in listing(run).items()} == {
        f"{stem}{mark}.mp4": get(files.url(f"good/x?seed={seed}")).body
        for mark, seed in seeds.items()}
    assert [f["kind"] for f in daemon.cli("show", task)[1]["files"]] == kinds


def test_every_creation_has_its_own_files(run, files):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port])
    task = submit_and_tell(
        run, sim, daemon,
        {"url": files.url("good/1.mp4?seed=1"), "cover_url": files.url("kind/jpg")},
        {"url": files.url("good/2.mp4?seed=2"), "cover_url": files.url("kind/png?2")})
    daemon.wait_runs("done")
    stem = f"a paper boat [vidu-{task}"
    assert sorted(listing(run)) == sorted(
        [f"{stem}].mp4", f"{stem}].jpg", f"{stem}-c2].mp4", f"{stem}-c2].png"])
    assert listing(run)[f"{stem}].mp4"].read_bytes() != listing(run)[f"{stem}-c2].mp4"].read_bytes()


def test_both_copies_of_several_creations_arrive_from_submit_to_file(run):
    sim, daemon = stack(run, "--switch", "several", watermarked="both")
    task = daemon.submit("--set", "watermark=true")
    daemon.wait_runs("done")
    names = [f"a paper boat [vidu-{task}{c}]{mark}" for c in ("", "-c2", "-c3")
             for mark in (".mp4", "-watermarked.mp4", ".jpg")]
    assert listing(run).keys() == set(names)
    for name, path in listing(run).items():
        body = path.read_bytes()
        assert body[:len(CLIP)] == (JPEG if name.endswith(".jpg") else CLIP)
        assert body.endswith(b"freemarked\0\0") == ("-watermarked" in name)
    assert [f["kind"] for f in daemon.cli("show", task)[1]["files"]] == [
        "video", "watermarked", "cover"] * 3
    assert len(sim.ledger("media", status=200)) == 9


def test_a_cover_that_fails_does_not_take_the_video_along(run, files):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port])
    submit_and_tell(run, sim, daemon, {"url": files.url("good/a.mp4"),
                                       "cover_url": files.url("kind/html")})
    done, = daemon.wait_runs("done")
    assert [p.suffix for p in listing(run).values()] == [".mp4"]
    assert "cover" in done["detail"]


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt, title", [
    ("../../etc/passwd", "etcpasswd"),
    ('a/b\\c:d*e?f"g<h>i|j', "abcdefghij"),
    ("line\none\ttwo\x07", "line one two"),
    (".hidden . ", "hidden"),
    ("the sample reel", "the sam_ple reel"),
    ("my-trailer", "my-trailer_"),
    ("holiday part 2", "holiday part 2_"),
    ("\u7eb8\u8239\u6f02\u8fc7\u6c34\u5751 \U0001f6a2", "\u7eb8\u8239\u6f02\u8fc7\u6c34\u5751 \U0001f6a2"),
    ("\u7eb8" * 100, "\u7eb8" * 40),
    ("-rf $(id) `id` ;'", "-rf $(id) `id` ;'"),
    ("///", "text2video"),
], ids=["dots", "signs", "controls", "hidden", "sample", "trailer", "part", "cjk", "long", "shell",
        "nothing"])
def test_names_are_made_from_prompts_and_are_harmless(run, prompt, title):
    _, daemon = stack(run, cover="no")
    task = daemon.submit(prompt=prompt)
    daemon.wait_runs("done")
    assert list(listing(run)) == [f"{title} [vidu-{task}].mp4"]
    assert hidden(run) == []


# -- nobody sees half a file ----------------------------------------------------------------------


def test_no_partial_file_is_ever_visible(run):
    size = 80 << 10
    sim, daemon = stack(run, "--switch", "slow", "--media-size", size, cover="no")
    task = daemon.submit()
    parts, sizes = set(), set()

    def over():
        for path in listing(run).values():
            sizes.add(path.stat().st_size)
        for path in hidden(run):
            with contextlib.suppress(FileNotFoundError):
                seen = path.stat()
                if seen.st_size < size:
                    parts.add((path.name, stat.S_IMODE(seen.st_mode)))
        return bool(sizes)

    wait_for(over, "file in the library")
    daemon.wait_runs("done")
    assert sizes == {size}
    assert {n for n, _ in parts} >= {f".a paper boat [vidu-{task}].mp4.part"}
    assert {mode for _, mode in parts} == {0o600}
    assert hidden(run) == []


def test_progress_is_seen_by_those_who_watch(run):
    sim, daemon = stack(run, "--switch", "slow", "--media-size", 60 << 10)
    task = daemon.submit()
    done = daemon.command("--json", "watch", task)
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    told = [e for e in events if e["event"] == "progress"]
    name = f"a paper boat [vidu-{task}]"
    assert {e["name"] for e in told} == {f"{name}.mp4", f"{name}.jpg"}
    progress = [e for e in told if e["name"] == f"{name}.mp4"]
    assert progress and all(e["total"] == 60 << 10 and e["task"] == task for e in progress)
    counted = [e["done"] for e in progress]
    assert counted == sorted(counted) and 0 < counted[0] < 60 << 10


# -- interruptions --------------------------------------------------------------------------------


def test_a_truncated_video_is_resumed_where_it_broke_off(run):
    sim, daemon = stack(run, "--switch", "truncated-video", cover="no")
    daemon.submit()
    done, = daemon.wait_runs("done")
    assert done["attempt"] == 2
    assert only(run, ".mp4").read_bytes() == CLIP
    first, second = sim.ledger("media")
    assert first["half"] == 1 and second["status"] == 206 and second["from"] > 0
    assert hidden(run) == []


@pytest.mark.parametrize("behaviour, ranged", [
    ("halves", True), ("reset", True), ("dated", True), ("weak", False), ("changed", True),
    ("ignores", True), ("badstart", True), ("chunkcut", True), ("unranged", True)])
def test_a_broken_transfer_ends_in_the_right_bytes(run, files, behaviour, ranged):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], cover="no")
    submit_and_tell(run, sim, daemon, {"url": files.url(f"{behaviour}/x.mp4?q=1&e=%2B")})
    daemon.wait_runs("done")
    good = get(files.url(f"good/1?seed={2 if behaviour == 'changed' else 1}")).body
    assert only(run, ".mp4").read_bytes() == good
    asked = files.asked(f"{behaviour}/x.mp4")
    assert bool(asked[1]["range"]) == ranged and {a["method"] for a in asked} == {"GET"}
    assert not ranged or asked[1]["if_range"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_download_goes_on_where_an_ended_daemon_left_it(run, end):
    size = 100 << 10
    sim = run.sim("--ca", run.ca(), *FAST, "--switch", "slow", "--media-size", size)
    conf = run.conf(sim, hooks=[hook(run, cover="no")], shutdown_grace="0s")
    daemon = run.daemon(conf=conf)
    daemon.submit()
    wait_for(lambda: [p for p in hidden(run) if p.stat().st_size > 8000], "part of the file")
    assert listing(run) == {}
    getattr(daemon, end)()
    daemon = run.daemon(conf=conf)
    daemon.wait_runs("done")
    assert only(run, ".mp4").stat().st_size == size and hidden(run) == []
    second = sim.ledger("media")[1]
    assert second["from"] > 0 or end == "kill"  # then only what was synced counts


def test_an_expired_url_is_asked_for_anew(run):
    sim, daemon = stack(run, "--switch", "expired-url")
    task = daemon.submit()
    done, = daemon.wait_runs("done")
    assert done["attempt"] == 1
    assert only(run, ".mp4").read_bytes() == CLIP and only(run, ".jpg").read_bytes() == JPEG
    assert [m["status"] for m in sim.ledger("media")] == [403, 200, 200]
    assert len(sim.ledger("query")) == 1
    assert daemon.task(task)["state"] == "success"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_url_that_is_refused_is_asked_for_anew(run, files, status):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], cover="no")
    submit_and_tell(run, sim, daemon, {"url": files.url(f"status/{status}")})
    daemon.wait_runs("done")
    assert only(run, ".mp4").read_bytes() == CLIP  # the simulator's own, from the fresh answer
    assert len(sim.ledger("query")) == 1


def test_a_fresh_answer_with_fewer_results_is_not_the_end(run, files):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], cover="no",
                        retry={"attempts": 1})
    submit_and_tell(run, sim, daemon, {"url": files.url("good/1.mp4?seed=1")},
                    {"url": files.url("status/403")})
    wait_for(lambda: "fewer results" in daemon.runs()[0]["detail"], "why the run waits")
    assert daemon.runs()[0]["state"] in ("ready", "running")
    assert len(listing(run)) == 1


def test_a_link_that_expires_half_way_is_refreshed_and_goes_on_at_the_byte(run, files):
    """The fresh link is another address of the same file: no byte of it is sent twice."""
    provider = Provider()
    run.closers.append(provider)
    daemon = run.daemon(provider, hooks=[hook(run, cover="no")],
                        fetch={"allow": [f"{LOOPBACK}:{files.port}"]})
    task = submit(daemon, provider)
    provider.will_say(task, "success", files.url("expires/x.mp4?fresh=1"))
    assert task.say("success", url=files.url("expires/x.mp4")) == 200
    done, = daemon.wait_runs("done")
    whole = get(files.url("good/1")).body
    assert only(run, ".mp4").read_bytes() == whole and hidden(run) == []
    first, refused, rest = files.asked("expires/x.mp4")
    assert [a["status"] for a in (first, refused, rest)] == [200, 403, 206]
    assert 0 < first["sent"] < len(whole) and first["sent"] + rest["sent"] == len(whole)
    assert refused["range"] == rest["range"] == f"bytes={first['sent']}-"
    assert provider.looks_at(task) == 1 and done["attempt"] == 2


def test_a_server_that_is_busy_is_asked_again_later(run, files):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], cover="no")
    task = submit_and_tell(run, sim, daemon, {"url": files.url("status/503?after=3600")})
    ready = wait_for(lambda: [r for r in daemon.runs() if r["state"] == "ready" and r["attempt"]],
                     "run that waits")[0]
    assert "503" in ready["detail"] and ready["attempt"] == 1
    assert ready["due_at"] > daemon.task(task)["finished_at"]  # Retry-After, not 1 ms
    assert len(files.asked("status/503")) == 1


# -- what is there already ------------------------------------------------------------------------


def library_file(run, daemon, task, content):
    folder = run.home / "media" / daemon.task(task)["created_at"][:7]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"a paper boat [vidu-{task}].mp4"
    path.write_bytes(content)
    return path


def test_the_same_file_is_not_written_twice(run):
    sim, daemon = stack(run, "--switch", "lost-callback", cover="no")
    task = daemon.submit()
    path = library_file(run, daemon, task, CLIP)
    inode = path.stat().st_ino
    sim.wait_ledger("state", state="success")
    result = sim.query(daemon.task(task)["remote_id"])["creations"]
    tell(run, sim, daemon, task, *result)
    daemon.wait_runs("done")
    assert path.stat().st_ino == inode and list(listing(run)) == [path.name]


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_another_file_of_that_name_is_never_touched(run, kind):
    sim, daemon = stack(run, "--switch", "lost-callback", cover="no")
    task = daemon.submit()
    path = library_file(run, daemon, task, b"mine")
    outside = run.home / "outside"
    outside.write_bytes(b"mine")
    if kind != "file":
        path.unlink()
    if kind == "link":
        path.symlink_to(outside)
    elif kind == "folder":
        path.mkdir()
    tell(run, sim, daemon, task, *sim.query(daemon.task(task)["remote_id"])["creations"])
    daemon.wait_runs("done")
    assert kind == "folder" or path.read_bytes() == b"mine"
    assert path.is_symlink() == (kind == "link") and outside.read_bytes() == b"mine"
    saved = path.with_name(f"a paper boat [vidu-{task}]-2.mp4")
    assert saved.read_bytes() == CLIP
    assert daemon.cli("show", task)[1]["files"][0]["path"] == str(saved)


def test_a_link_in_place_of_the_month_is_not_followed(run):
    sim, daemon = stack(run, "--switch", "lost-callback", cover="no", retry=ONCE)
    task = daemon.submit()
    outside = run.home / "outside"
    outside.mkdir()
    (run.home / "media").mkdir(exist_ok=True)
    (run.home / "media" / daemon.task(task)["created_at"][:7]).symlink_to(outside)
    tell(run, sim, daemon, task, *sim.query(daemon.task(task)["remote_id"])["creations"])
    daemon.wait_runs("dead")
    assert list(outside.iterdir()) == []


# -- addresses that must not be reached -----------------------------------------------------------


FORBIDDEN = [
    "http://127.0.0.1:{}/v.mp4", "https://127.0.0.1:{}/v.mp4", "https://2130706433:{}/v.mp4",
    "http://0x7f000001:{}/v.mp4", "http://0177.0.0.1:{}/v.mp4", "http://127.1:{}/v.mp4",
    "http://0:{}/v.mp4", "http://localhost:{}/v.mp4", "https://localhost:{}/v.mp4",
    "http://[::1]:{}/v.mp4", "https://[::ffff:127.0.0.1]:{}/v.mp4", "http://[::ffff:7f00:1]:{}/v",
    "http://[::127.0.0.1]:{}/v.mp4", "http://[64:ff9b::7f00:1]:{}/v.mp4", "http://[::]:{}/v.mp4",
    "https://user:pass@127.0.0.1:{}/v.mp4", "https://127.0.0.1:{}#@media.example/v.mp4",
    "http://169.254.169.254/latest/meta-data", "HTTPS://127.0.0.1:{}/v.mp4",
]
NO_URLS = [
    "ftp://127.0.0.1:{}/v.mp4", "gopher://127.0.0.1:{}/_x", "file:///etc/passwd", "/etc/passwd",
    "dict://127.0.0.1:{}/x", "javascript:alert(1)", "http://127.0.0.1:{}\r\nHost: x/", "https://",
]


def test_no_url_of_a_result_leads_to_private_addresses(run, canary):
    """Every spelling ends in the dead letters, and nothing ever connects."""
    sim, daemon = stack(run, "--switch", "lost-callback", retry=ONCE,
                        fetch={"ports": [canary.port, 80]})
    tasks = {}
    for form in FORBIDDEN:
        url = form.format(canary.port)
        tasks[submit_and_tell(run, sim, daemon, {"url": url})] = url
    wait_for(lambda: len(daemon.runs("--state", "dead")) == len(tasks), lambda: "\n".join(
        f"dead letter: {r['detail']}: {tasks[r['task']]}"
        for r in daemon.runs() if r["state"] != "dead"))
    assert canary.count == 0
    assert listing(run) == {} and hidden(run) == []
    reasons = {tasks[r["task"]]: r["detail"] for r in daemon.runs()}
    assert all("loopback" in reasons[f"{s}:{canary.port}/v.mp4"] for s in (
        "https://2130706433", "https://[::ffff:127.0.0.1]")), reasons


def test_what_is_no_url_of_the_web_is_asked_for_anew(run, canary):
    sim, daemon = stack(run, "--switch", "lost-callback", cover="no",
                        fetch={"ports": [canary.port, 80]})
    for form in NO_URLS:
        submit_and_tell(run, sim, daemon, {"url": form.format(canary.port)})
    wait_for(lambda: [r["state"] for r in daemon.runs()] == ["done"] * len(NO_URLS),
             lambda: f"downloads: {daemon.runs()}")
    assert canary.count == 0
    assert {p.read_bytes() for p in listing(run).values()} == {CLIP}
    assert len({m["path"] for m in sim.ledger("media")}) == len(NO_URLS)


def test_covers_and_watermarked_copies_are_judged_as_well(run, files, canary):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], retry=ONCE,
                        watermarked="both", fetch={"ports": [canary.port]})
    private = f"https://127.0.0.1:{canary.port}/x"
    good = files.url("good/a.mp4")
    submit_and_tell(run, sim, daemon, {"url": good, "watermarked_url": good, "cover_url": private})
    daemon.wait_runs("done")
    submit_and_tell(run, sim, daemon, {"url": good, "watermarked_url": private})
    daemon.wait_runs("done", "dead")
    assert canary.count == 0


@pytest.mark.parametrize("target", [
    "http://127.0.0.1:{}/v.mp4", "https://[::1]:{}/v.mp4", "https://0x7f.1:{}/v.mp4",
    "file:///etc/passwd", "ftp://127.0.0.1:{}/v.mp4"], ids=["v4", "v6", "hex", "file", "ftp"])
def test_a_redirect_does_not_lead_there_either(run, files, canary, target):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], retry=ONCE,
                        fetch={"ports": [canary.port]})
    to = urllib.parse.quote(target.format(canary.port), safe="")
    submit_and_tell(run, sim, daemon, {"url": files.url(f"redirect/x.mp4?to={to}")})
    daemon.wait_runs("dead")
    assert canary.count == 0 and len(files.asked("redirect/x.mp4")) == 1
    assert listing(run) == {} and hidden(run) == []


def test_redirects_to_allowed_places_are_followed_but_not_for_ever(run, files):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], retry=ONCE,
                        cover="no")
    to = urllib.parse.quote(files.url("good/a.mp4"), safe="")
    submit_and_tell(run, sim, daemon, {"url": files.url(f"redirect/x.mp4?to={to}")})
    daemon.wait_runs("done")
    submit_and_tell(run, sim, daemon, {"url": files.url("loop/x.mp4")})
    wait_for(lambda: daemon.runs()[1]["attempt"] == 1 and daemon.runs()[1]["state"] != "running",
             "end of the loop")
    assert 1 < len(files.asked("loop/x.mp4")) < 10
    assert len(listing(run)) == 1


def test_fresh_urls_are_judged_too(run, files, canary):
    """The answer of the provider is no reason to trust a URL."""
    sim = run.sim("--ca", run.ca(), *FAST, "--switch", "lost-callback")
    daemon = run.daemon(sim, hooks=[hook(run, retry=ONCE, cover="no")],
                        fetch={"allow": [f"{LOOPBACK}:{files.port}"], "ports": [canary.port]})
    submit_and_tell(run, sim, daemon, {"url": files.url("status/403")})
    daemon.wait_runs("dead")  # the fresh one is the simulator's, which is not allowed here
    assert len(sim.ledger("query")) == 1 and sim.ledger("media") == []


# -- content and size -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["garbage/x.mp4", "empty/x.mp4", "kind/jpg", "huge/x.mp4",
                                  "status/400", "gzip/x.mp4"])
def test_what_is_no_video_never_gets_a_name(run, files, path):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], retry=ONCE,
                        cover="no")
    url = files.url(path) + ("?as=.mp4" if "mp4" not in path else "")
    submit_and_tell(run, sim, daemon, {"url": url})
    dead, = daemon.wait_runs("dead")
    assert dead["detail"] and listing(run) == {} and hidden(run) == []


@pytest.mark.parametrize("path", ["good/x.mp4", "chunked/x.mp4", "endless/x.mp4"])
def test_a_file_over_max_size_is_refused(run, files, path):
    sim, daemon = stack(run, "--switch", "lost-callback", also_allow=[files.port], retry=ONCE,
                        cover="no", max_size="100KiB")
    submit_and_tell(run, sim, daemon, {"url": files.url(path)})
    dead, = daemon.wait_runs("dead")
    assert re.search("over 102400 bytes|file size", dead["detail"])
    assert listing(run) == {} and hidden(run) == []


def test_downloads_wait_while_the_disk_is_too_full(run):
    free = os.statvfs(run.home)
    too_much = min(16 << 40, free.f_bavail * free.f_frsize + (1 << 40))
    sim, daemon = stack(run, cover="no", fetch={"keep_free": str(too_much)}, retry={
        "attempts": 1, "from": "20ms", "to": "50ms"})
    daemon.submit()
    waiting = wait_for(lambda: [r for r in daemon.runs() if r["attempt"] > 2], "third attempt")[0]
    assert f"fetch.keep_free is {too_much}" in waiting["detail"] and listing(run) == {}
    daemon.write({**daemon.conf, "fetch": {**daemon.conf["fetch"], "keep_free": "0"}})
    daemon.cli("reload")
    daemon.wait_runs("done")
    assert only(run, ".mp4").read_bytes() == CLIP


def test_a_folder_that_cannot_be_made_is_a_failure_with_its_reason(run):
    sim, daemon = stack(run, "--switch", "lost-callback", cover="no", retry=ONCE)
    task = daemon.submit()
    (run.home / "media").write_text("not a folder")
    tell(run, sim, daemon, task, *sim.query(daemon.task(task)["remote_id"])["creations"])
    dead, = daemon.wait_runs("dead")
    assert str(run.home / "media") in dead["detail"]
    (run.home / "media").unlink()
    daemon.cli("retry", "--dead")
    daemon.wait_runs("done")
    assert only(run, ".mp4").read_bytes() == CLIP


def test_many_downloads_at_once_keep_apart(run):
    sim, daemon = stack(run, "--media-size", 300 << 10)
    for i in range(10):
        daemon.submit(prompt=f"boat {i % 2}")
    wait_for(lambda: [r["state"] for r in daemon.runs()] == ["done"] * 10, "ten downloads")
    videos = [p for n, p in listing(run).items() if n.endswith(".mp4")]
    assert len(videos) == 10 and {p.stat().st_size for p in videos} == {300 << 10}
    assert len(listing(run)) == 20 and hidden(run) == []
