/*
 * `viduhook init DIR`: a commented configuration that runs at once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_INIT_H
#define CONF_CONF_INIT_H

#include "base/err.h"

/*
 * The text of DIR/viduhook.yaml; dir is absolute. Certificate and key are expected as DIR/cert.pem
 * and DIR/key.pem, the store, control socket and media below DIR. Owned by the caller.
 */
char *conf_init_text(const char *dir);

#endif
