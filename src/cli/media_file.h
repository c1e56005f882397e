/*
 * The files that a request names, and the way each goes: within the request, as a data URI; or
 * uploaded beforehand, which leaves a URI; or beside it, as the file of a form (vidu-api.md 3.2,
 * 8.5, 13).
 *
 * First everything is listed and measured, then it is chosen what is uploaded, last the values are
 * made: nothing is read before it is known where it goes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_MEDIA_FILE_H
#define CLI_MEDIA_FILE_H

#include "vidu/provider.h"
#include "vidu/request.h"

struct media_file {
    char *name;
    enum media_kind kind;
    uint64_t size;
    size_t times; /* in the request */
    bool upload;
    char *uri;   /* once it has been uploaded */
    bool beside; /* goes along with the request, as the file of a form */
};

struct media_files {
    struct media_file *v;
    size_t n;
    bool listing; /* media_file_value lists, and gives an empty text */
};

/* --image, --video or --audio. */
const char *media_option(enum media_kind kind);

/*
 * The value that stands in the request for what an option names: a reference as it is, a file as a
 * data URI, an uploaded one as its URI, one that is still to be uploaded as a note. -EFBIG,
 * -EINVAL, -errno, with the name in the error.
 */
MUST_CHECK int media_file_value(struct media_files *files, enum media_kind kind, const char *name,
                                json_t **out, struct err *err);
/* Opens a file and looks at its first bytes: *fd is the caller's, *type static. */
MUST_CHECK int media_file_open(const struct media_file *f, int *fd, const char **type,
                               struct err *err);
/* Lists a file that goes beside the request; a reference does not. */
MUST_CHECK int media_file_list_beside(struct media_files *files, enum media_kind kind,
                                      const char *name, struct err *err);
/* The one that does, or NULL. */
const struct media_file *media_files_beside(const struct media_files *files);
/*
 * Marks what is to be uploaded so that the request fits; rest is the length of all of it that is no
 * file. -EFBIG with the numbers when it never will.
 */
MUST_CHECK int media_files_choose(struct media_files *files, size_t rest,
                                  const struct provider_profile *profile, struct err *err);
size_t media_files_to_upload(const struct media_files *files);
void media_files_clear(struct media_files *files);

#endif
