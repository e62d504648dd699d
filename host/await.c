/* await.c - a descriptor of our own, and a handle of libuv's that is closed as
 * soon as it has told what it was for. (libuv takes one handle a descriptor: one
 * that may have some already is doubled.) */
#include "host/await.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "host/host.h"

struct await {
  union {
    uv_handle_t any;
    uv_poll_t poll;
    uv_timer_t timer;
  } uv;
  await_event *event;
  void *data;
  int fd; /* to be closed, or -1 */
};

static void on_closed(uv_handle_t *uv) {
  free(uv->data);
}

void await_stop(struct await *await) {
  uv_close(&await->uv.any, on_closed); /* the poller lets go at once */
  if (await->fd >= 0) close(await->fd);
}

static void happen(uv_handle_t *uv) {
  struct await *await = uv->data;
  await_stop(await);
  await->event(await->data);
}

/* An error, too, is something to be met by whoever reads or writes. */
static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)status, (void)events;
  happen((uv_handle_t *)poll);
}

static void on_time(uv_timer_t *timer) {
  happen((uv_handle_t *)timer);
}

static struct await *new_await(await_event *event, void *data) {
  struct await *await = calloc(1, sizeof *await);
  if (await == NULL) return NULL;
  *await = (struct await){.event = event, .data = data, .fd = -1};
  return await;
}

int await_own_fd(struct await **place, struct host *host, int fd, int events,
                 await_event *event, void *data) {
  struct await *await = new_await(event, data);
  if (await == NULL) return UV_ENOMEM;
  int status = uv_poll_init(&host->loop, &await->uv.poll, fd);
  if (status < 0) {
    free(await);
    return status;
  }
  await->uv.any.data = await;
  status = uv_poll_start(&await->uv.poll, events, on_ready);
  if (status < 0)
    await_stop(await);
  else
    *place = await;
  return status;
}

int await_fd(struct await **place, struct host *host, int fd, int events,
             await_event *event, void *data) {
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return uv_translate_sys_error(errno);
  int status = await_own_fd(place, host, own, events, event, data);
  if (status == 0)
    (*place)->fd = own;
  else
    close(own);
  return status;
}

int await_ms(struct await **place, struct host *host, uint64_t ms,
             await_event *event, void *data) {
  struct await *await = new_await(event, data);
  if (await == NULL) return UV_ENOMEM;
  uv_timer_init(&host->loop, &await->uv.timer);
  await->uv.any.data = await;
  uv_timer_start(&await->uv.timer, on_time, ms, 0);
  *place = await;
  return 0;
}
