/*
 * AWS Signature Version 4 for S3, in the header Authorization
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_SIGV4_H
#define VIDU_SIGV4_H

#include "base/buf.h"

struct sigv4_request {
    const char *access_key, *secret_key, *region;
    const char *method;
    const char *path; /* percent-encoded, as it stands in the request line, without a query */
    /* "name:value\n" each: lower-case names in alphabetical order, values trimmed; host,
     * x-amz-content-sha256 and x-amz-date among them. */
    const char *headers;
    const char *payload; /* SHA-256 in hexadecimal: the value of x-amz-content-sha256 */
    const char *time;    /* "20130524T000000Z": the value of x-amz-date */
};

/* Appends the value of Authorization. */
void sigv4_authorization(const struct sigv4_request *r, struct buf *out);

#endif
