/* capture.c - see capture.h. */
#include "host/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/host.h"

enum { LEAST_ROOM = 4096 };

static bool make_room(struct capture *capture, size_t least) {
  if (capture->room - capture->size >= least) return true;
  size_t room = capture->room * 2 + least;
  char *bytes = realloc(capture->bytes, room);
  if (bytes == NULL) return false;
  capture->bytes = bytes;
  capture->room = room;
  return true;
}

static void give_buffer(uv_handle_t *uv, size_t suggested, uv_buf_t *buffer) {
  struct capture *capture = uv->data;
  (void)suggested;
  *buffer = uv_buf_init(NULL, 0); /* no memory: read calls back with ENOBUFS */
  if (!make_room(capture, LEAST_ROOM)) return;
  *buffer = uv_buf_init(capture->bytes + capture->size,
                        (unsigned)(capture->room - capture->size));
}

static void on_read(uv_stream_t *uv, ssize_t count, const uv_buf_t *buffer) {
  struct capture *capture = uv->data;
  (void)buffer;
  if (count > 0) capture->size += (size_t)count;
  if (count < 0) {
    capture->ended = true;
    if (count != UV_EOF) /* (ENOBUFS: give_buffer had none) */
      capture->broken = count == UV_ENOBUFS ? UV_ENOMEM : (int)count;
    uv_read_stop(uv);
  }
  if (count != 0) capture->tell(capture);
}

static void read_some(struct capture *capture, int fd, size_t most) {
  if (!make_room(capture, most)) capture->broken = UV_ENOMEM;
  while (most > 0 && capture->broken == 0) {
    ssize_t count = read(fd, capture->bytes + capture->size, most);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    capture->size += (size_t)count;
    most -= (size_t)count;
  }
}

void capture_finish(struct capture *capture) {
  uv_os_fd_t fd;
  int waiting = 0;
  if (capture->ended || capture->handle.closing) return;
  capture->ended = true;
  uv_read_stop((uv_stream_t *)&capture->uv);
  if (uv_fileno((uv_handle_t *)&capture->uv, &fd) == 0 &&
      ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0)
    read_some(capture, fd, (size_t)waiting);
}

static void free_bytes(struct handle *h) {
  free(((struct capture *)h)->bytes);
}

/* No origin: it belongs to the child, which has one. */
static const struct work_kind kind = {
  .name = "output", .stop = handle_stop, .lasts = true};

struct capture *capture_new(struct host *host, int fd, struct owner *owner) {
  struct capture *capture = handle_new(host, sizeof *capture);
  if (capture == NULL) {
    close(fd);
    return NULL;
  }
  uv_pipe_init(&host->loop, &capture->uv, 0);
  capture->handle.on_free = free_bytes;
  handle_open(&capture->handle, &capture->uv, &kind, owner);
  handle_use(&capture->handle);
  if (uv_pipe_open(&capture->uv, fd) < 0) {
    capture->ended = true;
    close(fd);
  } else {
    uv_read_start((uv_stream_t *)&capture->uv, give_buffer, on_read);
  }
  return capture;
}
