/*
 * YAML (and so JSON) into a tree of nodes. The part of YAML that configuration files need:
 * anchors, aliases, tags and a second document are refused, a key stands once in its map.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_YAML_H
#define CONF_CONF_YAML_H

#include "conf/conf_node.h"

#define CONF_YAML_MAX_BYTES (1U << 20)
#define CONF_YAML_MAX_DEPTH 16
#define CONF_YAML_MAX_NODES 10000

/*
 * The map at the top of the file (an empty file gives an empty map), or NULL when a finding says
 * that it cannot be read to its end. There may be other findings beside a map: it is then fit for
 * nothing but finding more. file must outlive the tree.
 */
struct conf_node *conf_yaml_parse(const char *file, const char *text, size_t n,
                                  struct conf_findings *found);

#endif
