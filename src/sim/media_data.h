/*
 * The clip and the still that the simulator serves; embed.sh makes media_data.c at build time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_MEDIA_DATA_H
#define SIM_MEDIA_DATA_H

#include <stddef.h>

extern const unsigned char sim_clip_mp4[];
extern const size_t sim_clip_mp4_len;
extern const unsigned char sim_cover_jpg[];
extern const size_t sim_cover_jpg_len;

#endif
