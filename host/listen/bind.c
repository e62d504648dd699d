/* bind.c - binds sockets without libuv, which keeps the errors of bind for later
 * and removes the path of a Unix socket when any handle of it is closed, also
 * one whose socket lives on in another. No Lua, no handle: plain descriptors. */
#include "host/listen/bind.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* (The flags of socket(2) for these two are not everywhere.) */
int bind_open_socket(int family) {
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

static int last_error(int fd) {
  int status = uv_translate_sys_error(errno);
  if (fd >= 0) close(fd);
  return status;
}

/* ---- TCP ----------------------------------------------------------------- */

void bind_share(int fd, bool shares) {
  int on = shares;
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

static int bind_name(const struct sockaddr *name, bool shares) {
  int yes = 1, no = 0;
  bool is_v6 = name->sa_family == AF_INET6;
  int fd = bind_open_socket(name->sa_family);
  if (fd < 0) return last_error(fd);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (shares) bind_share(fd, true);
  if (is_v6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  socklen_t size =
    is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  return bind(fd, name, size) < 0 ? last_error(fd) : fd;
}

/* All interfaces are those of IPv4 where there is no IPv6. */
static int bind_tcp(const struct address *address, bool shares) {
  struct sockaddr_storage name;
  int status = address_resolve(address, true, &name);
  if (status < 0) return status;
  int fd = bind_name((struct sockaddr *)&name, shares);
  if (address->host[0] != '\0' ||
      (fd != UV_EAFNOSUPPORT && fd != UV_EADDRNOTAVAIL))
    return fd;
  uv_ip4_addr("0.0.0.0", address_port(address), (struct sockaddr_in *)&name);
  return bind_name((struct sockaddr *)&name, shares);
}

/* ---- Unix ---------------------------------------------------------------- */

/* A socket that a dead process has left behind refuses; a live one does not.
 * (So does a file of another kind: that one is not ours to remove.) */
static bool is_stale(const struct sockaddr_un *name, socklen_t size) {
  struct stat info;
  if (lstat(name->sun_path, &info) < 0 || !S_ISSOCK(info.st_mode)) return false;
  int fd = bind_open_socket(AF_UNIX);
  if (fd < 0) return false;
  bool refused = connect(fd, (const struct sockaddr *)name, size) < 0 &&
                 errno == ECONNREFUSED;
  close(fd);
  return refused;
}

static int bind_unix(const char *path) {
  struct sockaddr_un name;
  socklen_t size = address_unix(path, &name);
  int fd = bind_open_socket(AF_UNIX);
  if (fd < 0) return last_error(fd);
  if (bind(fd, (struct sockaddr *)&name, size) == 0) return fd;
  if (errno != EADDRINUSE || path[0] == '@') return last_error(fd);
  if (is_stale(&name, size) && unlink(path) == 0 &&
      bind(fd, (struct sockaddr *)&name, size) == 0)
    return fd;
  close(fd);
  return UV_EADDRINUSE;
}

int bind_socket(const struct address *address, bool shares) {
  return address->is_unix ? bind_unix(address->host)
                          : bind_tcp(address, shares);
}
