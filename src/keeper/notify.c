/* SPDX-License-Identifier: MIT */
#include "keeper/notify.h"

#include "base/str.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_send(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    size_t n = path != NULL ? strlen(path) : 0;
    int fd;

    if (n < 2 || n >= sizeof(sun.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(sun.sun_path, path, n);
    if (path[0] == '@') /* abstract */
        sun.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&sun,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

int64_t notify_watchdog_ms(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    const char *usec = getenv("WATCHDOG_USEC");
    uint64_t value;

    if (pid != NULL &&
        (str_to_u64(pid, strlen(pid), INT32_MAX, &value) < 0 || (pid_t)value != getpid()))
        return 0;
    if (usec == NULL || str_to_u64(usec, strlen(usec), INT64_MAX, &value) < 0)
        return 0;
    return (int64_t)(value / 2000);
}
