/* SPDX-License-Identifier: MIT */
#include "vidu/s3_sign.h"

#include "base/clock.h"
#include "vidu/sigv4.h"

#include <string.h>

#define VALUE_MAX   8192
#define SIGNED_HEAD "host:%.*s\nx-amz-content-sha256:%s\nx-amz-date:%s\n"

/* As curl sends it: without the scheme's own port. */
static struct slice host_of(const char *url)
{
    bool https = str_starts(url, "https://");
    const char *own = https ? ":443" : ":80";
    const char *host = url + (https ? 8 : 7);
    size_t n = strcspn(host, "/");

    if (n > strlen(own) && strncmp(host + n - strlen(own), own, strlen(own)) == 0)
        n -= strlen(own);
    return (struct slice){host, n};
}

/* "20130524T000000Z" of "2013-05-24T00:00:00.000Z". */
static void basic_time(int64_t time_s, char out[17])
{
    char text[25];
    size_t n = 0;

    clock_format_rfc3339(time_s * 1000, text);
    for (const char *p = text; *p != '\0' && *p != '.' && n < 15; p++)
        if (*p != '-' && *p != ':')
            out[n++] = *p;
    out[n++] = 'Z';
    out[n] = '\0';
}

void s3_sign(const struct s3_request *r, char *lines[S3_LINES])
{
    struct slice host = host_of(r->url);
    autobuf struct buf value = BUF_INIT(VALUE_MAX);
    autofree char *headers = NULL;
    char time[17];
    struct sigv4_request request = {.access_key = r->access_key,
                                    .secret_key = r->secret_key,
                                    .region = r->region,
                                    .method = r->method,
                                    .path = str_or(strchr(host.p, '/'), "/"),
                                    .payload = r->payload,
                                    .time = time};

    basic_time(r->now_s, time);
    headers = mem_printf(SIGNED_HEAD, (int)host.n, host.p, r->payload, time);
    request.headers = headers;
    sigv4_authorization(&request, &value);
    lines[0] = mem_printf("x-amz-content-sha256: %s", r->payload);
    lines[1] = mem_printf("x-amz-date: %s", time);
    lines[2] = mem_printf("Authorization: %s", buf_text(&value));
}
