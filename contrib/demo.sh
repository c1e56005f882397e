#!/bin/sh
# The main job end to end, on loopback and without an account: a simulated Vidu, a daemon with TLS,
# one image-to-video task, its signed callbacks, the video and its cover on disk, a command run.
# Everything lives in build/demo; nothing is left running.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."
: "${VIDUHOOK:=$PWD/build/viduhook}" "${VIDUHOOKD:=$PWD/build/viduhookd}"
dir=$PWD/build/demo
sim_pid=
daemon_pid=

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
cleanup() {
    for pid in $daemon_pid $sim_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}
trap cleanup EXIT
trap 'exit 130' INT TERM
fail() {
    printf 'demo: %s\n' "$*" >&2
    [ ! -f "$dir/daemon.log" ] || tail -n 20 "$dir/daemon.log" >&2
    exit 1
}

# wait_for FILE PATTERN: until a line fits, at most 20 seconds.
wait_for() {
    for _ in $(seq 200); do
        grep -q "$2" "$1" 2>/dev/null && return 0
        sleep 0.1
    done
    fail "waited in vain for '$2' in $1"
}

rm -rf "$dir"
say "1. A configuration with a certificate for loopback (viduhook init)"
"$VIDUHOOK" init "$dir" >/dev/null
printf 'demo-key\n' >"$dir/vidu.key"

say "2. A simulated Vidu (viduhook sim)"
"$VIDUHOOK" sim --listen 127.0.0.1:0 --key demo-key --time 1s --ca "$dir/cert.pem" >"$dir/sim.log" 2>&1 &
sim_pid=$!
wait_for "$dir/sim.log" 'listening on http'
sim=$(sed -n 's|.*listening on http://\([0-9.:]*\).*|\1|p' "$dir/sim.log")
echo "listening on http://$sim"

say "3. The daemon (viduhookd)"
mkdir -p "$dir/conf.d"
try=0
while :; do
    port=$((20000 + ($$ + try * 997) % 20000))
    cat >"$dir/conf.d/demo.yaml" <<YAML
public_url: https://127.0.0.1:$port
listen: [ "https://127.0.0.1:$port" ]
providers:
  vidu: { base_url: "http://$sim" }
fetch: { allow: [ "$sim" ], keep_free: 1MiB }
limits: { min_free: 1MiB }
hooks:
  - name: note
    after: archive
    exec: [ /bin/sh, -c, "echo \"\$VIDUHOOK_EVENT: \$VIDUHOOK_FILE\" >$dir/note.txt" ]
YAML
    "$VIDUHOOKD" -c "$dir/viduhook.yaml" 2>"$dir/daemon.log" &
    daemon_pid=$!
    for _ in $(seq 100); do
        grep -q 'daemon.ready\|not_bound\|_error\|config.error' "$dir/daemon.log" && break
        sleep 0.1
    done
    grep -q daemon.ready "$dir/daemon.log" && break
    wait "$daemon_pid" || true
    daemon_pid=
    try=$((try + 1))
    { [ "$try" -lt 5 ] && grep -q not_bound "$dir/daemon.log"; } || fail "viduhookd did not start"
done
grep -o 'daemon.ready.*' "$dir/daemon.log"
viduhook() { "$VIDUHOOK" -c "$dir/viduhook.yaml" "$@"; }

say "4. An image-to-video task (viduhook submit img2video)"
viduhook submit img2video --model viduq3-turbo --prompt 'A paper boat crosses a puddle' \
    --image src/sim/cover.jpg --tag demo=yes --wait --timeout 60s >"$dir/submit.txt" ||
    fail "the task did not finish"
cat "$dir/submit.txt"
task=$(grep -o 't[a-z2-7]\{12\}' "$dir/submit.txt" | head -n 1)

say "5. Its hooks: download into the library, then a command"
timeout 60 "$VIDUHOOK" -c "$dir/viduhook.yaml" watch "$task" || fail "the hooks did not finish"
find "$dir/media" -type f -exec ls -l {} +
cat "$dir/note.txt"

say "6. What happened, and when (viduhook explain)"
viduhook explain "$task"

video=$(find "$dir/media" -name '*.mp4')
cmp -s "$video" src/sim/clip.mp4 || fail "the video is not what the provider made"
[ -n "$(find "$dir/media" -name '*.jpg')" ] || fail "there is no cover"
grep -qF "success: $video" "$dir/note.txt" || fail "the command did not get the file"

say "7. Stop"
kill "$daemon_pid"
wait "$daemon_pid" || fail "viduhookd did not stop in order"
daemon_pid=
say "It works. Everything is in $dir"
