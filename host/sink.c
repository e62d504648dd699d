/* sink.c - a queue of blocks, written to what may not take them now. */
#include "host/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored, see signals.c */
#endif

enum {
  BLOCK_SIZE = 65536,
  TERMINAL_PIECE = 256, /* that one takes where it has said it takes some */
  BLOCKS_A_TURN = 16,
  TRY_EVERY = 4096
};

struct sink_block {
  struct sink_block *next;
  size_t start, end;
  char bytes[BLOCK_SIZE];
};

/* ---- what it is ---------------------------------------------------------- */

static enum sink_kind kind_of(int fd, const struct stat *info) {
  if (S_ISFIFO(info->st_mode)) return SINK_PIPE;
  if (S_ISSOCK(info->st_mode)) return SINK_SOCKET;
  if (S_ISCHR(info->st_mode) && isatty(fd)) return SINK_TERMINAL;
  return S_ISREG(info->st_mode) ? SINK_FILE : SINK_DEVICE;
}

static bool is_direct(const struct sink *sink) {
  return sink->kind == SINK_DEVICE || sink->kind == SINK_FILE;
}

void sink_open(struct sink *sink, int fd) {
  struct stat info;
  memset(sink, 0, sizeof *sink);
  sink->fd = fd;
  sink->own = -1;
  if (fstat(fd, &info) < 0) return;
  sink->kind = kind_of(fd, &info);
  sink->device = info.st_dev;
  sink->inode = info.st_ino;
}

bool sink_is_at(const struct sink *sink, int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_dev == sink->device &&
         info.st_ino == sink->inode;
}

/* ---- a description of our own -------------------------------------------- */

static int open_again(const struct sink *sink, const char *path) {
  int flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  int fd = open(path, flags);
  if (fd >= 0 && sink_is_at(sink, fd)) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

/* It may be forbidden, as after su: then we ask before we write. */
static void need_own(struct sink *sink) {
  char path[64];
  if (sink->tried || (sink->kind != SINK_PIPE && sink->kind != SINK_TERMINAL))
    return;
  sink->tried = true;
#ifdef __linux__
  snprintf(path, sizeof path, "/proc/self/fd/%d", sink->fd);
  sink->own = open_again(sink, path);
#endif
  if (sink->own >= 0 || sink->kind != SINK_TERMINAL) return;
  if (ttyname_r(sink->fd, path, sizeof path) == 0)
    sink->own = open_again(sink, path);
}

static int target(const struct sink *sink) {
  return sink->own >= 0 ? sink->own : sink->fd;
}

/* ---- to the system ------------------------------------------------------- */

static bool await_room(int fd, int milliseconds) {
  struct pollfd one = {fd, POLLOUT, 0};
  return poll(&one, 1, milliseconds) > 0;
}

/* As much as goes without waiting. */
static ssize_t write_some(struct sink *sink, const char *bytes, size_t size) {
  size_t most = sink->kind == SINK_PIPE ? PIPE_BUF : TERMINAL_PIECE;
  if (sink->kind == SINK_SOCKET)
    return send(sink->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (is_direct(sink) || sink->own >= 0)
    return write(target(sink), bytes, size);
  if (!await_room(sink->fd, 0)) {
    errno = EAGAIN;
    return -1;
  }
  return write(sink->fd, bytes, size < most ? size : most);
}

/* How much it has taken; less than all if it takes no more now. */
static ssize_t push(struct sink *sink, const char *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t count = write_some(sink, bytes + done, size - done);
    if (count >= 0)
      done += (size_t)count;
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
      break;
    else if (errno != EINTR)
      return uv_translate_sys_error(errno);
  }
  return (ssize_t)done;
}

/* ---- the queue ----------------------------------------------------------- */

static int enqueue(struct sink *sink, const char *bytes, size_t size) {
  while (size > 0) {
    struct sink_block *last = sink->last;
    if (last == NULL || last->end == BLOCK_SIZE) {
      struct sink_block *block = malloc(sizeof *block);
      if (block == NULL) return UV_ENOMEM;
      block->next = NULL;
      block->start = block->end = 0;
      if (last == NULL)
        sink->first = block;
      else
        last->next = block;
      sink->last = last = block;
    }
    size_t room = BLOCK_SIZE - last->end, count = size < room ? size : room;
    memcpy(last->bytes + last->end, bytes, count);
    last->end += count;
    sink->size += count;
    bytes += count;
    size -= count;
  }
  return 0;
}

static void drop_first(struct sink *sink) {
  struct sink_block *block = sink->first;
  sink->first = block->next;
  if (sink->first == NULL) sink->last = NULL;
  sink->size -= block->end - block->start;
  free(block);
}

static void drop_all(struct sink *sink) {
  while (sink->first != NULL) drop_first(sink);
}

/* (sink->careless stays: it tells whether somebody will hear of it.) */
static int break_off(struct sink *sink, int status) {
  if (!is_direct(sink)) sink->broken = status;
  drop_all(sink);
  return status;
}

/* Writes what is queued, as far as that goes without waiting. */
static int write_queued(struct sink *sink, int blocks) {
  while (sink->first != NULL && blocks-- > 0) {
    struct sink_block *block = sink->first;
    size_t size = block->end - block->start;
    ssize_t count = push(sink, block->bytes + block->start, size);
    if (count < 0) return break_off(sink, (int)count);
    block->start += (size_t)count;
    sink->size -= (size_t)count;
    sink->careless -=
      (size_t)count < sink->careless ? (size_t)count : sink->careless;
    if ((size_t)count < size) break;
    drop_first(sink);
  }
  sink->refused = sink->size;
  return 0;
}

/* ---- the loop tells when it takes more ----------------------------------- */

static void stop_waiting(struct sink *sink) {
  if (!sink->waits) return;
  sink->waits = false;
  uv_poll_stop(sink->poll);
  uv_unref((uv_handle_t *)sink->poll);
}

static void on_writable(uv_poll_t *poll, int status, int events) {
  struct sink *sink = poll->data;
  (void)events; /* writing will tell */
  write_queued(sink, BLOCKS_A_TURN);
  if (sink->size == 0)
    stop_waiting(sink);
  else if (status < 0) /* then libuv has stopped it */
    uv_poll_start(poll, UV_WRITABLE, on_writable);
  sink->moved(sink);
}

/* libuv makes what it polls non-blocking: the shared one is put right again. */
static int need_poll(struct sink *sink) {
  if (sink->poll != NULL) return 0;
  int fd = target(sink), flags = fcntl(fd, F_GETFL);
  uv_poll_t *poll = malloc(sizeof *poll);
  if (poll == NULL) return UV_ENOMEM;
  int status = uv_poll_init(sink->loop, poll, fd);
  if (fd == sink->fd && flags >= 0) fcntl(fd, F_SETFL, flags);
  if (status < 0) {
    free(poll);
    return status;
  }
  poll->data = sink;
  sink->poll = poll;
  uv_unref((uv_handle_t *)poll);
  return 0;
}

static int start_waiting(struct sink *sink) {
  if (sink->waits) return 0;
  if (sink->loop == NULL) return UV_ENOTSUP;
  int status = need_poll(sink);
  if (status == 0) status = uv_poll_start(sink->poll, UV_WRITABLE, on_writable);
  sink->waits = status == 0;
  return status;
}

void sink_hold(struct sink *sink) {
  if (sink->waits) uv_ref((uv_handle_t *)sink->poll);
}

/* ---- the ways in --------------------------------------------------------- */

int sink_wait(struct sink *sink, size_t left) {
  int status = 0;
  while (status == 0 && sink->size > left) {
    status = write_queued(sink, 1);
    if (status == 0 && sink->size > left) await_room(target(sink), -1);
  }
  return status;
}

/* While one task prints for long the loop does not get to it. */
static int try_queued(struct sink *sink) {
  if (sink->size < sink->refused + TRY_EVERY) return 0;
  return write_queued(sink, BLOCKS_A_TURN);
}

int sink_put(struct sink *sink, const char *bytes, size_t size, bool careless) {
  if (sink->broken != 0) return sink->broken;
  if (sink->loop != NULL) need_own(sink);
  int status = try_queued(sink);
  if (status < 0) return status;
  ssize_t done = sink->size == 0 ? push(sink, bytes, size) : 0;
  if (done < 0) return break_off(sink, (int)done);
  if ((size_t)done == size) return 0;
  status = enqueue(sink, bytes + done, size - (size_t)done);
  if (careless) sink->careless = sink->size;
  if (status == 0 && start_waiting(sink) < 0) status = sink_wait(sink, 0);
  return status;
}

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

void sink_leave_loop(struct sink *sink) {
  stop_waiting(sink);
  if (sink->poll != NULL) uv_close((uv_handle_t *)sink->poll, on_closed);
  sink->poll = NULL;
  sink->loop = NULL;
}

void sink_close(struct sink *sink) {
  sink_leave_loop(sink);
  drop_all(sink);
  if (sink->own >= 0) close(sink->own);
  sink->own = -1;
}
