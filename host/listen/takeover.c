/* takeover.c - a version that is being prepared listens beside the live one. At
 * the same address it gets a copy of the descriptor, so that no moment is
 * without a queue; of which module the two listeners are does not matter. */
#include "host/listen/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/listen/bind.h"
#include "host/listen/listener.h"

enum { BACKLOG = 4096 };

void takeover_format(const struct address *address, char text[ADDRESS_TEXT]) {
  struct sockaddr_storage name;
  memset(&name, 0, sizeof name);
  text[0] = '\0';
  if (address->is_unix)
    address_unix(address->host, (struct sockaddr_un *)&name);
  else if (address_resolve(address, true, &name) < 0)
    return;
  address_format((struct sockaddr *)&name, text);
}

/* ---- the socket of the version before ------------------------------------ */

/* Where the system chooses the port, the n-th listener gets that of the n-th. */
static struct listener *find(struct host *host, const char *asked) {
  struct work *work = host->live->background.first;
  for (; work != NULL; work = work->next) {
    struct listener *listener = (struct listener *)work;
    char bound[ADDRESS_TEXT];
    if (!listener_is(work) || listener->service == NULL) continue;
    if (listener->handle.closing || listener->service->heir != NULL) continue;
    if (strcmp(listener->asked, asked) == 0) return listener;
    if (listener_address(listener, bound) && strcmp(bound, asked) == 0)
      return listener;
  }
  return NULL;
}

struct listener *takeover_find(const struct owner *owner, const char *asked) {
  struct host *host = owner->generation->host;
  if (!owner_is_staged(owner) || host->live == NULL) return NULL;
  return find(host, asked);
}

static int copy_socket(const struct listener *from) {
  int fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
  return fd < 0 ? uv_translate_sys_error(errno) : fd;
}

/* ---- a new one ----------------------------------------------------------- */

/* Only listen(2) finds out that the address is taken. Who connects before the
 * listener has been started waits in the system's queue. */
static int open_alone(const struct address *address, bool shares) {
  int fd = bind_socket(address, shares);
  if (fd < 0 || listen(fd, BACKLOG) == 0) return fd;
  int status = uv_translate_sys_error(errno);
  close(fd);
  return status;
}

/* Has the live version a listener at this port, but not at this address? Then it
 * lets others share the port, or no longer. */
static bool share_port(struct host *host, const char *asked, bool shares) {
  const char *port = strrchr(asked, ':');
  struct work *work = host->live->background.first;
  bool found = false;
  for (; work != NULL; work = work->next) {
    const struct listener *listener = (const struct listener *)work;
    char bound[ADDRESS_TEXT];
    if (!listener_is(work) || listener->is_unix || listener->handle.closing ||
        !listener_address(listener, bound) ||
        strcmp(strrchr(bound, ':'), port) != 0)
      continue;
    if (strcmp(bound, asked) == 0) return false;
    bind_share(listener->fd, shares);
    found = true;
  }
  return found;
}

/* From "127.0.0.1:80" to ":80": until the commit the port is needed for both. */
static int open_socket(const struct owner *owner, const struct address *address,
                       const char *asked) {
  struct host *host = owner->generation->host;
  int fd = open_alone(address, false);
  if (fd != UV_EADDRINUSE || address->is_unix || !owner_is_staged(owner) ||
      host->live == NULL || !share_port(host, asked, true))
    return fd;
  fd = open_alone(address, true);
  share_port(host, asked, false);
  if (fd >= 0) bind_share(fd, false);
  return fd;
}

int takeover_socket(const struct owner *owner, const struct listener *before,
                    const struct address *address, const char *asked) {
  return before != NULL ? copy_socket(before)
                        : open_socket(owner, address, asked);
}
