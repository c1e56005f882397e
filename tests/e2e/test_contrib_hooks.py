# SPDX-License-Identifier: MIT
"""The example hooks of contrib/hooks: each does what its head says, and asks for another time when
it should."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from harness import LOOPBACK, wait_for
from web import QuietHandler, Served

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOOKS = ROOT / "contrib" / "hooks"
CLIP = ROOT / "src" / "sim" / "clip.mp4"


def hook(name, *args, **variables):
    """(exit status, stdout, stderr) of a hook in the environment that the daemon would give it."""
    env = {"PATH": os.environ["PATH"], "HOME": "/", "LANG": "C.UTF-8", "VIDUHOOK_TASK_ID": "t3k9",
           "VIDUHOOK_STATE": "success", "VIDUHOOK_ERR_CODE": "", "VIDUHOOK_COVER_FILE": ""}
    env.update({f"VIDUHOOK_{k}": str(v) for k, v in variables.items()})
    done = subprocess.run([HOOKS / name, *map(str, args)], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Server(Served):
    """Answers PUT and POST with a status, and keeps what came."""

    def __init__(self, status=200):
        got = self.got = []

        class Handler(QuietHandler):
            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.append((self.command, self.path, self.headers, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_PUT

        super().__init__(Handler)


@pytest.fixture
def media(tmp_path):
    """A folder with a downloaded clip and its cover, and an empty one beside it."""
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    shutil.copy(CLIP, tmp_path / "from" / "a \"boat\" [vidu-t3k9].mp4")
    (tmp_path / "from" / "a \"boat\" [vidu-t3k9].jpg").write_bytes(b"\xff\xd8\xff")
    return tmp_path


def clip_in(media):
    return media / "from" / "a \"boat\" [vidu-t3k9].mp4"


def names(folder):
    return sorted(p.name for p in folder.iterdir())


# -- move-to --------------------------------------------------------------------------------------


def test_a_result_moves_with_its_cover(media):
    clip = clip_in(media)
    files = {"FILE": clip, "COVER_FILE": clip.with_suffix(".jpg")}
    status, out, _ = hook("move-to", media / "to", **files)
    assert status == 0 and out.splitlines() == [str(media / "to" / clip.name),
                                                str(media / "to" / clip.with_suffix(".jpg").name)]
    assert names(media / "from") == [] and len(names(media / "to")) == 2
    assert (media / "to" / clip.name).read_bytes() == CLIP.read_bytes()
    assert hook("move-to", media / "to", **files)[0] == 0, "made again after a crash"


def test_another_file_in_the_way_is_kept_and_so_is_the_result(media):
    clip = clip_in(media)
    (media / "to" / clip.name).write_bytes(b"another")
    status, _, err = hook("move-to", media / "to", FILE=clip)
    assert status == 65 and "another file" in err
    assert clip.exists() and (media / "to" / clip.name).read_bytes() == b"another"


def test_a_place_that_is_away_is_asked_for_again(media):
    status, _, err = hook("move-to", media / "gone", FILE=clip_in(media))
    assert status == 75 and "gone is not there" in err and clip_in(media).exists()


# -- pictures and videos -----------------------------------------------------------------------------


def probe(path, entry):
    return subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", f"stream={entry}",
                           "-of", "csv=p=0", path], capture_output=True, text=True, check=True).stdout.strip()


def test_a_video_is_made_for_old_players(media):
    status, out, err = hook("transcode", media / "to", 64, FILE=clip_in(media))
    made, = (media / "to").iterdir()
    assert status == 0 and out.strip() == str(made), err
    assert probe(made, "codec_name,height,pix_fmt") == "h264,64,yuv420p"
    before = made.stat().st_mtime_ns
    assert hook("transcode", media / "to", 64, FILE=clip_in(media))[0] == 0
    assert made.stat().st_mtime_ns == before, "made once"


def test_a_video_that_is_none_leaves_nothing_behind(media):
    clip_in(media).write_bytes(b"not a video")
    for name in ("transcode", "contact-sheet"):
        status, _, err = hook(name, media / "to", FILE=clip_in(media))
        assert status not in (0, 75) and err
    assert names(media / "to") == []


def test_a_contact_sheet_shows_frames_of_the_whole_video(media):
    status, out, err = hook("contact-sheet", media / "to", FILE=clip_in(media))
    made, = (media / "to").iterdir()
    assert status == 0 and out.strip() == str(made), err
    width, height = map(int, probe(made, "width,height").split(","))
    assert width == 4 * 320 and height > 0 and made.suffix == ".jpg"


# -- chat and upload ---------------------------------------------------------------------------------


def test_a_chat_is_told(tmp_path):
    message = "success: \"a boat\" \\ on\nthe moon \u4f60"
    with contextlib.closing(Server()) as chat:
        (tmp_path / "url").write_text(f"{chat.url}/hooks/secret\n")
        status, _, err = hook("post-to-chat", tmp_path / "url", "text", message)
        (method, path, headers, body), = chat.got
    assert status == 0, err
    assert (method, path) == ("POST", "/hooks/secret")
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"text": message.replace("\n", " ")}


@pytest.mark.parametrize("answer, status", [(204, 0), (429, 75), (503, 75), (404, 65)])
def test_what_a_chat_answers_decides(tmp_path, answer, status):
    with contextlib.closing(Server(answer)) as chat:
        (tmp_path / "url").write_text(chat.url)
        assert hook("post-to-chat", tmp_path / "url", "content", "x")[0] == status


def test_a_chat_that_is_away_is_told_later(tmp_path):
    (tmp_path / "url").write_text(f"http://{LOOPBACK}:9/")
    assert hook("post-to-chat", tmp_path / "url", "text", "x")[0] == 75


def test_a_result_is_uploaded_under_the_name_of_its_task(media):
    (media / "netrc").write_text(f"machine {LOOPBACK} login me password secret\n")
    with contextlib.closing(Server(201)) as cloud:
        status, out, err = hook("upload", f"{cloud.url}/vidu", media / "netrc", FILE=clip_in(media))
        (method, path, headers, body), = cloud.got
    assert status == 0 and out.strip() == f"{cloud.url}/vidu/t3k9.mp4", err
    assert (method, path) == ("PUT", "/vidu/t3k9.mp4") and body == CLIP.read_bytes()
    assert headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("answer, status", [(507, 75), (403, 65)])
def test_what_a_server_answers_to_an_upload_decides(media, answer, status):
    with contextlib.closing(Server(answer)) as cloud:
        assert hook("upload", cloud.url, FILE=clip_in(media))[0] == status


# -- as a hook ---------------------------------------------------------------------------------------


def test_a_download_is_moved_on_by_the_daemon(run):
    nas = run.home / "nas"
    nas.mkdir()
    _, daemon = run.stack("--time", "20ms", hooks=[
        {"name": "archive", "download": {"dir": str(run.home / "media")}},
        {"name": "nas", "after": "archive", "exec": [str(HOOKS / "move-to"), str(nas)]}])
    daemon.submit(prompt="a paper boat")
    wait_for(lambda: len(names(nas)) == 2, "video and cover in their new place")
    done = daemon.wait_runs("done", args=("--hook", "nas"))
    assert done[0]["output"].splitlines()[0].endswith(".mp4")
    assert [p for p in (run.home / "media").rglob("*") if p.is_file() and p.name[0] != "."] == []
