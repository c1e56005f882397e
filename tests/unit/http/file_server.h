/*
 * Starts tests/fixtures/file_server.py for a test program.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FILE_SERVER_H
#define TESTS_FILE_SERVER_H

#include "base/mem.h"
#include "base/str.h"

#include <dirent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct file_server {
    pid_t pid;
    int control; /* closing it ends the server */
    int port;
    char certificate[256];
};

static inline int file_server_start(struct file_server *s, const char *option)
{
    autofree char *path =
        mem_printf("%s/tests/fixtures/file_server.py", str_or(getenv("srcdir"), "."));
    char *argv[] = {(char *)"/usr/bin/python3", (char *)"-I", path, (char *)option, NULL};
    posix_spawn_file_actions_t actions;
    char line[512] = "";
    size_t n = 0;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], 0);
    posix_spawn_file_actions_adddup2(&actions, pair[1], 1);
    if (posix_spawn(&s->pid, argv[0], &actions, NULL, argv, environ) != 0)
        return -1;
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    s->control = pair[0];
    while (n + 1 < sizeof(line) && memchr(line, '\n', n) == NULL) {
        ssize_t got = read(s->control, line + n, sizeof(line) - 1 - n);

        if (got <= 0)
            return -1;
        n += (size_t)got;
    }
    return sscanf(line, "%d %255s", &s->port, s->certificate) >= 1 ? 0 : -1;
}

static inline void file_server_stop(struct file_server *s)
{
    close(s->control);
    waitpid(s->pid, NULL, 0);
}

/* Descriptors this process has open; a test compares before and after. */
static inline int open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (d != NULL && readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

#endif
