#!/usr/bin/env python3
"""The rules of the code that a machine can check. Usage: lint.py SOURCE_DIR [VIDUHOOK VIDUHOOKD].

Prints `ok NAME` or `not ok NAME` with the places, one line a rule.

SPDX-License-Identifier: MIT
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
SRC = ROOT / "src"

# The folder is the layer: what a file may include besides its own folder.
MAY_INCLUDE = {
    "base": set(),
    "vidu": {"base"},
    "conf": {"base", "vidu"},
    "wire": {"base", "vidu"},
    "http": {"base", "vidu", "wire"},
    "store": {"base", "vidu"},
    "receiver": {"base", "vidu", "conf", "wire", "http"},
    "keeper": {"base", "vidu", "conf", "wire", "store"},
    "gateway": {"base", "vidu", "conf", "wire", "http"},
    "runner": {"base", "vidu", "conf", "wire", "http"},
    "cli": {"base", "vidu", "conf", "wire", "http", "store"},
    "sim": {"base", "vidu", "wire", "http"},
}
# A foreign library lives in these files only.
WALLS = {
    r"event2/http": r"http/server.*\.c|http/guard\.c",
    r"event2/bufferevent_ssl": r"http/server.*\.c",
    r"openssl/(ssl|x509v?3?|pem|err)\.h": r"http/(tls|server|guard).*\.c",
    r"openssl/": r"http/(tls|server|guard).*\.c|vidu/crypto\.c",
    r"curl/": r"http/client.*\.c",
    r"sqlite3\.h": r"store/store_sqlite.*",
    r"yaml\.h": r"conf/conf_yaml\.c",
    r"seccomp\.h": r"receiver/sandbox_seccomp\.c",
    r"pthread\.h": r"(?!)",
}
BANNED = (r"sprintf|vsprintf|strcpy|strcat|strncpy|strncat|gets|atoi|atol|atoll|strtok|alloca|system|popen|"
          r"mktemp|tmpnam|rand|srand|fork|vfork|sleep|usleep|signal_handler")
FORK_ALLOWED = {"receiver/drill.c", "runner/spawn_child.c"}
# Globals that may change.
MUTABLE = {
    "base/clock.c": {"frozen_mono_ms", "frozen_wall_ms"},  # by tests only
    "base/log.c": {"sink", "limits"},
}
FUNCTION_MAX, FILE_MAX, COLUMNS = 100, 600, 100


def sources():
    return sorted(SRC.rglob("*.[ch]"))


def name(path):
    return str(path.relative_to(SRC))


def code_of(text):
    """The text with comments and strings blanked, lines kept."""
    blank = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def layers():
    for path in sources():
        folder = path.parent.name
        if path.parent == SRC:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            m = re.match(r'#include "(\w+)/', line)
            if m and m.group(1) != folder and m.group(1) not in MAY_INCLUDE[folder]:
                yield f"{name(path)}:{number}: {folder} may not include {m.group(1)}"


def walls():
    for path in sources():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            m = re.match(r"#include <([^>]+)>", line)
            if not m:
                continue
            for library, files in WALLS.items():
                if re.match(library, m.group(1)):
                    if not re.fullmatch(files, name(path)):
                        yield f"{name(path)}:{number}: {m.group(1)} does not belong here"
                    break


def banned():
    call = re.compile(rf"(?<![\w.>])({BANNED})\s*\(")
    for path in sources():
        for number, line in enumerate(code_of(path.read_text()).splitlines(), 1):
            m = call.search(line)
            if m and not (m.group(1) in ("fork", "vfork") and name(path) in FORK_ALLOWED):
                yield f"{name(path)}:{number}: {m.group(1)} is banned"


def own_header_first():
    for path in SRC.rglob("*.c"):
        header = path.with_suffix(".h")
        first = re.search(r'^#include ["<]([^">]+)', path.read_text(), re.M)
        if header.exists() and first and first.group(1) != name(header):
            yield f"{name(path)}: includes {first.group(1)} before {name(header)}"


def functions(path):
    """(first line, length) of every function body."""
    start = None
    for number, line in enumerate(code_of(path.read_text()).splitlines(), 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            yield start, number - start + 1
            start = None


def lengths():
    for path in sources():
        lines = path.read_text().splitlines()
        if len(lines) > FILE_MAX:
            yield f"{name(path)}: {len(lines)} lines, at most {FILE_MAX}"
        for start, length in functions(path):
            if length > FUNCTION_MAX:
                yield f"{name(path)}:{start}: a function of {length} lines, at most {FUNCTION_MAX}"
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                yield f"{name(path)}:{number}: {len(line)} columns, at most {COLUMNS}"


def licences():
    for path in sources():
        if "SPDX-License-Identifier: MIT" not in path.read_text():
            yield f"{name(path)}: no SPDX line"


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def mutable_globals():
    """What the compiler has put where it can be written; .data.rel.ro is for tables of pointers."""
    if len(sys.argv) < 4:
        return
    build = pathlib.Path(sys.argv[3]).resolve().parent / "src"
    for source in sorted(SRC.rglob("*.c")):
        thing = build / source.relative_to(SRC).with_suffix(".o")
        if not thing.exists():  # an optional part that was not chosen
            continue
        table = run("objdump", "-t", str(thing))[1]
        for symbol in re.findall(r"^\S+ .{7} (?:\.data(?!\.rel\.ro)|\.tdata|\.t?bss|\*COM\*)\S*\t\S+ (?:\.hidden )?(\S+)$", table, re.M):
            variable = re.sub(r"\.\d+$", "", symbol)  # static in a function
            if variable not in MUTABLE.get(name(source), set()) and not variable.startswith(("__", ".")):  # a sanitizer's
                yield f"{name(source)}: {variable} is a global that can change"


def manuals():
    pages = sorted((ROOT / "man").glob("*.[1-8]"))
    if not pages:
        yield "no manual pages"
    for page in pages:
        status, text = run("mandoc", "-T", "lint", "-W", "warning", str(page))
        if status:
            yield from text.splitlines()


def plain(page):
    """Words of a manual page without mdoc's escapes."""
    return (ROOT / "man" / page).read_text().replace("\\-", "-").replace("\\&", "")


def documented():
    if len(sys.argv) < 4:
        return
    text = plain("viduhook.1")
    for command in run(sys.argv[2], "help", "--names")[1].split():
        if not re.search(rf"^\.(Ss|It Cm|Ic|Nm viduhook) .*\b{re.escape(command)}\b", text, re.M) and command not in text:
            yield f"viduhook(1) does not mention the command {command}"
        for option in set(re.findall(r"--([a-z][a-z-]+)", run(sys.argv[2], *command.split("-", 0), "--help")[1])):
            if option not in text:
                yield f"viduhook(1) does not mention --{option} of {command}"
    text = plain("viduhookd.8")
    for option in re.findall(r"--([a-z][a-z-]+)", run(sys.argv[3], "--help")[1]):
        if option not in text:
            yield f"viduhookd(8) does not mention --{option}"
    text = plain("viduhook.yaml.5")
    for option in run(sys.argv[2], "config", "options")[1].splitlines():
        word = option.split("\t")[0]
        if word.split(".")[-1].split("[")[0] not in text:
            yield f"viduhook.yaml(5) does not mention {word}"
    text = plain("viduhook-hooks.7")
    for row in run(sys.argv[2], "config", "placeholders")[1].splitlines():
        kind, name, variable, _ = row.split("\t")
        for word in filter(None, (name, variable)):
            if not re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text):
                yield f"viduhook-hooks(7) does not mention the {kind} {word}"


def shell_scripts():
    scripts = [ROOT / "dev", ROOT / ".ci/run", *ROOT.glob("contrib/**/*.sh"), *ROOT.glob("contrib/hooks/*"), *ROOT.glob("tests/**/*.sh"),
               *ROOT.glob("src/**/*.sh")]
    if shutil.which("shellcheck") is None:
        return
    for script in scripts:
        if not script.exists():  # .ci is not part of a distribution
            continue
        status, text = run("shellcheck", str(script))
        if status:
            yield from text.splitlines()


RULES = [layers, walls, banned, own_header_first, lengths, licences, mutable_globals, manuals, documented, shell_scripts]


def main():
    status = 0
    for rule in RULES:
        found = list(rule())
        print(f"{'not ok' if found else 'ok'} {rule.__name__}")
        for line in found:
            print(f"    {line}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
