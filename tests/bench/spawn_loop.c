/*
 * The floor for command hooks: posix_spawn and wait, N commands, so many at once.
 *
 *   spawn_loop N AT_ONCE PROGRAM        prints commands per second
 *
 * SPDX-License-Identifier: MIT
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static void start(char *program)
{
    char *argv[] = {program, NULL};
    pid_t pid;

    if (posix_spawn(&pid, program, NULL, NULL, argv, environ) != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    struct timespec from;
    struct timespec to;
    int n = argc == 4 ? (int)strtol(argv[1], NULL, 10) : 0;
    int at_once = argc == 4 ? (int)strtol(argv[2], NULL, 10) : 0;
    int started = 0;
    int status;

    if (n < 1 || at_once < 1) {
        fprintf(stderr, "usage: spawn_loop N AT_ONCE PROGRAM\n");
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (started < at_once && started < n) {
        start(argv[3]);
        started++;
    }
    for (int done = 0; done < n; done++) {
        wait(&status);
        if (started < n) {
            start(argv[3]);
            started++;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.0f\n",
           n / ((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9));
    return 0;
}
