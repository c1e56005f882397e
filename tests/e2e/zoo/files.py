# SPDX-License-Identifier: MIT
"""A file server that writes its answers byte by byte, and a table of all the wrong ones.

`/NAME/ANYTHING` is answered by the function NAME of BEHAVIOURS; each whole path counts its own
requests. With `?fresh` it is an honest server: what a provider's fresh URL leads to.
"""
import socket
import ssl
import struct
import threading
import time
import urllib.parse

SIZE = 200_000
HALF = SIZE // 2
PIECE = 16_384


def content(seed):
    """An MP4 of two boxes."""
    pattern = bytes((i * 31 + (i >> 8) * seed * 7) & 0xFF for i in range(4096))
    head = b"\0\0\0\x10ftypisom\0\0\2\0" + (SIZE - 16).to_bytes(4, "big") + b"mdat"
    return (head + pattern * (SIZE // 4096 + 1))[:SIZE]


BODY, OTHER = content(1), content(2)
HTML = b"<!doctype html><title>no</title><p>" + b"no " * 1000
BEHAVIOURS = {}


def behaviour(function):
    BEHAVIOURS[function.__name__] = function
    return function


class Asked:
    """One request; and how to answer it."""

    def __init__(self, server, connection, target, headers):
        self.server, self.connection, self.headers = server, connection, headers
        path, _, query = target.partition("?")
        self.path, self.target = path, target
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.time = server.count(path)
        wanted = headers.get("range", "")
        self.start = int(wanted[len("bytes="):-1]) if wanted else None
        self.keep = False

    def write(self, data):
        self.connection.sendall(data)

    def head(self, status, *lines, etag='"one"'):
        said = [f"HTTP/1.1 {status} Whatever", *lines] + ([f"ETag: {etag}"] if etag else [])
        self.write("".join(line + "\r\n" for line in [*said, ""]).encode())

    def whole(self, body=BODY, status=200, *lines, send=None, etag='"one"'):
        self.head(status, f"Content-Length: {len(body)}", *lines, etag=etag)
        self.write(body[:send])
        self.keep = send is None

    def honest(self, body=BODY, etag='"one"'):
        """As it should be."""
        if self.start is None or self.headers.get("if-range", etag) != etag:
            self.whole(body, etag=etag)
        elif self.start >= len(body):
            self.whole(b"", 416, f"Content-Range: bytes */{len(body)}", etag=etag)
        else:
            self.rest(body, etag=etag)

    def rest(self, body=BODY, said=None, etag='"one"'):
        """A 206; said is what stands in Content-Range."""
        at = self.start or 0
        said = said or f"bytes {at}-{len(body) - 1}/{len(body)}"
        self.whole(body[at:], 206, f"Content-Range: {said}", etag=etag)

    def reset(self):
        time.sleep(0.02)  # what was written has arrived, so that the reset does not overtake it
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def for_ever(self, data, pause=0.0):
        while not self.server.over.wait(pause):
            self.write(data)

    def wait_end(self):
        self.connection.recv(1)


def half_first(then):
    """The first answer breaks off in the middle; then comes the other."""
    def answer(a):
        if a.time == 1:
            a.whole(send=HALF)
        else:
            then(a)

    return answer


def named(name, function):
    BEHAVIOURS[name] = function


# -- lengths ------------------------------------------------------------------------------------


@behaviour
def honest(a):
    a.honest()


@behaviour
def length_too_long(a):
    a.head(200, f"Content-Length: {SIZE + 100}", etag=None)
    a.write(BODY)


@behaviour
def length_too_short(a):
    """That of a copy which was cut off when it was made, as caches keep them."""
    a.whole(BODY[:SIZE - 1000], etag=None)


@behaviour
def length_is_a_lie_of_petabytes(a):
    a.head(200, f"Content-Length: {1 << 50}")
    a.write(BODY)


@behaviour
def length_beyond_numbers(a):
    a.head(200, "Content-Length: 99999999999999999999999")
    a.write(BODY)


@behaviour
def length_negative(a):
    a.head(200, "Content-Length: -5")
    a.write(BODY)


@behaviour
def two_lengths(a):
    if a.time == 1:
        a.head(200, f"Content-Length: {SIZE - 5}", f"Content-Length: {SIZE}")
        a.write(BODY)
    else:
        a.honest()


@behaviour
def length_and_chunks(a):
    a.head(200, "Content-Length: 17", "Transfer-Encoding: chunked")
    a.write(b"%x\r\n%s\r\n0\r\n\r\n" % (SIZE, BODY))


named("short_once", half_first(Asked.honest))


@behaviour
def always_short(a):
    """And nothing to go on with."""
    a.whole(send=HALF, etag=None)


@behaviour
def short_but_it_goes_on(a):
    """Never more than a quarter of it at a time."""
    at = a.start or 0
    if at >= SIZE:
        a.honest()
    else:
        lines = [] if a.start is None else [f"Content-Range: bytes {at}-{SIZE - 1}/{SIZE}"]
        a.head(200 if a.start is None else 206, f"Content-Length: {SIZE - at}", *lines)
        a.write(BODY[at:at + SIZE // 4])


@behaviour
def endless_chunks(a):
    a.head(200, "Transfer-Encoding: chunked")
    a.write(b"%x\r\n%s\r\n" % (SIZE, BODY))
    a.for_ever(b"%x\r\n%s\r\n" % (PIECE, b"z" * PIECE))


@behaviour
def endless_until_the_end(a):
    a.head(200)
    a.write(BODY)
    a.for_ever(b"z" * PIECE)


# -- time ---------------------------------------------------------------------------------------


@behaviour
def drips(a):
    a.head(200, f"Content-Length: {SIZE}")
    a.write(BODY[:100])
    for byte in BODY[100:]:
        if a.server.over.wait(0.05):
            return
        a.write(bytes([byte]))


@behaviour
def stalls(a):
    a.head(200, f"Content-Length: {SIZE}")
    a.write(BODY[:HALF])
    a.wait_end()


@behaviour
def silent(a):
    a.wait_end()


@behaviour
def head_drips(a):
    a.write(b"HTTP/1.1 200 OK\r\nX: ")
    a.for_ever(b"x", 0.02)


# -- resets -------------------------------------------------------------------------------------


def reset_once(*, said=0, sent=0):
    """After so many bytes of the head and so many of the body."""
    def answer(a):
        if a.time > 1:
            a.honest()
            return
        head = f'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: {SIZE}\r\n\r\n'.encode()
        a.write(head[:said] if said else head)
        a.write(BODY[:sent])
        a.reset()

    return answer


named("reset_in_the_head", reset_once(said=30))
named("reset_after_the_head", reset_once())
named("reset_at_the_first_byte", reset_once(sent=1))
named("reset_before_the_type", reset_once(sent=11))
named("reset_half_way", reset_once(sent=HALF))
named("reset_at_the_last_byte", reset_once(sent=SIZE - 1))


@behaviour
def reset_before_anything(a):
    if a.time == 1:
        a.reset()
    else:
        a.honest()


@behaviour
def always_reset(a):
    a.reset()


# -- ranges -------------------------------------------------------------------------------------


named("changed_meanwhile", half_first(lambda a: a.honest(OTHER, '"two"')))
named("changed_in_a_206", half_first(lambda a: a.rest(OTHER, etag='"two"')
                                     if a.start else a.honest(OTHER, '"two"')))
named("range_starts_elsewhere", half_first(lambda a: a.rest(said=f"bytes 7-{SIZE - 1}/{SIZE}")
                                           if a.start else a.honest()))
named("range_backwards", half_first(lambda a: a.rest(said=f"bytes {SIZE - 1}-{a.start}/{SIZE}")
                                    if a.start else a.honest()))
named("range_of_rubbish", half_first(lambda a: a.rest(said="furlongs 1-2/lots")
                                     if a.start else a.honest()))
named("range_beyond_numbers", half_first(lambda a: a.rest(
    said=f"bytes {a.start}-{SIZE - 1}/99999999999999999999999") if a.start else a.honest()))
named("range_of_another_total", half_first(lambda a: a.rest(
    said=f"bytes {a.start}-{SIZE + 4}/{SIZE + 5}") if a.start else a.honest()))
named("range_ignored", half_first(lambda a: a.whole()))
named("range_of_a_stranger", half_first(lambda a: a.rest(OTHER, said="bytes 0-9/10")
                                        if a.start else a.honest()))


@behaviour
def range_longer_than_said(a):
    """A 206 that says one byte and has more."""
    if a.time == 1:
        a.whole(send=HALF)
    elif a.start and a.time == 2:
        a.head(206, f"Content-Range: bytes {a.start}-{SIZE - 1}/{SIZE}",
               "Transfer-Encoding: chunked")
        rest = BODY[a.start:] + b"more"
        a.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(rest), rest))
    else:
        a.honest()


@behaviour
def range_nobody_asked_for(a):
    a.start = HALF
    a.rest()


@behaviour
def ranges_in_parts(a):
    if a.time == 1:
        a.whole(send=HALF)
    elif a.start is None:
        a.honest()
    else:
        part = (f"--cut\r\nContent-Type: video/mp4\r\nContent-Range: bytes {a.start}-{SIZE - 1}/"
                f"{SIZE}\r\n\r\n").encode() + BODY[a.start:] + b"\r\n--cut--\r\n"
        a.whole(part, 206, "Content-Type: multipart/byteranges; boundary=cut")


named("no_rest_half_way", half_first(lambda a: a.whole(b"", 416, "Content-Range: bytes */10")
                                     if a.start else a.honest()))


@behaviour
def always_416(a):
    a.whole(b"", 416, f"Content-Range: bytes */{SIZE}")


# -- encodings and framing ----------------------------------------------------------------------


@behaviour
def gzip(a):
    a.whole(b"\x1f\x8b" + BODY, 200, "Content-Encoding: gzip")


@behaviour
def gzip_it_says(a):
    """Wrongly: the bytes are what they should be, and that is what counts."""
    a.whole(BODY, 200, "Content-Encoding: br")


def chunks_once(rubbish):
    def answer(a):
        if a.time > 1:
            a.honest()
            return
        a.head(200, "Transfer-Encoding: chunked")
        a.write(b"%x\r\n%s\r\n" % (HALF, BODY[:HALF]) + rubbish)

    return answer


named("chunk_of_rubbish", chunks_once(b"zzzz\r\nwhat\r\n0\r\n\r\n"))
named("chunk_beyond_numbers", chunks_once(b"fffffffffffffffffffffffff\r\nx\r\n"))
named("chunk_negative", chunks_once(b"-5\r\nxxxxx\r\n0\r\n\r\n"))
named("chunks_without_an_end", chunks_once(b""))


@behaviour
def chunk_extensions_for_ever(a):
    a.head(200, "Transfer-Encoding: chunked")
    a.write(b"5;")
    a.for_ever(b"x" * PIECE, 0.001)


@behaviour
def trailers_for_ever(a):
    a.head(200, "Transfer-Encoding: chunked")
    a.write(b"%x\r\n%s\r\n0\r\n" % (SIZE, BODY))
    a.for_ever(b"X-Trailer: x\r\n" * 100, 0.001)


@behaviour
def poisons(a):
    """An honest answer, and behind its last byte one more that nobody asked for: whoever comes next
    over the same connection must not take it for theirs."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    a.write(head + BODY + head + OTHER)
    a.keep = True


@behaviour
def switches(a):
    a.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
    a.write(BODY)


# -- heads --------------------------------------------------------------------------------------


@behaviour
def many_headers(a):
    a.head(200, f"Content-Length: {SIZE}", *(f"X-{i}: y" for i in range(20_000)))
    a.write(BODY)


@behaviour
def headers_for_ever(a):
    a.write(b"HTTP/1.1 200 OK\r\n")
    a.for_ever(b"X-More: y\r\n" * 100)


@behaviour
def huge_header(a):
    a.head(200, f"Content-Length: {SIZE}", "X-Huge: " + "y" * 300_000)
    a.write(BODY)


@behaviour
def header_line_for_ever(a):
    a.write(b"HTTP/1.1 200 OK\r\nX: ")
    a.for_ever(b"y" * PIECE)


@behaviour
def header_with_nul(a):
    a.head(200, f"Content-Length: {SIZE}", "X-Nul: a\0b")
    a.write(BODY)


@behaviour
def hints_for_ever(a):
    a.for_ever(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" * 20)


@behaviour
def not_http(a):
    a.write(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")


@behaviour
def no_head_at_all(a):
    a.write(BODY)


# -- answers that are none ----------------------------------------------------------------------


@behaviour
def html(a):
    a.whole(HTML, 200, "Content-Type: video/mp4")


@behaviour
def empty(a):
    a.whole(b"")


@behaviour
def nothing_204(a):
    a.head(204)


@behaviour
def too_short_for_a_type(a):
    a.whole(BODY[:7])


def status_always(code):
    return lambda a: a.whole(b"<no>", code)


for code in (400, 401, 403, 404, 410, 500, 503):
    named(f"always_{code}", status_always(code))
for code in (403, 404, 410):
    named(f"{code}_half_way", half_first(status_always(code)))


@behaviour
def busy_once(a):
    if a.time == 1:
        a.whole(b"", 503, "Retry-After: 0")
    else:
        a.honest()


@behaviour
def html_half_way(a):
    """An error page with a good status in place of the rest."""
    if a.time == 1:
        a.whole(send=HALF)
    else:
        a.whole(HTML)


# -- redirects ----------------------------------------------------------------------------------


@behaviour
def redirects(a):
    a.whole(b"moved", 302, f"Location: {a.query['to']}")


@behaviour
def redirects_nowhere(a):
    a.whole(b"moved", 302)


@behaviour
def redirects_in_a_circle(a):
    a.whole(b"moved", 302, f"Location: {a.target}")


@behaviour
def redirects_for_long(a):
    a.whole(b"moved", 302, f"Location: {a.path}x")


@behaviour
def redirects_nearby(a):
    a.whole(b"moved", 307, "Location: ../honest/nearby")


# -- the server -----------------------------------------------------------------------------------


class Server:
    """Plain HTTP on a port of the kernel's choice; with a certificate (chain, key) TLS."""

    def __init__(self, address, certificate=None):
        self.over, self.lock, self.counts = threading.Event(), threading.Lock(), {}
        self.context = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*map(str, certificate))
        self.socket = socket.create_server((address, 0), backlog=256)
        scheme = "http" if certificate is None else "https"
        self.port = self.socket.getsockname()[1]
        self.url = f"{scheme}://{address}:{self.port}"
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def count(self, path):
        with self.lock:
            self.counts[path] = self.counts.get(path, 0) + 1
            return self.counts[path]

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            while self.answer(connection):
                pass
        except OSError:
            pass
        finally:
            connection.close()

    def answer(self, connection):
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            piece = connection.recv(1)
            if not piece:
                return False
            data += piece
        first, *lines = data.decode().split("\r\n")[:-2]
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        asked = Asked(self, connection, first.split(" ")[1], headers)
        name = "honest" if "fresh" in asked.query else asked.path.split("/")[1]
        BEHAVIOURS[name](asked)
        return asked.keep

    def close(self):
        self.over.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
