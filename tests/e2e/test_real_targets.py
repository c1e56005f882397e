# SPDX-License-Identifier: MIT
"""Deliveries to what others have written: WebDAV to a real lighttpd, and S3 as botocore signs it."""
import base64
import contextlib
import http.client

from botocore import auth, awsrequest, credentials
import pytest

from harness import LOOPBACK, Process, wait_for
from test_deliver import TOKEN, library, local_files, media, s3, secret, serve
from test_doctor import told

PROMPT = "A boat [1], 100% + \N{CJK UNIFIED IDEOGRAPH-732B}=x"


class Lighttpd:
    """mod_webdav behind Basic authentication: unprivileged, everything below home."""

    def __init__(self, run):
        self.port = run.port()
        self.root = run.home / "www"
        (self.root / "dav").mkdir(parents=True)
        users = run.file("users", f"me:{TOKEN}\n")
        conf = run.file("lighttpd.conf", f"""
server.port = {self.port}
server.bind = "{LOOPBACK}"
server.document-root = "{self.root}"
server.modules = ("mod_auth", "mod_authn_file", "mod_webdav")
auth.backend = "plain"
auth.backend.plain.userfile = "{users}"
$HTTP["url"] =~ "^/dav" {{
    webdav.activate = "enable"
    auth.require = ("" => ("method" => "basic", "realm" => "dav", "require" => "valid-user"))
}}
""")
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.process = run.add(Process(["/usr/sbin/lighttpd", "-D", "-f", conf], run.home,
                                       "lighttpd"))
        wait_for(self.answers, lambda: f"lighttpd's answer:\n{self.process.tail()}")

    def answers(self):
        login = base64.b64encode(f"me:{TOKEN}".encode()).decode()
        with contextlib.suppress(OSError), contextlib.closing(
                http.client.HTTPConnection(LOOPBACK, self.port)) as connection:
            connection.request("PROPFIND", "/dav/", headers={"Authorization": f"Basic {login}",
                                                             "Depth": "0"})
            return connection.getresponse().status == 207
        return False

    def files(self):
        return {p.name: p.read_bytes() for p in self.root.rglob("*") if p.is_file()}


def dav(run, server, folder="/dav/my%20clips", password=TOKEN):
    return {"preset": "webdav", "url": server.url + folder, "user": "me",
            "token": secret(run, "dav.key", password)}


def test_lighttpd_has_every_file_to_the_byte(run):
    server = Lighttpd(run)
    daemon = library(run, dav(run, server))
    daemon.wait_runs("done", "done")
    assert server.files() == local_files(run) and len(server.files()) == 2
    assert (server.root / "dav/my clips" / media(run).name).is_file()
    daemon.cli("retry", daemon.runs()[1]["id"])  # what is there already is taken for done
    daemon.wait_log("run.done", 3)
    assert server.files() == local_files(run)


def test_lighttpd_keeps_another_file_of_that_name(run):
    server = Lighttpd(run)
    daemon = library(run, dav(run, server))
    daemon.wait_runs("done", "done")
    stored = server.root / "dav/my clips" / media(run).name
    stored.write_bytes(b"somebody else's")
    daemon.cli("retry", daemon.runs()[1]["id"])
    wait_for(lambda: daemon.runs()[1]["state"] == "dead", "given up")
    assert "it is left alone" in daemon.runs()[1]["detail"]
    assert stored.read_bytes() == b"somebody else's"


def test_lighttpd_refuses_a_wrong_password(run):
    server = Lighttpd(run)
    daemon = library(run, dav(run, server, password="wrong"))
    _, dead = daemon.wait_runs("done", "dead")
    assert "HTTP 401" in dead["detail"] and server.files() == {}


def test_lighttpd_gets_folders_in_folders(run):
    server = Lighttpd(run)
    daemon = library(run, dav(run, server, "/dav/a/b/c"))
    daemon.wait_runs("done", "done")
    assert (server.root / "dav/a/b/c" / media(run).name).is_file()


def test_lighttpd_is_understood_by_doctor(run):
    server = Lighttpd(run)
    (server.root / "dav/clips").mkdir()
    assert told(run, dav(run, server, "/dav/clips")) == (
        True, "the server knows us and has the folder")
    assert told(run, dav(run, server, "/dav/later"))[0]
    assert "http.token" in told(run, dav(run, server, "/dav/clips", "wrong"))[1]
    assert "is elsewhere" not in told(run, dav(run, server, "/plain"))[1]


def signature(asked):
    """As botocore would have signed the same request."""
    headers = {name: asked.headers[name] for name in ("x-amz-content-sha256", "x-amz-date")}
    request = awsrequest.AWSRequest(asked.method, f"http://{asked.headers['Host']}{asked.target}",
                                    headers=headers)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = auth.S3SigV4Auth(credentials.Credentials("AK", TOKEN), "s3", "eu-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request)


def test_s3_requests_are_signed_as_botocore_signs_them(run):
    store = {}

    def bucket(asked):
        sent = asked.headers["Authorization"].rpartition("Signature=")[2]
        if sent != signature(asked):
            return 403, {}, b"SignatureDoesNotMatch"
        if asked.method == "PUT":
            store[asked.path.rpartition("/")[2]] = asked.body
        return (200 if asked.path.rpartition("/")[2] in store else 404), {}, None

    server = serve(run, bucket)
    target = s3(run, server)
    target["url"] = server.url + "/bucket/my%20clips/%E7%8C%AB=1+2"
    sim_daemon = library(run, target)
    sim_daemon.wait_runs("done", "done")
    sim_daemon.submit(prompt=PROMPT)
    sim_daemon.wait_runs("done", "done", "done", "done")
    assert sorted(store.values()) == sorted(local_files(run).values()) and len(store) == 4
