#!/bin/sh
# libFuzzer on one parser or on each: fuzz.sh [NAME [SECONDS]]. New inputs are kept in build-fuzz,
# a crash is copied beside the corpus so that `check` replays it from then on.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
name=${1:-}
seconds=${2:-60}
out=build-fuzz
flags='-std=gnu11 -g -O1 -D_GNU_SOURCE -Isrc -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all'
libraries="libevent_extra libevent_openssl openssl jansson libcurl yaml-0.1"

fuzz_one() {
    driver=tests/fuzz/fuzz_$1.c
    [ -f "$driver" ] || { echo "fuzz: there is no $driver" >&2; exit 1; }
    corpus=tests/fuzz/corpus/$1
    mkdir -p "$out/$1"
    layers="src/base/*.c src/vidu/*.c"
    for layer in conf wire http; do
        if grep -q "#include \"$layer/" "$driver"; then
            [ "$layer" != http ] || layers="$layers src/wire/*.c"
            layers="$layers src/$layer/*.c"
        fi
    done
    # shellcheck disable=SC2086,SC2046  # lists of words
    clang $flags -DPACKAGE_VERSION='"fuzz"' -DVIDUHOOK_SYSCONFDIR='"/etc"' \
        -DVIDUHOOK_LOCALSTATEDIR='"/var"' -DVIDUHOOK_RUNSTATEDIR='"/run"' $(pkg-config --cflags $libraries) "$driver" $layers \
        $(pkg-config --libs $libraries) -o "$out/fuzz_$1"
    dictionary=
    [ ! -f "tests/fuzz/$1.dict" ] || dictionary=-dict=tests/fuzz/$1.dict
    echo "== fuzzing $1 for $seconds s"
    # shellcheck disable=SC2086
    "$out/fuzz_$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$corpus/found-" $dictionary "$out/$1" "$corpus"
}

if [ -n "$name" ]; then
    fuzz_one "$name"
else
    for driver in tests/fuzz/fuzz_*.c; do
        driver=${driver##*/fuzz_}
        fuzz_one "${driver%.c}"
    done
fi
