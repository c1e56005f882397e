#!/bin/sh
# Writes a C file with files as arrays:  embed.sh HEADER NAME FILE [NAME FILE]... >media_data.c
# Needs od and awk as POSIX describes them.
# SPDX-License-Identifier: MIT
set -eu

printf '/* Made by embed.sh. */\n#include "%s"\n' "$1"
shift
while [ $# -ge 2 ]; do
    printf '\nconst unsigned char %s[] = {\n' "$1"
    od -An -v -tx1 "$2" | awk '{
        line = "   "
        for (i = 1; i <= NF; i++)
            line = line " 0x" $i ","
        print line
    }'
    printf '};\nconst size_t %s_len = sizeof(%s);\n' "$1" "$1"
    shift 2
done
