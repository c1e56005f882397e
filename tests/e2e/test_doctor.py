# SPDX-License-Identifier: MIT
"""doctor --hooks: what is well and what is wrong with the targets of hooks, found without a run."""
import json

import pytest

from harness import LOOPBACK, viduhook
from test_deliver import TOKEN, Store, kodi, secret, serve


def doctor(run, *hooks):
    """(exit status, what it found of each hook)."""
    conf = {"public_url": "https://hooks.example.org", "listen": [f"http://{LOOPBACK}:0"],
            "behind_proxy": True, "store": f"sqlite:{run.home}/no.db",
            "control": str(run.home / "no.sock"),
            "providers": {"vidu": {"key": secret(run, "p.key", "vda_0123456789abcdef")}},
            "hooks": list(hooks)}
    run.file("doctor.yaml", json.dumps(conf))
    done = viduhook("-c", run.home / "doctor.yaml", "--json", "doctor", "--hooks")
    plain = viduhook("-c", run.home / "doctor.yaml", "doctor", "--hooks")
    assert plain.returncode == done.returncode and TOKEN not in plain.stdout + done.stdout
    found = json.loads(done.stdout)["hooks"]
    lines = plain.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ok" if f["ok"] else "wrong", f["hook"]] for f in found], plain.stderr
    return done.returncode, {f["hook"]: f for f in found}


def archive(run):
    (run.home / "media").mkdir(exist_ok=True)
    return {"name": "archive", "download": {"dir": str(run.home / "media")}}


def told(run, http_):
    """What is found of an http hook after a download."""
    status, found = doctor(run, archive(run), {"name": "tell", "after": "archive", "http": http_})
    assert found["archive"]["ok"] and status == (0 if found["tell"]["ok"] else 1)
    return found["tell"]["ok"], found["tell"]["text"]


def test_programs_and_directories(run):
    plain = run.file("plain", "x", 0o644)
    status, found = doctor(
        run, {"name": "good", "exec": ["/bin/true"]}, archive(run),
        {"name": "nowhere", "download": {"dir": str(run.home / "nowhere")}},
        {"name": "nodir", "download": {"dir": str(plain)}})
    assert status == 1
    assert {name for name, f in found.items() if f["ok"]} == {"good", "archive"}
    assert "make the directory" in found["nowhere"]["text"]
    assert "is not a directory" in found["nodir"]["text"]


def test_a_configuration_that_cannot_be_read_is_told_with_its_place(run):
    run.file("doctor.yaml", "hooks:\n  - { name: gone, exec: [/no/such] }\n")
    done = viduhook("-c", run.home / "doctor.yaml", "doctor", "--hooks")
    assert done.returncode == 1 and "doctor.yaml:2:" in done.stderr


def test_nothing_wrong_is_status_0_and_needs_no_daemon(run):
    assert doctor(run, {"name": "good", "exec": ["/bin/true"]})[0] == 0


class Jellyfin:
    """As Jellyfin 12 answers an administrator's key."""

    def __init__(self, *places):
        self.places = places

    def __call__(self, asked):
        if asked.path == "/health":
            return 200, {}, b"Healthy"
        form = asked.headers.get("Authorization", "")
        if not form.startswith("MediaBrowser ") or f'Token="{TOKEN}"' not in form:
            return 401, {}, b""
        if asked.path != "/Library/VirtualFolders" or asked.method != "GET":
            return 404, {}, b""
        return 200, {}, json.dumps([{"Name": "Clips", "Locations": [*self.places]}]).encode()


def jellyfin(run, server, **more):
    return {"preset": "jellyfin", "url": server.url + "/", "token": secret(run, "t.key", TOKEN),
            **more}


def test_jellyfin_knows_us_and_the_folder(run):
    server = serve(run, Jellyfin("/media/other", "/media"))
    ok, text = told(run, jellyfin(run, server, path_map={str(run.home): "/media/x"}))
    assert ok and text == "the server knows us, and its library Clips holds /media/x/media"


def test_jellyfin_without_the_folder(run):
    server = serve(run, Jellyfin("/media"))
    ok, text = told(run, jellyfin(run, server))
    assert not ok and f"none of its libraries holds {run.home}/media" in text


def test_jellyfin_with_another_key(run):
    server = serve(run, Jellyfin("/media"))
    ok, text = told(run, jellyfin(run, server, token=secret(run, "u.key", "another")))
    assert not ok and "does not know us (HTTP 401); check http.token" in text


def test_what_is_no_jellyfin(run):
    server = serve(run, (200, {}, b"<html>"))
    ok, text = told(run, jellyfin(run, server))
    assert not ok and "no Jellyfin" in text


def test_emby_knows_us_and_the_folder(run):
    def emby(asked):
        known = asked.headers.get("X-Emby-Token") == TOKEN
        if not known or asked.path != "/emby/Library/VirtualFolders":
            return 404 if known else 401, {}, b""
        return 200, {}, json.dumps([{"Name": "C", "Locations": [str(run.home)]}]).encode()

    server = serve(run, emby)
    assert told(run, {"preset": "emby", "url": server.url + "/emby",
                      "token": secret(run, "t.key", TOKEN)})[0]
    ok, text = told(run, {"preset": "emby", "url": server.url,
                          "token": secret(run, "t.key", TOKEN)})
    assert not ok and "check its path" in text


@pytest.mark.parametrize("path,well", [("HOME", True), ("/elsewhere", False)])
def test_plex_is_asked_for_its_libraries(run, path, well):
    def plex(asked):
        if asked.headers.get("X-Plex-Token") != TOKEN or asked.path != "/library/sections":
            return 401, {}, b""
        found = [{"title": "Clips", "Location": [{"path": path.replace("HOME", str(run.home))}]}]
        return 200, {}, json.dumps({"MediaContainer": {"Directory": found}}).encode()

    server = serve(run, plex)
    ok, text = told(run, {"preset": "plex", "url": server.url,
                          "token": secret(run, "t.key", TOKEN)})
    assert ok == well and ("Clips" in text if well else "none of its libraries" in text)


@pytest.mark.parametrize("library,well", [("/media/vidu/", True), ("/media/vid", False)])
def test_kodi_is_asked_for_its_sources(run, library, well):
    def sources(asked):
        status, headers, body = kodi(asked)
        if status == 200 and asked.json["method"] == "Files.GetSources":
            body = b'{"result": {"sources": [{"file": "/media/vidu/", "label": "x"}]}}'
        return status, headers, body

    server = serve(run, sources)
    ok, text = told(run, {"preset": "kodi", "url": server.url, "user": "kodi", "library": library,
                          "token": secret(run, "t.key", TOKEN)})
    assert ok == well and library in text


@pytest.mark.parametrize("status,well,word", [
    (207, True, "has the folder"), (404, True, "will be made"), (401, False, "http.token"),
    (200, False, "no WebDAV"), (301, False, "final address")])
def test_webdav_is_asked_for_the_folder(run, status, well, word):
    server = serve(run, (status, {}, b""))
    ok, text = told(run, {"preset": "webdav", "url": server.url + "/dav/x"})
    assert (ok, word in text) == (well, True), text
    assert server.asked[0].method == "PROPFIND" and server.asked[0].headers["Depth"] == "0"


def test_s3_is_asked_for_a_key_that_is_not_there(run):
    def s3(asked):
        known = Store.signature(asked) == asked.headers["Authorization"].rpartition("=")[2]
        return (404, {}, b"<Code>NoSuchKey</Code>") if known else (
            403, {}, b"<Code>SignatureDoesNotMatch</Code>")

    server = serve(run, s3)
    target = {"preset": "s3", "url": server.url + "/b/x", "user": "AK", "region": "eu-1",
              "token": secret(run, "t.key", TOKEN)}
    assert told(run, target) == (True, "the server knows us and the bucket")
    ok, text = told(run, {**target, "region": "eu-2"})
    assert not ok and "SignatureDoesNotMatch" in text


@pytest.mark.parametrize("status,well", [(200, True), (404, False)])
def test_s3_says_what_another_answer_means(run, status, well):
    server = serve(run, (status, {}, b"no such page"))
    ok, text = told(run, {"preset": "s3", "url": server.url + "/b/x", "user": "AK",
                          "region": "eu-1", "token": secret(run, "t.key", TOKEN)})
    assert ok == well and text, text


def test_immich_knows_the_key(run):
    server = serve(run, lambda a: (200 if a.headers.get("x-api-key") == TOKEN
                                   and a.path == "/api/users/me" else 401, {}, b"{}"))
    target = {"preset": "immich", "url": server.url, "token": secret(run, "t.key", TOKEN)}
    assert told(run, target)[0]
    assert not told(run, {**target, "token": secret(run, "t.key", "x")})[0]


@pytest.mark.parametrize("preset,path,empty", [
    ("gotify", "/message", {"message": ""}),
    ("slack", "/" + TOKEN, {"text": ""}),
])
def test_who_refuses_an_empty_message_knows_the_token(run, preset, path, empty):
    def answer(asked):
        if asked.path not in (path, "/message") or (preset == "gotify"
                                                    and asked.headers["X-Gotify-Key"] != TOKEN):
            return 401 if preset == "gotify" else 403, {}, b"no"
        return (400 if asked.method == "POST" and asked.json == empty else 200), {}, b"said"

    server = serve(run, answer)
    target = {"preset": preset, "url": server.url, "token": secret(run, "t.key", TOKEN)}
    ok, text = told(run, target)
    assert ok and text.endswith("the server knows us")
    ok, text = told(run, {**target, "token": secret(run, "t.key", "another")})
    assert not ok and "check http.token" in text


def test_a_server_that_is_not_there(run):
    ok, text = told(run, {"url": f"http://{LOOPBACK}:{run.port()}/x"})
    assert not ok and "cannot be asked" in text and "check http.url" in text


@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 405, 501])
def test_a_plain_server_is_only_looked_at(run, status):
    server = serve(run, (status, {}, None))
    ok, text = told(run, {"url": server.url + "/x"})
    assert ok and "a delivery is not tried" in text
    assert {a.method for a in server.asked} == {"HEAD"}


@pytest.mark.parametrize("status,word", [
    (301, "final address"), (308, "final address"), (401, "http.token"), (410, "HTTP 410"), (500, "HTTP 500"),
    (503, "HTTP 503")])
def test_what_a_plain_server_says_to_every_method_is_wrong(run, status, word):
    server = serve(run, (status, {}, None))
    ok, text = told(run, {"url": server.url + "/x"})
    assert not ok and word in text, text


def test_without_a_question_it_says_what_it_needs(run):
    done = viduhook("doctor")
    assert done.returncode == 2 and "--hooks" in done.stderr
