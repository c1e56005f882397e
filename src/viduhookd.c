/*
 * viduhookd: picks the room by its argument. Started by a person or a service manager it is the
 * keeper, which starts the other rooms from this same executable.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/fs.h"
#include "base/log.h"
#include "conf/conf.h"
#include "gateway/gateway.h"
#include "http/client.h"
#include "http/tls.h"
#include "keeper/keeper.h"
#include "receiver/receiver.h"
#include "runner/runner.h"
#include "wire/hello.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define EXIT_BAD_USAGE  64 /* sysexits(3) */
#define EXIT_BAD_CONFIG 78

static const struct {
    const char *name;
    int (*main)(void);
} rooms[] = {
    {"receiver", receiver_main},
    {"gateway", gateway_main},
    {"runner", runner_main},
    {"drill", receiver_drill}, /* shows from inside that the receiver's sandbox holds */
};

static const char usage[] =
    "usage: viduhookd [-c FILE] [--check] [--no-sandbox]\n"
    "\n"
    "  -c, --config FILE  configuration (default: viduhook.yaml in $XDG_CONFIG_HOME/viduhook,\n"
    "                     then in the system's configuration directory)\n"
    "      --check        check the configuration, report every error, exit 0 or 78\n"
    "      --no-sandbox   debugging only: receivers keep their rights\n"
    "      --help, --version\n"
    "\n"
    "Signals: HUP reloads, TERM and INT stop in order. `viduhook init DIR` writes a\n"
    "configuration to begin with. See viduhookd(8), viduhook.yaml(5), viduhook(1).\n";

/* Every room but the drill has its parent on the other side of a socket. */
static bool has_channel(void)
{
    struct stat st;

    return fstat(ROOM_CHANNEL_FD, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* A room is started through /proc/self/exe, and would be `exe` to ps and pgrep. */
static int room_main(const char *name)
{
    prctl(PR_SET_NAME, "viduhookd");
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        if (strcmp(name, rooms[i].name) != 0)
            continue;
        if (rooms[i].main == receiver_drill || has_channel())
            return rooms[i].main();
        fprintf(stderr, "viduhookd: rooms are started by viduhookd itself; leave out --room\n");
        return EXIT_BAD_USAGE;
    }
    fprintf(stderr, "viduhookd: there is no room %s\n", name);
    return EXIT_BAD_USAGE;
}

static void print_finding(const char *file, int line, int column, const char *text, void *ctx)
{
    (void)ctx;
    if (line > 0)
        fprintf(stderr, "%s:%d:%d: %s\n", file, line, column, text);
    else
        fprintf(stderr, "%s: %s\n", file, text);
}

/*
 * For the daemon. Dates that are wrong may be right later, by a renewal or when the clock is set:
 * the receivers refuse them, and the service manager tries again, which it does not with 78.
 */
static int check_pair(const char *chain_pem, const char *key_pem, bool min_13, struct err *err)
{
    int rc = tls_server_check(chain_pem, key_pem, min_13, err);

    return rc == -EKEYEXPIRED ? 0 : rc;
}

static int check_main(const char *path)
{
    struct conf *conf;

    if (conf_load_checked(path, tls_server_check, print_finding, NULL, &conf) < 0)
        return EXIT_BAD_CONFIG;
    conf_warn(conf, print_finding, NULL);
    printf("%s: no errors (listeners: %zu, providers: %zu, hooks: %zu)\n", path, conf->n_listen,
           conf->n_providers, conf->n_hooks);
    conf_free(conf);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, 'k'},
        {"no-sandbox", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {"room", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    struct keeper_options keeper = {.sandbox = true,
                                    .client_version = client_library_version(),
                                    .check_pair = check_pair,
                                    .not_after = tls_not_after};
    autofree char *path = NULL;
    bool check = false;
    int c;

    fs_hold_standard();
    while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            mem_replace(&path, optarg);
            break;
        case 'k':
            check = true;
            break;
        case 'n':
            keeper.sandbox = false;
            break;
        case 'r':
            return room_main(optarg);
        case 'h':
            fputs(usage, stdout);
            return 0;
        case 'v':
            keeper_print_version(keeper.client_version);
            return 0;
        default:
            fputs(usage, stderr);
            return EXIT_BAD_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "viduhookd: unexpected argument %s\n%s", argv[optind], usage);
        return EXIT_BAD_USAGE;
    }
    if (path == NULL)
        path = conf_default_path();
    keeper.conf_path = path;
    return check ? check_main(path) : keeper_main(&keeper);
}
