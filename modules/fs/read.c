/* read.c - fs.read: a whole file in one job of the thread pool.
 *
 * The size of a file is only a hint: it may grow or shrink while it is read, and
 * those in /proc have none. What ends it is that nothing more comes. A pipe or a
 * terminal that has nothing yet leaves the thread to others: the poller says
 * when to go on. */
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/error.h"
#include "host/host.h"
#include "host/job.h"
#include "host/option.h"
#include "modules/fs/contents.h"
#include "modules/fs/descriptor.h"
#include "modules/fs/fs.h"

/* Devices such as /dev/zero never end. */
static const size_t stream_most = (size_t)1 << 30;

struct reading {
  struct job job;
  int fd; /* -1: it is not open */
  size_t limit;
  size_t size, room, hint; /* hint: where it is to end */
  char *text;
  char *lent; /* a buffer of the host: mostly it is enough, or NULL */
  char path[];
};

/* Given up before its end. */
static void done(struct job *job) {
  struct reading *reading = (struct reading *)job;
  if (reading->fd >= 0) descriptor_close(job->host, reading->fd);
  reading->fd = -1;
}

static void let_go(struct job *job) {
  struct reading *reading = (struct reading *)job;
  if (reading->text != reading->lent) free(reading->text);
  buffers_give(&job->host->buffers, reading->lent);
}

/* ---- in a thread --------------------------------------------------------- */

static int open_it(struct reading *reading) {
  struct stat about;
  int fd = descriptor_open(reading->path, O_RDONLY, 0);
  if (fd < 0) return fd;
  reading->fd = fd;
  if (fstat(fd, &about) < 0) return descriptor_status();
  if (S_ISFIFO(about.st_mode) && !descriptor_has_input(fd)) return UV_EAGAIN;
  if (!S_ISREG(about.st_mode)) {
    if (reading->limit > stream_most) reading->limit = stream_most;
  } else if (about.st_size > 0) {
    reading->hint = (size_t)about.st_size;
    if (reading->hint > reading->limit) return UV_EFBIG;
  }
  return 0;
}

/* Room for a byte more than is expected shows that no more comes. */
static bool make_room(struct reading *reading) {
  if (reading->size < reading->room && reading->hint < reading->room)
    return true;
  size_t room = reading->room * 2;
  if (room <= reading->hint) room = reading->hint + 1;
  bool is_lent = reading->text == reading->lent;
  char *text = realloc(is_lent ? NULL : reading->text, room);
  if (text == NULL) return false;
  if (is_lent && reading->size > 0) memcpy(text, reading->lent, reading->size);
  reading->text = text;
  reading->room = room;
  return true;
}

static int read_it(struct reading *reading) {
  for (;;) {
    if (job_is_given_up(&reading->job)) return UV_ECANCELED;
    if (!make_room(reading)) return UV_ENOMEM;
    ssize_t got = descriptor_read(reading->fd, reading->text + reading->size,
                                  reading->room - reading->size);
    if (got <= 0) return (int)got;
    reading->size += (size_t)got;
    if (reading->size > reading->limit) return UV_EFBIG;
    if (reading->size == reading->hint && reading->size < reading->room)
      return 0;
  }
}

static void work(struct job *job) {
  struct reading *reading = (struct reading *)job;
  int status = reading->fd < 0 ? open_it(reading) : 0;
  if (status == 0) status = read_it(reading);
  if (status == UV_EAGAIN) {
    job->again = JOB_READABLE;
    job->fd = reading->fd;
    return;
  }
  if (reading->fd >= 0) close(reading->fd);
  reading->fd = -1;
  job->status = status;
}

/* ---- fs.read(path [, options] [, callback]) ------------------------------ */

static int finish(lua_State *L) { /* path, box */
  const struct reading *reading = job_at(L, 2);
  int status = job_status(L, &reading->job);
  if (status == 0) lua_pushlstring(L, reading->text, reading->size);
  job_done(L, 2);
  return status == 0 ? 1 : fs_error(L, status, "read", 1);
}

static const struct job_kind kind = {.wait = {"read", finish, job_interrupt},
                                     .work = work,
                                     .free = let_go,
                                     .done = done};

int fs_read(lua_State *L) {
  static const char *const options[] = {"limit", "timeout", NULL};
  size_t size;
  const char *path = fs_check_path(L, 1, &size);
  option_arguments(L, 1, options);
  size_t limit = (size_t)option_integer(L, 2, "limit", 0, INT64_MAX, INT64_MAX);
  int64_t timeout = option_ms(L, 2, "timeout");
  struct reading *reading = job_push(L, &kind, sizeof *reading + size + 1);
  lua_replace(L, 2);
  reading->fd = -1;
  reading->limit = limit;
  reading->text = reading->lent = buffers_take(&reading->job.host->buffers);
  if (reading->lent == NULL) return luaL_error(L, "not enough memory to read");
  reading->room = BUFFER_SIZE;
  memcpy(reading->path, path, size + 1);
  return job_start(L, &reading->job, 3, timeout);
}
