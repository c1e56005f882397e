# SPDX-License-Identifier: MIT
"""What the public listeners accept as HTTP and as TLS, said to them in raw bytes: the table of
hardening.md 1.2 and more, deadlines, caps, and the rules of section 2.

Every refused request is followed, or smuggles inside of it, a second one that would be answered
200 by itself (the first test proves it): one answer and a closed connection is what is right.
"""
import contextlib
import errno
import json
import pathlib
import re
import select
import socket
import ssl
import subprocess
import time

import pytest

from harness import DEADLINE, LOOPBACK, SIM_KEY, Run, program, signed_headers, wait_for
from provider import Provider, submit

MAX_BODY = 64 << 10
QUICK = "300ms"

# -- saying it ------------------------------------------------------------------------------------


class Line:
    """One connection to a listener; TLS when a certificate is given."""

    def __init__(self, port, ca=None, host=LOOPBACK, context=None):
        self.socket = socket.create_connection((host, port), timeout=DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca is not None:
            context = context or ssl.create_default_context(cafile=str(ca))
            self.socket = context.wrap_socket(self.socket, server_hostname=host)
        self.received = b""

    def send(self, data):
        """False when the other side does not want more."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def read(self):
        """A piece; b"" at the end, however it comes."""
        try:
            piece = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError):
            piece = b""
        self.received += piece
        return piece

    def read_all(self):
        while self.read():
            pass
        return self.received

    def read_until(self, condition):
        while not condition(self.received):
            assert self.read(), f"closed after {self.received!r}"
        return self.received

    def answer(self):
        """The next whole answer: (status, head, body)."""
        self.read_until(lambda got: b"\r\n\r\n" in got)
        head, _, rest = self.received.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?im)^Content-Length: (\d+)", head + b"\r\nContent-Length: 0")[1])
        if head.startswith(b"HTTP/1.1 100"):
            length = 0
        while len(rest) < length:
            piece = self.read()
            assert piece, f"cut in the body: {self.received!r}"
            rest += piece
        self.received = rest[length:]
        return int(head.split()[1]), head, rest[:length]

    def is_closed(self):
        """Whether the other side has closed by now; does not wait."""
        if not select.select([self.socket], [], [], 0)[0]:
            return False
        return self.read() == b""

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def line(*args, **more):
    opened = Line(*args, **more)
    try:
        yield opened
    finally:
        opened.close()


def statuses(received):
    """Of the answers in the bytes; an embedded status line would count as well, and should."""
    return [int(code) for code in re.findall(rb"HTTP/\d\.\d (\d{3}) ", received)]


# -- the world ------------------------------------------------------------------------------------


class Place:
    """A daemon that listens plain and with TLS, and a task whose callbacks it takes."""

    def __init__(self, run, **limits):
        self.provider = Provider()
        run.closers.append(self.provider)
        conf = run.conf(self.provider, limits={
            "source_rate": 0, "per_source": 0, "max_body": MAX_BODY, **limits})
        conf["listen"].append(f"http://{LOOPBACK}:{run.port()}")
        self.daemon = run.daemon(conf=conf)
        self.ports = [int(u.rpartition(":")[2]) for u in conf["listen"]]
        self.task = submit(self.daemon, self.provider)
        self.path = "/callback/" + self.task.key

    def line(self, tls=False):
        return line(self.ports[0], self.daemon.ca) if tls else line(self.ports[1])

    def signature(self):
        """Header lines that are right for the task's callback, once."""
        headers = signed_headers(SIM_KEY, self.task.url)
        del headers["Content-Type"]
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()

    def fill(self, raw):
        """@PATH, @SIGNED and @SECOND in the bytes of a case."""
        for _ in range(2):
            raw = raw.replace(b"@SECOND", request(), 1)
        while b"@SIGNED" in raw:
            raw = raw.replace(b"@SIGNED\r\n", self.signature(), 1)
        return raw.replace(b"@PATH", self.path.encode()).replace(b"@KEY", self.task.key.encode())

    def exchange(self, raw, tls=False, step=None):
        """Everything that comes back for these bytes, sent at once or in steps."""
        raw = self.fill(raw)
        with self.line(tls) as to:
            for at in range(0, len(raw), step or len(raw)):
                if not to.send(raw[at:at + (step or len(raw))]):
                    break
            return to.read_all()

    def counters(self):
        """Of the receiver, as of its last report."""
        rooms = self.daemon.cli("status")[1]["rooms"]
        return next(r["counters"] for r in rooms if r["name"] == "receiver 1")

    def wait_counter(self, name, at_least=1):
        wait_for(lambda: self.counters().get(name, 0) >= at_least,
                 lambda: f"{at_least} x {name} in {self.counters()}")


@pytest.fixture(scope="module")
def place(shared_run):
    return Place(shared_run)


BODY = b'{"state":"processing"}'
TYPE = b"Content-Type: application/json\r\n"
HOST = b"Host: hooks.example\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def request(start=b"POST @PATH HTTP/1.1", host=HOST, kind=TYPE, framing=LENGTH, more=b"",
            body=BODY, end=b"\r\n"):
    """A callback that is right in every part that is not given."""
    return start + end + host + kind + framing + more + b"@SIGNED\r\n" + end + body


def chunked(body, **more):
    return request(framing=CHUNKED, body=body, **more)


def lines(n):
    return b"".join(b"x-%d: y\r\n" % i for i in range(n))


OK_CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
HUGE = b"Content-Length: %d\r\n" % (MAX_BODY + 1)

# -- the table ------------------------------------------------------------------------------------

# Not acceptable HTTP. @SECOND stands for a request that would be answered by itself; it follows
# every case as well.
MALFORMED = {
    # framing
    "two Content-Length": request(framing=b"Content-Length: 2\r\nContent-Length: 3\r\n"),
    "two equal Content-Length": request(framing=LENGTH + LENGTH),
    "Content-Length with plus": request(framing=b"Content-Length: +22\r\n"),
    "Content-Length minus zero": request(framing=b"Content-Length: -0\r\n", body=b""),
    "Content-Length negative": request(framing=b"Content-Length: -1\r\n"),
    "Content-Length list": request(framing=b"Content-Length: 22,22\r\n"),
    "Content-Length hex": request(framing=b"Content-Length: 0x16\r\n"),
    "Content-Length empty": request(framing=b"Content-Length:\r\n", body=b"@SECOND"),
    "Content-Length with unit": request(framing=b"Content-Length: 22 \x31\r\n"),
    "Content-Length decimal": request(framing=b"Content-Length: 22.0\r\n"),
    "Content-Length underscore": request(framing=b"Content-Length: 2_2\r\n"),
    "Content-Length overflows": request(framing=b"Content-Length: 18446744073709551638\r\n"),
    "blank before the colon of Content-Length": request(framing=b"Content-Length : 22\r\n"),
    "tab before the colon of Content-Length": request(framing=b"Content-Length\t: 22\r\n"),
    "Content-Length and chunked": request(framing=LENGTH + CHUNKED, body=OK_CHUNKS),
    "chunked and Content-Length": request(framing=CHUNKED + LENGTH, body=OK_CHUNKS),
    "neither length nor chunked": request(framing=b"", body=b"@SECOND"),
    "Transfer-Encoding identity": request(framing=b"Transfer-Encoding: identity\r\n",
                                          body=b"@SECOND"),
    "Transfer-Encoding xchunked": request(framing=b"Transfer-Encoding: xchunked\r\n",
                                          body=b"@SECOND"),
    "blank before the colon of Transfer-Encoding": request(
        framing=b"Transfer-Encoding : chunked\r\n", body=b"0\r\n\r\n@SECOND"),
    "gzip, chunked": request(framing=b"Transfer-Encoding: gzip, chunked\r\n", body=OK_CHUNKS),
    "chunked, chunked": request(framing=b"Transfer-Encoding: chunked, chunked\r\n",
                                body=OK_CHUNKS),
    "chunked twice": request(framing=CHUNKED + CHUNKED, body=OK_CHUNKS),
    "chunked in quotes": request(framing=b'Transfer-Encoding: "chunked"\r\n', body=OK_CHUNKS),
    "chunked with parameter": request(framing=b"Transfer-Encoding: chunked;a=b\r\n",
                                      body=OK_CHUNKS),
    "chunked with vertical tab": request(framing=b"Transfer-Encoding: \x0bchunked\r\n",
                                         body=OK_CHUNKS),
    "Transfer-Encoding empty": request(framing=b"Transfer-Encoding:\r\n", body=b"@SECOND"),
    "identity beside Content-Length": request(
        framing=LENGTH + b"Transfer-Encoding: identity\r\n"),
    "chunked in HTTP/1.0": chunked(OK_CHUNKS, start=b"POST @PATH HTTP/1.0"),
    "HEAD with a body": request(start=b"HEAD @PATH HTTP/1.1", body=b"@SECOND"),
    "TRACE with a body": request(start=b"TRACE @PATH HTTP/1.1"),
    # chunks
    "chunk size 0x": chunked(b"0x2\r\n{}\r\n0\r\n\r\n"),
    "chunk size with plus": chunked(b"+2\r\n{}\r\n0\r\n\r\n"),
    "chunk size negative": chunked(b"-2\r\n{}\r\n0\r\n\r\n"),
    "chunk size with a word": chunked(b"2 zzz\r\n{}\r\n0\r\n\r\n"),
    "blank before the chunk size": chunked(b" 2\r\n{}\r\n0\r\n\r\n"),
    "chunk size empty": chunked(b"\r\n{}\r\n0\r\n\r\n"),
    "chunk size only an extension": chunked(b";a=b\r\n{}\r\n0\r\n\r\n"),
    "chunk size of 17 digits": chunked(b"00000000000000002\r\n{}\r\n0\r\n\r\n"),
    "chunk data without CRLF": chunked(b"2\r\n{}0\r\n\r\n"),
    "chunk data longer than said": chunked(b"2\r\n{} \r\n0\r\n\r\n"),
    "chunk data and bare LF": chunked(b"2\r\n{}\n0\r\n\r\n"),
    "chunk size and bare LF": chunked(b"2\n{}\r\n0\r\n\r\n"),
    "chunk size and bare CR": chunked(b"2\r{}\r\n0\r\n\r\n"),
    "chunk extension with NUL": chunked(b"2;a=\0\r\n{}\r\n0\r\n\r\n"),
    "chunk extension with bare LF": chunked(b"2;a\n2\r\n{}\r\n0\r\n\r\n"),
    "chunk size line of 300 bytes": chunked(b"2;" + b"a" * 300 + b"\r\n{}\r\n0\r\n\r\n"),
    "trailer with NUL": chunked(b"2\r\n{}\r\n0\r\na\0b: c\r\n\r\n"),
    "trailer folded": chunked(b"2\r\n{}\r\n0\r\na: b\r\n c\r\n\r\n"),
    "trailers of 5000 bytes": chunked(b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 834 + b"\r\n"),
    # the request line
    "version 0.9": request(start=b"POST @PATH HTTP/0.9"),
    "version 1.9": request(start=b"POST @PATH HTTP/1.9"),
    "version -3.7": request(start=b"POST @PATH HTTP/-3.7"),
    "version 2.0": request(start=b"POST @PATH HTTP/2.0"),
    "version 1.10": request(start=b"POST @PATH HTTP/1.10"),
    "version 01.1": request(start=b"POST @PATH HTTP/01.1"),
    "version in lower case": request(start=b"POST @PATH http/1.1"),
    "version cut": request(start=b"POST @PATH HTTP/1."),
    "another protocol": request(start=b"POST @PATH ICY/1.1"),
    "no version": request(start=b"POST @PATH"),
    "word behind the version": request(start=b"POST @PATH HTTP/1.1 x"),
    "blank behind the version": request(start=b"POST @PATH HTTP/1.1 "),
    "two blanks": request(start=b"POST  @PATH HTTP/1.1"),
    "tabs for blanks": request(start=b"POST\t@PATH\tHTTP/1.1"),
    "blank in front": request(start=b" POST @PATH HTTP/1.1"),
    "blank in the target": request(start=b"POST @PATH/a b HTTP/1.1"),
    "CR in the target": request(start=b"POST @PATH\r/a HTTP/1.1"),
    "NUL in the target": request(start=b"POST @PATH\0 HTTP/1.1"),
    "8-bit byte in the target": request(start=b"POST @PATH\xe4 HTTP/1.1"),
    "fragment in the target": request(start=b"POST @PATH#a HTTP/1.1"),
    "target in absolute form": request(start=b"POST http://hooks.example@PATH HTTP/1.1"),
    "target without slash": request(start=b"POST callback/@KEY HTTP/1.1"),
    "target *": request(start=b"OPTIONS * HTTP/1.1"),
    "CONNECT": request(start=b"CONNECT hooks.example:443 HTTP/1.1"),
    "no target": request(start=b"POST HTTP/1.1"),
    "method with a parenthesis": request(start=b"PO(ST @PATH HTTP/1.1"),
    "method with 8-bit byte": request(start=b"POS\xd4 @PATH HTTP/1.1"),
    "method without end": request(start=b"P" * 40 + b" @PATH HTTP/1.1"),
    "empty line in front": b"\r\n" + request(),
    "LF in front": b"\n" + request(),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS inside": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    # lines and fields
    "bare LF everywhere": request().replace(b"\r\n", b"\n").replace(b"@SIGNED\n", b"@SIGNED\r\n"),
    "bare LF behind the request line": request(end=b"\n"),
    "bare LF inside the head": request(more=b"a: b\n"),
    "bare LF hides a length": request(framing=LENGTH + b"a: b\nContent-Length: 0\r\n"),
    "bare CR in a value": request(more=b"a: b\rc: d\r\n"),
    "NUL in a value": request(more=b"a: b\0c\r\n"),
    "NUL at the start of a line": request(more=b"\0\r\n"),
    "NUL in a name": request(more=b"a\0: b\r\n"),
    "control byte in a value": request(more=b"a: b\x01\r\n"),
    "escape in a value": request(more=b"a: \x1b[2J\r\n"),
    "DEL in a value": request(more=b"a: \x7f\r\n"),
    "folded line": request(more=b"a: b\r\n c\r\n"),
    "folded line with tab": request(more=b"a: b\r\n\tc\r\n"),
    "folded first line": request(host=b" a: b\r\n" + HOST),
    "folded Transfer-Encoding": request(framing=b"Transfer-Encoding:\r\n chunked\r\n",
                                        body=b"0\r\n\r\n@SECOND"),
    "empty name": request(more=b": b\r\n"),
    "name with a blank": request(more=b"a b: c\r\n"),
    "blank before the colon": request(more=b"a : c\r\n"),
    "name with a slash": request(more=b"a/b: c\r\n"),
    "name with 8-bit byte": request(more=b"\xe4: c\r\n"),
    "name in brackets": request(more=b"[a]: c\r\n"),
    "line without colon": request(more=b"a\r\n"),
    "no Host": request(host=b""),
    "two Host": request(host=HOST + b"Host: other.example\r\n"),
    "two equal Host": request(host=HOST + HOST),
    "empty Host": request(host=b"Host:\r\n"),
    "Host with a path": request(host=b"Host: a/b\r\n"),
    "Host with a list": request(host=b"Host: a,b\r\n"),
    "Host with a user": request(host=b"Host: a@b\r\n"),
    "Host with a blank": request(host=b"Host: a b\r\n"),
    "Upgrade": request(more=b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    "Upgrade to websocket": request(more=b"Upgrade: websocket\r\n"),
    "another expectation": request(more=b"Expect: 200-ok\r\n"),
    "two expectations": request(more=b"Expect: 100-continue\r\nExpect: 100-continue\r\n"),
}

# Good HTTP that gets another answer than 200, and the end of its connection.
REFUSED = {
    "root": (404, request(start=b"POST / HTTP/1.1")),
    "unknown path": (404, request(start=b"POST /admin HTTP/1.1")),
    "GET of an unknown path": (404, request(start=b"GET /index.html HTTP/1.1")),
    "no key": (404, request(start=b"POST /callback/ HTTP/1.1")),
    "key cut": (404, request(start=b"POST /callback/mabnxe3azyvqdezwra HTTP/1.1")),
    "made-up key": (404, request(start=b"POST /callback/" + b"a" * 42 + b" HTTP/1.1")),
    "key and slash": (404, request(start=b"POST @PATH/ HTTP/1.1")),
    "key and more": (404, request(start=b"POST @PATH/x HTTP/1.1")),
    "key in upper case": (404, request(start=b"POST /callback/" + b"A" * 42 + b" HTTP/1.1")),
    "two slashes": (404, request(start=b"POST /@PATH HTTP/1.1")),
    "dots": (404, request(start=b"POST /callback/../callback/@KEY HTTP/1.1")),
    "percent in the path": (404, request(start=b"POST /%63allback/@KEY HTTP/1.1")),
    "percent in the key": (404, request(start=b"POST @PATH%00 HTTP/1.1")),
    "semicolon": (404, request(start=b"POST @PATH;a HTTP/1.1")),
    "backslash": (404, request(start=b"POST /callback\\@KEY HTTP/1.1")),
    "key in the query": (404, request(start=b"POST /callback/?key=@KEY HTTP/1.1")),
    "upper-case route": (404, request(start=b"POST /CALLBACK/@KEY HTTP/1.1")),
    "unknown provider": (404, request(start=b"POST /callback/at/other HTTP/1.1")),
    "cut provider": (404, request(start=b"POST /callback/at/vid HTTP/1.1")),
    "no provider": (404, request(start=b"POST /callback/at/ HTTP/1.1")),
    "GET": (405, request(start=b"GET @PATH HTTP/1.1")),
    "GET without body": (405, request(start=b"GET @PATH HTTP/1.1", framing=b"", body=b"")),
    "HEAD without body": (405, request(start=b"HEAD @PATH HTTP/1.1", framing=b"", body=b"")),
    "PUT": (405, request(start=b"PUT @PATH HTTP/1.1")),
    "DELETE": (405, request(start=b"DELETE @PATH HTTP/1.1")),
    "OPTIONS": (405, request(start=b"OPTIONS @PATH HTTP/1.1")),
    "TRACE": (405, request(start=b"TRACE @PATH HTTP/1.1", framing=b"", body=b"")),
    "PATCH of the fixed address": (405, request(start=b"PATCH /callback/at/vidu HTTP/1.1")),
    "method in lower case": (405, request(start=b"post @PATH HTTP/1.1")),
    "method POSTS": (405, request(start=b"POSTS @PATH HTTP/1.1")),
    "body over the limit": (413, request(framing=HUGE)),
    "body of an exabyte": (413, request(framing=b"Content-Length: 999999999999999999\r\n")),
    "chunk over the limit": (413, chunked(b"%x\r\n" % (MAX_BODY + 1) + b"x" * 100)),
    "chunk of 2^64 - 1": (413, chunked(b"ffffffffffffffff\r\n" + b"x" * 100)),
    "no Content-Type": (415, request(kind=b"")),
    "text/plain": (415, request(kind=b"Content-Type: text/plain\r\n")),
    "a form": (415, request(kind=b"Content-Type: application/x-www-form-urlencoded\r\n")),
    "nearly JSON": (415, request(kind=b"Content-Type: application/jsonp\r\n")),
    "two Content-Type": (415, request(kind=TYPE + TYPE)),
    "empty Content-Type": (415, request(kind=b"Content-Type:\r\n")),
    "line of 5000 bytes": (431, request(more=b"a: " + b"b" * 5000 + b"\r\n")),
    "target of 5000 bytes": (431, request(start=b"POST @PATH?" + b"b" * 5000 + b" HTTP/1.1")),
    "65 lines": (431, request(more=lines(65))),
    "head of 9000 bytes": (431, request(more=(b"a: " + b"b" * 2996 + b"\r\n") * 3)),
}

# Unusual, but legal, and understood alike by everybody: answered 200. True: may keep its
# connection.
ACCEPTED = {
    "plain": (True, request()),
    "lower-case names": (True, request(host=b"host: a\r\n", framing=LENGTH.lower())),
    "no blank behind colons": (True, request(framing=b"Content-Length:%d\r\n" % len(BODY))),
    "blanks around a value": (True, request(framing=b"Content-Length: \t%d \t\r\n" % len(BODY))),
    "leading zeros": (True, request(framing=b"Content-Length: 000%d\r\n" % len(BODY))),
    "empty value": (True, request(more=b"a:\r\n")),
    "8-bit byte in a value": (True, request(more=b"a: \xe4\r\n")),
    "odd but legal name": (True, request(more=b"!#$%&'*+.^_`|~0: c\r\n")),
    "charset": (True, request(kind=b"content-type: Application/JSON; charset=utf-8\r\n")),
    "+json": (True, request(kind=b"Content-Type: application/cloudevents+json\r\n")),
    "query": (True, request(start=b"POST @PATH?a=b&%2f HTTP/1.1")),
    "empty query": (True, request(start=b"POST @PATH? HTTP/1.1")),
    "Host with a port": (True, request(host=b"Host: [::1]:8443\r\n")),
    "Host in upper case": (True, request(host=b"HOST: HOOKS.EXAMPLE\r\n")),
    "Host with its last dot": (True, request(host=b"Host: hooks.example.:443\r\n")),
    "Host of a proxy's own naming": (True, request(host=b"Host: up_stream-1\r\n")),
    "Host of another site": (True, request(host=b"Host: old-name.example\r\n")),
    "50 lines": (True, request(more=lines(50))),
    "Expect with the body at once": (True, request(more=b"Expect: 100-continue\r\n")),
    "Connection: close": (False, request(more=b"Connection: close\r\n")),
    "Connection: a list": (False, request(more=b"Connection: x, Close\r\n")),
    "HTTP/1.0": (False, request(start=b"POST @PATH HTTP/1.0")),
    "HTTP/1.0 without Host": (False, request(start=b"POST @PATH HTTP/1.0", host=b"")),
    "HTTP/1.0 keep-alive": (False, request(start=b"POST @PATH HTTP/1.0",
                                           more=b"Connection: keep-alive\r\n")),
    "chunks": (False, chunked(OK_CHUNKS)),
    "Chunked": (False, request(framing=b"transfer-encoding: Chunked\r\n", body=OK_CHUNKS)),
    "chunk extension": (False, chunked(b"2;a=b;c=\"d\"\r\n{}\r\n0;x\r\n\r\n")),
    "size in upper case with zeros": (False, chunked(b"000A\r\n[1,2,3,4,]\r\n0\r\n\r\n")),
    "chunks of one byte": (False, chunked(b"".join(
        b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n")),
    "trailers": (False, chunked(b"2\r\n{}\r\n0\r\na: b\r\nc: d\r\n\r\n")),
}

WAYS = {"plain": (False, None), "tls": (True, None), "byte-wise": (False, 1)}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def cases(table):
    return pytest.mark.parametrize("case", table.values(), ids=table.keys())


def test_the_second_request_would_be_answered(place):
    """Without this, no test below could fail."""
    for tls in (False, True):
        last = request(more=b"Connection: close\r\n")
        assert statuses(place.exchange(request() + last, tls)) == [200, 200]
        assert statuses(place.exchange(chunked(OK_CHUNKS) + last, tls)) == [200]


def test_the_tables_are_long_enough():
    assert len(MALFORMED) + len(REFUSED) + len(ACCEPTED) >= 180


@ways
@cases(MALFORMED)
def test_malformed_is_400_and_the_end(place, case, way):
    received = place.exchange(case + b"@SECOND", *way)
    assert statuses(received) == [400], received
    assert b"\r\nConnection: close\r\n" in received
    assert received.endswith(b"\r\n\r\n"), "no body: nothing of the request comes back"


@ways
@cases(REFUSED)
def test_refused_is_the_end_of_the_connection(place, case, way):
    status, raw = case
    received = place.exchange(raw + b"@SECOND", *way)
    assert statuses(received) == [status], received
    assert b"\r\nConnection: close\r\n" in received
    assert (b"\r\nAllow: POST\r\n" in received) == (status == 405)
    assert received.endswith(b"\r\n\r\n")
    assert re.search(rb"(?i)\r\nserver:", received) is None


@ways
@cases(ACCEPTED)
def test_legal_is_200(place, case, way):
    """Sent whole, an expectation is moot. Byte by byte the body may not be there yet when the head
    ends: then, and only then, an interim answer comes first, and it has nothing but its line."""
    keeps, raw = case
    last = request(more=b"Connection: close\r\n")
    received = place.exchange(raw + last, *way)
    if b"\r\nExpect: 100-continue\r\n" in raw and way == WAYS["byte-wise"]:
        received = received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert statuses(received) == ([200, 200] if keeps else [200]), received


def test_misses_look_alike(place):
    """A wrong key, a cut key and any other path: the same bytes but for the date."""
    answers = set()
    for path in (b"/", b"/callback/x", b"/callback/" + b"a" * 42, b"/callback/at/x"):
        received = place.exchange(request(start=b"POST " + path + b" HTTP/1.1"))
        answers.add(re.sub(rb"Date: [^\r]*", b"", received))
    assert len(answers) == 1


# -- before the body ------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("status, head", [
    (404, request(start=b"POST /callback/" + b"a" * 42 + b" HTTP/1.1", body=b"")),
    (405, request(start=b"PUT @PATH HTTP/1.1", body=b"")),
    (413, request(framing=HUGE, body=b"")),
    (415, request(kind=b"Content-Type: text/xml\r\n", body=b"")),
    (400, request(framing=b"Content-Length: 1e3\r\n", body=b"")),
])
def test_the_refusal_comes_before_the_body(place, status, head, tls):
    for more in (b"", b"Expect: 100-continue\r\n"):
        with place.line(tls) as to:
            to.send(place.fill(head.replace(b"@SIGNED", more + b"@SIGNED")))
            assert statuses(to.read_all()) == [status], "and no 100"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("framing, body", [(LENGTH, BODY), (CHUNKED, OK_CHUNKS)])
def test_100_continue_comes_once_the_key_was_checked(place, framing, body, tls):
    head = request(framing=framing, more=b"Expect: 100-Continue\r\n", body=b"")
    with place.line(tls) as to:
        to.send(place.fill(head))
        assert to.answer()[0] == 100
        to.send(body)
        assert to.answer()[0] == 200


def test_a_line_that_is_refused_is_refused_before_the_head_ends(place):
    with place.line() as to:
        to.send(b"POST / HTTP/3.0\r\n")
        assert statuses(to.read_all()) == [400]


# -- keep-alive -----------------------------------------------------------------------------------


def test_a_connection_ends_after_so_many_requests(run):
    place = Place(run, keepalive_requests=3)
    for tls in (False, True):
        with place.line(tls) as to:
            for n in (1, 2, 3):
                to.send(place.fill(request()))
                status, head, _ = to.answer()
                assert status == 200
                assert (b"\r\nConnection: close" in head) == (n == 3)
            assert to.read_all() == b""


def test_requests_in_one_write_are_answered_in_order(place):
    last = request(start=b"GET @PATH HTTP/1.1")
    assert statuses(place.exchange(request() * 5 + last)) == [200] * 5 + [405]


# -- deadlines ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hasty(shared_run):
    """A daemon whose deadlines are short; gone before the shared one, which must end last."""
    del shared_run
    world = Run()
    yield Place(world, handshake_timeout=QUICK, header_timeout=QUICK, body_timeout=QUICK)
    problems = world.finish()
    world.remove()
    assert not problems


def dribble(to, data):
    """A byte now and then, for ever, so that no time-out per read would end it; what came back."""
    end = time.monotonic() + DEADLINE
    for byte in iter(lambda: data[:1], None):
        assert time.monotonic() < end, "the connection outlives its deadline"
        data = data[1:] + data[:1]
        if not to.send(byte) or select.select([to.socket], [], [], 0.02)[0] and not to.read():
            return to.received
    return None


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_slow_head_is_cut(hasty, tls):
    with hasty.line(tls) as to:
        to.send(hasty.fill(request(start=b"POST @PATH HTTP/1.1", body=b""))[:-2] + b"a: ")
        assert dribble(to, b"b") == b""


@pytest.mark.parametrize("framing, data", [(b"Content-Length: 60000\r\n", b" "),
                                           (CHUNKED, b"1\r\n \r\n")])
def test_a_slow_body_is_cut(hasty, framing, data):
    with hasty.line() as to:
        to.send(hasty.fill(request(framing=framing, body=b"")))
        assert dribble(to, data) == b""


def test_a_slow_handshake_is_cut(hasty):
    with line(hasty.ports[0]) as to:
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        to.send(hello)
        assert b"HTTP/" not in dribble(to, b"\0")


def test_silence_after_an_answer_is_cut(hasty):
    with hasty.line() as to:
        to.send(hasty.fill(request()))
        assert to.answer()[0] == 200
        assert to.read_all() == b""


def test_what_was_cut_is_counted_and_others_are_served(hasty):
    for name in ("timeout_handshake", "timeout_header", "timeout_body", "timeout_idle"):
        hasty.wait_counter(name)
    assert hasty.task.say("processing") == 200


# -- caps -----------------------------------------------------------------------------------------


def hold(place, raw, tls=False):
    """A connection that the daemon has accepted: it has sent something."""
    opened = Line(place.ports[0], place.daemon.ca) if tls else Line(place.ports[1])
    opened.send(place.fill(raw))
    return opened


def test_the_cap_evicts_the_oldest_that_has_shown_no_key(run):
    place = Place(run, connections=5)
    with contextlib.ExitStack() as stack:
        kept = [hold(place, request(body=b"{")), hold(place, request())]
        assert kept[1].answer()[0] == 200
        strangers = [hold(place, b"P") for _ in range(3)]
        for opened in kept + strangers:
            stack.callback(opened.close)
        for n, oldest in enumerate(strangers, 1):
            newest = hold(place, b"P")
            stack.callback(newest.close)
            wait_for(oldest.is_closed, f"eviction of stranger {n}")
            assert oldest.received == b""
            assert not any(s.is_closed() for s in strangers[n:])
        kept[0].send(BODY[1:])
        kept[1].send(place.fill(request()))
        assert [k.answer()[0] for k in kept] == [200, 200]
        place.wait_counter("evicted_connections", 3)


def test_a_callback_gets_through_a_crowd_of_idle_ones(run):
    place = Place(run, connections=8)
    crowd = [hold(place, b"POST /") for _ in range(40)]
    try:
        for _ in range(3):
            assert place.task.say("processing") == 200
    finally:
        for opened in crowd:
            opened.close()


def test_unfinished_handshakes_are_capped(run):
    place = Place(run, handshakes=2)
    crowd = []
    try:
        for _ in range(6):
            opened = Line(place.ports[0])
            opened.send(b"\x16\x03\x01\x02\x00\x01")
            crowd.append(opened)
        wait_for(lambda: sum(c.is_closed() for c in crowd) >= 4, "eviction of handshakes")
        assert place.task.say("processing") == 200
        place.wait_counter("evicted_handshakes", 4)
    finally:
        for opened in crowd:
            opened.close()


def test_one_source_gets_so_many_connections(run):
    place = Place(run, per_source=3)
    crowd = [hold(place, b"P") for _ in range(3)]
    try:
        with place.line() as one_more:
            one_more.send(place.fill(request()))
            assert one_more.read_all() == b""
        place.wait_counter("dropped_per_source")
    finally:
        for opened in crowd:
            opened.close()


def test_a_source_over_its_rate_is_told_so_until_it_delivers(run):
    """Strangers are limited; who has delivered something valid is not."""
    place = Place(run, source_rate=1)
    stranger = request(start=b"POST / HTTP/1.1")
    seen = [statuses(place.exchange(stranger)) for _ in range(12)]
    assert seen[0] == [404] and [429] in seen and seen[-1] in ([429], [])
    place.wait_counter("refused_rate")


def test_a_source_that_delivered_is_not_limited(run):
    place = Place(run, source_rate=1)
    assert place.task.say("processing") == 200
    seen = [place.task.say("processing") for _ in range(20)]
    assert seen == [200] * 20


def test_many_bodies_at_once_are_capped(run):
    place = Place(run, body_budget=100000)
    big = request(framing=b"Content-Length: 60000\r\n", more=b"Expect: 100-continue\r\n", body=b"")
    with contextlib.closing(hold(place, big)) as first, place.line() as second:
        assert first.answer()[0] == 100
        second.send(place.fill(big))
        status, head, _ = second.answer()
        assert status == 503 and b"\r\nRetry-After: " in head
        first.send(b" " * 60000)
        assert first.answer()[0] == 200
    assert place.task.say("processing") == 200
    place.wait_counter("refused_budget")


# -- descriptors ----------------------------------------------------------------------------------


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.fixture
def poor(run, monkeypatch):
    """A daemon whose processes have few descriptors."""
    wrapper = run.file("few", f'#!/bin/sh\nulimit -n 96\nexec "{program("viduhookd")}" "$@"\n',
                       0o700)
    monkeypatch.setenv("VIDUHOOKD", str(wrapper))
    return Place(run)


def test_without_descriptors_it_waits_and_recovers(poor):
    """Admitted requests hold them all: nobody is turned out, and it does not spin."""
    crowd = []
    try:
        for _ in range(150):
            crowd.append(hold(poor, request(body=b"{")))
        poor.wait_counter("accept_errors", 5)
        before, tries = cpu_ticks(receiver_pid(poor)), poor.counters()["accept_errors"]
        poor.wait_counter("accept_errors", tries + 10)
        spent = cpu_ticks(receiver_pid(poor)) - before
        assert spent < 50, "a tenth of a second per try would be too much; it should be nothing"
        assert poor.counters()["accept_errors"] < 2000
        assert len(poor.daemon.log("http.accept")) < 50
        assert poor.counters()["evicted_connections"] == 0
        crowd[0].send(BODY[1:])
        assert crowd[0].answer()[0] == 200
    finally:
        for opened in crowd:
            opened.close()
    assert poor.task.say("processing") == 200


def test_without_descriptors_strangers_make_room(poor):
    crowd = [hold(poor, b"P") for _ in range(150)]
    try:
        assert poor.task.say("processing") == 200
        poor.wait_counter("evicted_connections")
        assert crowd[0].is_closed() and not crowd[-1].is_closed()
    finally:
        for opened in crowd:
            opened.close()


def receiver_pid(place):
    rooms = place.daemon.cli("status")[1]["rooms"]
    return next(r["pid"] for r in rooms if r["name"] == "receiver 1")


# -- TLS ------------------------------------------------------------------------------------------


def records(data):
    """(type, length) of every TLS record."""
    found = []
    while data:
        length = int.from_bytes(data[3:5], "big")
        found.append((data[0], length))
        data = data[5 + length:]
    return found


class Wire:
    """TLS over a socket whose bytes we see."""

    def __init__(self, port, context):
        self.socket = socket.create_connection((LOOPBACK, port), timeout=DEADLINE)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=LOOPBACK)
        self.seen = b""

    def pump(self, call):
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                result = None
            self.socket.sendall(self.outgoing.read())
            if result is not None:
                return result
            self.feed()

    def feed(self):
        piece = self.socket.recv(65536)
        self.seen += piece
        if piece:
            self.incoming.write(piece)
        else:
            self.incoming.write_eof()
        return piece

    def handshake(self):
        self.pump(lambda: self.tls.do_handshake() or True)
        self.seen = b""

    def close(self):
        self.socket.close()


def context_of(place, **settings):
    context = ssl.create_default_context(cafile=str(place.daemon.ca))
    for name, value in settings.items():
        setattr(context, name, value)
    return context


@pytest.mark.parametrize("version, closing", [(ssl.TLSVersion.TLSv1_2, 21),
                                              (ssl.TLSVersion.TLSv1_3, 23)])
@pytest.mark.parametrize("more", [b"Connection: close\r\n", b""], ids=["closes", "stays"])
def test_an_answer_is_one_record_and_the_end_is_announced(place, version, closing, more):
    context = context_of(place, minimum_version=version, maximum_version=version)
    with contextlib.closing(Wire(place.ports[0], context)) as wire:
        wire.handshake()
        raw = place.fill(request(more=more))
        wire.pump(lambda: wire.tls.write(raw))
        received = wire.pump(lambda: wire.tls.read(65536))
        assert statuses(received) == [200] and received.endswith(b'{"ok":true}')
        if more == b"":
            assert [kind for kind, _ in records(wire.seen)] == [23], "and no session ticket"
            return
        while wire.feed():
            pass
        assert [kind for kind, _ in records(wire.seen)] == [23, closing]
        assert wire.tls.read(1) == b"", "close_notify, not a cut"


@pytest.mark.parametrize("raw", [request(start=b"POST / HTTP/1.1"), request(framing=HUGE),
                                 b"nonsense\r\n\r\n", request(more=b"Connection: close\r\n")])
def test_every_answer_ends_in_close_notify(place, raw):
    context = context_of(place)
    with socket.create_connection((LOOPBACK, place.ports[0]), timeout=DEADLINE) as plain:
        with context.wrap_socket(plain, server_hostname=LOOPBACK,
                                 suppress_ragged_eofs=False) as tls:
            tls.sendall(place.fill(raw))
            received = b""
            while piece := tls.recv(65536):  # a cut would raise SSLEOFError
                received += piece
            assert len(statuses(received)) == 1
            tls.unwrap()


@pytest.mark.parametrize("raw", [
    request(), b"GET / HTTP/1.0\r\n\r\n", b"\r\n\r\n", b"\0" * 64,
    b"\x16\x03\x01\x00\x05GET /",
])
def test_plain_http_on_the_tls_port_gets_no_http(hasty, raw):
    with line(hasty.ports[0]) as to:
        to.send(hasty.fill(raw))
        received = to.read_all()
    assert b"HTTP" not in received and b"html" not in received
    assert all(kind == 21 for kind, _ in records(received)), "an alert or nothing"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(place, version):
    context = context_of(place)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError) as refusal:
        Line(place.ports[0], place.daemon.ca, context=context)
    assert refusal.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.parametrize("ciphers, name", [
    ("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA", None),
    ("DHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256:ADH-AES128-GCM-SHA256", None),
    ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
     "ECDHE-ECDSA-AES128-GCM-SHA256"),
])
def test_only_aead_with_forward_secrecy_in_tls_12(place, ciphers, name):
    context = context_of(place, maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    if name is None:
        with pytest.raises(ssl.SSLError) as refusal:
            Line(place.ports[0], place.daemon.ca, context=context)
        assert refusal.value.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE"
        return
    with line(place.ports[0], place.daemon.ca, context=context) as to:
        assert to.socket.cipher()[0] == name, "the server's order counts"


def test_tls_13_only_when_told_so(run):
    provider = Provider()
    run.closers.append(provider)
    conf = run.conf(provider)
    conf["tls"]["min_version"] = "1.3"
    daemon = run.daemon(conf=conf)
    old = ssl.create_default_context(cafile=str(daemon.ca))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError) as refusal:
        Line(daemon.port, daemon.ca, context=old)
    assert refusal.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert submit(daemon, provider).say("processing") == 200


def test_alpn_without_http_11_is_refused(place):
    context = context_of(place)
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="alert no application protocol"):
        Line(place.ports[0], place.daemon.ca, context=context)


@pytest.mark.parametrize("offered, chosen", [(["h2", "http/1.1"], "http/1.1"), ([], None)])
def test_alpn_with_http_11_or_none_is_served(place, offered, chosen):
    context = context_of(place)
    if offered:
        context.set_alpn_protocols(offered)
    with line(place.ports[0], place.daemon.ca, context=context) as to:
        assert to.socket.selected_alpn_protocol() == chosen
        to.send(place.fill(request()))
        assert to.answer()[0] == 200


def test_sessions_are_not_resumed(place):
    context = context_of(place, maximum_version=ssl.TLSVersion.TLSv1_2)
    with line(place.ports[0], place.daemon.ca, context=context) as to:
        assert not to.socket.session.has_ticket
        session = to.socket.session
    with socket.create_connection((LOOPBACK, place.ports[0]), timeout=DEADLINE) as plain:
        with context.wrap_socket(plain, server_hostname=LOOPBACK, session=session) as again:
            assert not again.session_reused


# -- listeners ------------------------------------------------------------------------------------


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError as error:
        assert error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
        return False


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
def test_ipv6_is_served(run):
    provider = Provider()
    run.closers.append(provider)
    conf = run.conf(provider)
    conf["listen"].append("http://[::1]:0")
    daemon = run.daemon(conf=conf)
    task = submit(daemon, provider)
    port = int(re.search(r"port=(\d+)", daemon.log("listener.bound")[1])[1])
    headers = "".join(f"{k}: {v}\r\n" for k, v in signed_headers(SIM_KEY, task.url).items())
    with line(port, host="::1") as to:
        to.send(f"POST /callback/{task.key} HTTP/1.1\r\nHost: [::1]\r\n{headers}"
                f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
        assert to.answer()[0] == 200


@pytest.mark.parametrize("listen, behind_proxy, fine", [
    ("http://0.0.0.0:0", None, False), ("http://[::]:0", None, False),
    ("http://192.0.2.7:80", None, False), ("http://0.0.0.0:0", "no", False),
    ("http://0.0.0.0:0", "yes", True), ("http://[::]:0", "yes", True),
    ("http://127.0.0.1:0", None, True), ("http://[::1]:0", None, True),
    ("unix:/tmp/socket", "yes", False),
])
def test_plain_http_is_for_loopback_or_behind_a_proxy(run, listen, behind_proxy, fine):
    provider = Provider()
    run.closers.append(provider)
    conf = run.conf(provider, listen=[listen])
    if behind_proxy is not None:
        conf["behind_proxy"] = behind_proxy
    path = run.file("check.yaml", json.dumps(conf))
    done = subprocess.run([program("viduhookd"), "--check", "-c", path], capture_output=True,
                          text=True, timeout=DEADLINE)
    assert done.returncode == (0 if fine else 78), done.stderr
    assert fine or "listen" in done.stderr
