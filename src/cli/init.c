/* init. SPDX-License-Identifier: MIT */
#include "base/encode.h"
#include "base/fs.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/term.h"
#include "conf/conf_init.h"
#include "http/tls.h"
#include "vidu/crypto.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CERTIFICATE_NAMES "localhost,127.0.0.1,::1"
#define CERTIFICATE_DAYS  365
#define KEY_BYTES         20

struct setup {
    const struct cli *cli;
    char *dir; /* absolute */
};

static int refuse_existing(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) == 0 && st.st_size > 0)
        return err_set(err, -EEXIST, "%s exists; nothing was changed", path);
    return 0;
}

/* A file that is there is kept: it may be the one in use. */
static int write_new(const struct setup *s, const char *name, const char *text, mode_t mode,
                     struct err *err)
{
    autofree char *path = fs_join(s->dir, name);
    int rc = fs_create_file(path, text, strlen(text), mode, err);

    if (rc == -EEXIST) {
        cli_note("%s: kept as it is", path);
        return 0;
    }
    if (rc == 0)
        cli_note("%s: written", path);
    return rc;
}

/* One certificate and its key, or the pair that is there. A key without one may be in use. */
static int write_tls(const struct setup *s, struct err *err)
{
    autofree char *certificate = fs_join(s->dir, "cert.pem");
    autofree char *key_file = fs_join(s->dir, "key.pem");
    autofree char *chain = NULL;
    char *key = NULL;
    struct stat st;
    bool certified = stat(certificate, &st) == 0;
    bool keyed = stat(key_file, &st) == 0;
    int rc;

    if (certified && keyed) {
        cli_note("%s, %s: kept as they are", certificate, key_file);
        return 0;
    }
    if (certified || keyed)
        return err_set(err, -EEXIST,
                       "%s is there without %s: put the other one beside it, or move it away",
                       keyed ? key_file : certificate, keyed ? "cert.pem" : "key.pem");
    rc = tls_self_signed(CERTIFICATE_NAMES, CERTIFICATE_DAYS, &chain, &key, err);
    if (rc == 0)
        rc = fs_replace_file(key_file, key, strlen(key), 0600, err);
    if (rc == 0)
        rc = fs_replace_file(certificate, chain, strlen(chain), 0644, err);
    if (rc == 0)
        cli_note("%s, %s: written, self-signed for this machine", certificate, key_file);
    mem_wipe_free(key, key != NULL ? strlen(key) : 0);
    return rc;
}

static int write_key(const struct setup *s, struct err *err)
{
    uint8_t bytes[KEY_BYTES];
    char hex[2 * KEY_BYTES + 1];
    autofree char *line = NULL;

    crypto_random(bytes, sizeof(bytes));
    encode_hex(bytes, sizeof(bytes), hex);
    line = mem_printf("vda_made_up_%s\n", hex);
    return write_new(s, "vidu.key", line, 0600, err);
}

/* The configuration comes last: it is what says that everything is there. */
static int write_all(const struct setup *s, struct err *err)
{
    autofree char *media = fs_join(s->dir, "media");
    autofree char *conf = fs_join(s->dir, "viduhook.yaml");
    autofree char *text = conf_init_text(s->dir);
    int rc = write_tls(s, err);

    if (rc == 0)
        rc = write_key(s, err);
    if (rc == 0)
        rc = fs_mkdirs(media, 0755, err);
    if (rc == 0)
        rc = fs_replace_file(conf, text, strlen(text), 0644, err);
    if (rc == 0)
        cli_note("%s: written", conf);
    return rc;
}

static int make_dir(const char *name, char **absolute, struct err *err)
{
    int rc = fs_mkdirs(name, 0755, err);

    if (rc < 0)
        return rc;
    *absolute = realpath(name, NULL);
    return *absolute == NULL ? err_sys(err, -errno, "%s", name) : 0;
}

/* As a shell takes it for one word. */
static void add_quoted(struct buf *out, const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";

    if (path[strspn(path, plain)] == '\0') {
        buf_adds(out, path);
        return;
    }
    buf_addc(out, '\'');
    for (; *path != '\0'; path++)
        if (*path == '\'')
            buf_adds(out, "'\\''");
        else
            buf_addc(out, *path);
    buf_addc(out, '\'');
}

static void print_next(const struct setup *s)
{
    autobuf struct buf text = BUF_INIT(64U << 10);
    autobuf struct buf safe = BUF_INIT(16U << 10);
    autobuf struct buf dir = BUF_INIT(32U << 10);

    term_adds(&safe, s->dir);
    add_quoted(&dir, buf_text(&safe));
    buf_addf(&text,
             "\nvidu.key holds a made-up key: put the API key of your Vidu account into it.\n"
             "Then, with public_url in viduhook.yaml set to where Vidu can reach this machine:\n\n"
             "  viduhookd -c %s/viduhook.yaml\n"
             "  viduhook -c %s/viduhook.yaml submit text2video --model viduq3-turbo \\\n"
             "      --prompt 'a paper boat on a quiet lake' --wait\n\n"
             "To try it without an account, take the # off base_url and fetch in viduhook.yaml,\n"
             "run this in a terminal of its own, and then the two commands above:\n\n"
             "  viduhook sim --listen 127.0.0.1:8788 --key \"$(cat %s/vidu.key)\" \\\n"
             "      --ca %s/cert.pem\n",
             buf_text(&dir), buf_text(&dir), buf_text(&dir), buf_text(&dir));
    cli_print(&text);
}

static void print_done(const struct setup *s)
{
    json_t *json = field_object("dir", s->dir);

    if (s->cli->json)
        cli_print_json(json);
    else
        print_next(s);
    json_decref(json);
}

int command_init(struct cli *cli, const struct options *o)
{
    autofree char *conf = fs_join(o->words[0], "viduhook.yaml");
    struct setup s = {.cli = cli};
    struct err err;
    int rc = refuse_existing(conf, &err);

    if (rc == 0)
        rc = make_dir(o->words[0], &s.dir, &err);
    if (rc == 0)
        rc = write_all(&s, &err);
    if (rc == 0)
        print_done(&s);
    free(s.dir);
    return rc < 0 ? cli_fail(cli, EXIT_FAILED, &err) : EXIT_OK;
}
