/*
 * Whether an MP4 file has its end. The length that a server declares may be that of a copy which
 * was cut off before; the file's own boxes know better.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_MP4_H
#define HTTP_MP4_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True, and which box, when one of the boxes that lie behind each other in the file (ISO/IEC
 * 14496-12, 4.2) would go on behind its end. Reads 16 bytes of each; whatever is no box that we
 * know is not judged, nor is what follows it.
 */
bool mp4_is_cut(int fd, uint64_t size, char type[5]);

#endif
