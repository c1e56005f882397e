/* SPDX-License-Identifier: MIT */
#include "conf/conf_init.h"

#include "base/buf.h"

#include <string.h>

/* @NAME@ stands for DIR/NAME in double quotes, @:NAME@ for "sqlite:DIR/NAME". */
static const char template[] =
    "# viduhook: a configuration that runs at once, on this machine only.\n"
    "# Check it with: viduhookd --check -c @viduhook.yaml@\n"
    "# All options: viduhook.yaml(5). Every value in force: viduhook config show\n"
    "\n"
    "# What providers are told. For callbacks from the internet: the name of this machine out\n"
    "# there, a certificate for that name, and a listener such as https://[::]:8443.\n"
    "public_url: https://127.0.0.1:8443\n"
    "listen:\n"
    "  - https://127.0.0.1:8443\n"
    "\n"
    "# The certificate is self-signed: fine for trials, but providers will not accept it.\n"
    "tls:\n"
    "  certificate: @cert.pem@\n"
    "  key: @key.pem@\n"
    "\n"
    "control: @control.sock@\n"
    "store: @:viduhook.db@\n"
    "\n"
    "providers:\n"
    "  # The file holds a key that was made up. It is good for `viduhook sim`; for real tasks put\n"
    "  # your own API key in its place, on one line.\n"
    "  vidu:\n"
    "    key: { file: @vidu.key@ }\n"
    "    #mode: poll # while your provider cannot reach this machine: the daemon looks for itself\n"
    "    #base_url: http://127.0.0.1:8788 # the address that `viduhook sim` prints\n"
    "\n"
    "# Results come from public addresses. `viduhook sim` serves them from this machine:\n"
    "#fetch: { allow: [\"127.0.0.1:8788\"] }\n"
    "\n"
    "hooks:\n"
    "  # Every finished video is saved, with its cover.\n"
    "  - name: archive\n"
    "    on: [success]\n"
    "    download:\n"
    "      dir: @media@\n"
    "\n"
    "  # Then a program of yours: data in VIDUHOOK_* variables and as JSON on its standard input.\n"
    "  #- name: tell\n"
    "  #  after: archive\n"
    "  #  exec: [/bin/echo, \"{task.id}\", \"{file.path}\"]\n"
    "  #  timeout: 60s\n";

static void add_path(struct buf *out, const char *prefix, const char *dir, struct slice name)
{
    autofree char *path = mem_printf("%s%s/%.*s", prefix, dir, (int)name.n, name.p);

    buf_add_json(out, path, strlen(path));
}

char *conf_init_text(const char *dir)
{
    struct buf out = BUF_INIT(1U << 20);

    for (const char *at = template; *at != '\0';) {
        size_t n = strcspn(at, "@");

        buf_add(&out, at, n);
        at += n;
        if (*at != '@')
            break;
        at++;
        n = strcspn(at, "@");
        if (*at == ':')
            add_path(&out, "sqlite:", dir, (struct slice){at + 1, n - 1});
        else
            add_path(&out, "", dir, (struct slice){at, n});
        at += n + 1;
    }
    return buf_take(&out);
}
