/* inotify.c - inotify, in the words of notify.h. Directories are watched, never
 * files: a file that is replaced takes its watch along. */
#include "host/inotify.h"

#include <uv.h>

#ifdef __linux__

#include <errno.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
  READS_MOST = 64, /* in a row */
  NAMES = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
          IN_MOVE_SELF | IN_DELETE_SELF,
  CONTENT = IN_MODIFY | IN_CLOSE_WRITE,
  /* Of a file that has lost its name nothing is told. The mask of a directory
   * that goes by two names only grows. */
  HOW = IN_ONLYDIR | IN_EXCL_UNLINK | IN_MASK_ADD
};

static int last_error(void) {
  return uv_translate_sys_error(errno);
}

int inotify_open(void) {
  int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  return fd < 0 ? last_error() : fd;
}

int inotify_watch(int fd, const char *directory, bool whole) {
  uint32_t mask = NAMES | (uint32_t)HOW;
  if (whole) mask |= CONTENT;
  int number = inotify_add_watch(fd, directory, mask);
  return number < 0 ? last_error() : number;
}

void inotify_forget(int fd, int directory) {
  inotify_rm_watch(fd, directory);
}

static enum notice notice_of(const struct inotify_event *event) {
  uint32_t mask = event->mask;
  if ((mask & IN_Q_OVERFLOW) != 0) return NOTICE_OVERFLOW;
  if ((mask & IN_IGNORED) != 0) return NOTICE_GONE;
  if (event->len == 0) return NOTICE_MOVED;
  if ((mask & IN_MODIFY) != 0) return NOTICE_WRITTEN;
  if ((mask & IN_CLOSE_WRITE) != 0) return NOTICE_CLOSED;
  if ((mask & IN_ATTRIB) != 0) return NOTICE_TOUCHED;
  bool is_new = (mask & (IN_CREATE | IN_MOVED_TO)) != 0;
  if (is_new && (mask & IN_ISDIR) != 0) return NOTICE_DIRECTORY;
  return (mask & IN_CREATE) != 0 ? NOTICE_CREATED : NOTICE_DONE;
}

int inotify_tell(int fd, inotify_visit *visit, void *data) {
  _Alignas(struct inotify_event) char bytes[16384];
  for (int i = 0; i < READS_MOST; i++) {
    ssize_t size = read(fd, bytes, sizeof bytes);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno != EAGAIN) return last_error();
    if (size <= 0) return 0;
    for (const char *place = bytes; place < bytes + size;) {
      const struct inotify_event *event = (const void *)place;
      visit(data, notice_of(event), event->wd,
            event->len > 0 ? event->name : "");
      place += sizeof *event + event->len;
    }
  }
  return 0;
}

#else

int inotify_open(void) {
  return UV_ENOSYS;
}

int inotify_watch(int fd, const char *directory, bool whole) {
  (void)fd, (void)directory, (void)whole;
  return UV_ENOSYS;
}

void inotify_forget(int fd, int directory) {
  (void)fd, (void)directory;
}

int inotify_tell(int fd, inotify_visit *visit, void *data) {
  (void)fd, (void)visit, (void)data;
  return UV_ENOSYS;
}

#endif
