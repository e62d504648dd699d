/* descriptor.c - system calls that are tried again where a signal came between,
 * and that never wait for a peer. */
#include "modules/fs/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "host/closing.h"

enum { AT_ONCE = 8 << 20 }; /* between two such calls one may be cancelled */

int descriptor_status(void) {
  return uv_translate_sys_error(errno);
}

static int open_once(const char *path, int flags, mode_t mode) {
  int fd;
  do fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? descriptor_status() : fd;
}

static bool is_kind(const char *path, mode_t kind) {
  struct stat status;
  return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

bool descriptor_is_pipe(const char *path) {
  return is_kind(path, S_IFIFO);
}

/* Somebody has a lease on a regular file, as a file server may: that one is
 * told, and gives it back soon. */
int descriptor_open(const char *path, int flags, mode_t mode) {
  int fd = open_once(path, flags | O_NONBLOCK, mode);
  if (fd == UV_EAGAIN && is_kind(path, S_IFREG))
    fd = open_once(path, flags, mode);
  return fd;
}

ssize_t descriptor_read(int fd, char *bytes, size_t size) {
  ssize_t got;
  do got = read(fd, bytes, size < AT_ONCE ? size : AT_ONCE);
  while (got < 0 && errno == EINTR);
  return got < 0 ? descriptor_status() : got;
}

ssize_t descriptor_write(int fd, const char *bytes, size_t size) {
  ssize_t written;
  do written = write(fd, bytes, size < AT_ONCE ? size : AT_ONCE);
  while (written < 0 && errno == EINTR);
  return written < 0 ? descriptor_status() : written;
}

int descriptor_write_all(int fd, const char **data, size_t *size,
                         atomic_bool *given_up) {
  while (*size > 0) {
    if (atomic_load(given_up)) return UV_ECANCELED;
    ssize_t written = descriptor_write(fd, *data, *size);
    if (written < 0) return (int)written;
    *data += written;
    *size -= (size_t)written;
  }
  return 0;
}

bool descriptor_has_input(int fd) {
  struct pollfd one = {.fd = fd, .events = POLLIN};
  return poll(&one, 1, 0) != 0;
}

/* ---- close --------------------------------------------------------------- */

/* (Its writers look for readers of a pipe: it is to have none at once.) */
static bool is_quick(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

void descriptor_close(struct host *host, int fd) {
  if (is_quick(fd))
    close(fd);
  else
    close_in_thread(host, fd);
}
