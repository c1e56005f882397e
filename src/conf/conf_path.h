/*
 * Where things are when the configuration does not say: below the directories that systemd hands
 * over, else those of the machine for root, else those of the user (XDG).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_PATH_H
#define CONF_CONF_PATH_H

/* Owned by the caller. */
char *conf_path_control(void);
char *conf_path_store(void); /* sqlite:PATH */

#endif
