#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Commands that no hook should be: `beast.py NAME FOLDER` behaves as NAME does.

Every process of a beast leaves its pid as an empty file in FOLDER, so that a test can see who is
still there. All of them would go on for ever, unless their function says otherwise.
"""
import os
import pathlib
import resource
import signal
import sys
import time

MIB = 1 << 20
FOR_EVER = 1000
FLOOD = 1 << 30
LATE_S = 2.5


def sign_in():
    (pathlib.Path(sys.argv[2]) / str(os.getpid())).touch()


def sleep():
    while True:
        time.sleep(FOR_EVER)


def ignore():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def child(what, leave=False):
    """Another process that does this; with leave in a session of its own. Returns once it has
    signed in."""
    pid = os.fork()
    if pid == 0:
        if leave:
            os.setsid()
        sign_in()
        what()
        os._exit(0)
    while not (pathlib.Path(sys.argv[2]) / str(pid)).exists():
        time.sleep(0.005)


def stubborn():
    ignore()
    sleep()


def hang():
    sleep()


def stops_itself():
    """TERM does not reach who is stopped."""
    os.kill(os.getpid(), signal.SIGSTOP)


def escapes():
    """A child that left the group and is deaf, a grandchild whose parent has gone, and a leader
    that goes at once when it is told to."""
    child(stubborn, leave=True)
    child(lambda: child(stubborn, leave=True), leave=True)
    sleep()


def undress():
    """Goes on without the environment that it was given, and deaf."""
    ignore()
    os.execve("/bin/sleep", ["sleep", str(FOR_EVER)], {})


def bare_escape():
    """Who left the group and the environment."""
    child(undress, leave=True)
    sleep()


def last_escape():
    """The same, but not before it is told to end."""
    signal.signal(signal.SIGTERM, lambda *_: child(undress, leave=True))
    while True:
        sleep()


def breeds():
    """Each generation leaves the session of the one before and outlives it."""
    def generation():
        ignore()
        for _ in range(FOR_EVER * 50):
            time.sleep(0.02)
            if os.fork() != 0:
                os._exit(0)
            os.setsid()

    child(generation, leave=True)
    sleep()


def orphans():
    """Ends at once; a hundred children end later, when nobody waits for them. Ends by itself."""
    for _ in range(100):
        if os.fork() == 0:
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            os.dup2(1, 2)
            sign_in()
            time.sleep(0.5)
            os._exit(0)


def floods():
    """Ends by itself, after a gibibyte."""
    block = b"x" * MIB
    for _ in range(FLOOD // MIB):
        os.write(1, block)
    os.write(1, b"\nthe end\n")


def floods_for_ever():
    ignore()
    block = b"y" * MIB
    while True:
        os.write(2, block)


def stderr_first():
    """Far more than a pipe holds, before the first byte of its output. Ends by itself."""
    for _ in range(64):
        os.write(2, b"e" * (MIB // 8))
    os.write(1, b"\nthen out\n")


def closes():
    """Nobody hears from it again."""
    for fd in (0, 1, 2):
        os.close(fd)
    sleep()


def holds_pipes():
    """Ends well, and leaves somebody behind who holds its output."""
    child(stubborn, leave=True)
    os.write(1, b"all is well\n")


def late():
    """Is told to end, thinks about it, and then says that all went well."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    end = time.monotonic() + LATE_S
    while time.monotonic() < end:
        time.sleep(0.05)
    os.write(1, b"done after all\n")


def eats():
    """All the memory that it is allowed. Ends by itself."""
    resource.setrlimit(resource.RLIMIT_AS, (256 * MIB, 256 * MIB))
    kept = []
    while True:
        kept.append(bytearray(b"m" * (4 * MIB)))


def reads_all():
    """What it was given, counted. Ends by itself."""
    given = sys.stdin.buffer.read()
    size = sum(len(k) + len(v) for k, v in os.environb.items())
    print(len(given), size, len(os.fsencode(sys.argv[3])))


sign_in()
globals()[sys.argv[1]]()
