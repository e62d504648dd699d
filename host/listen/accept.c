/* accept.c - takes connections from the system, and hands each to the listener's
 * kind. Where the system lacks descriptors or memory nobody is kept waiting in
 * a loop that never sleeps: those who wait are turned away, or left in the
 * queue for a while. */
#include "host/listen/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/host.h"
#include "host/listen/listener.h"

enum {
  ACCEPT_MOST = 64, /* in a row */
  REST_MOST = 4096, /* at the end: they may come as fast as we accept */
  PAUSE_MS = 100,
  SHED_REPORT_MS = 5000
};

/* ---- one connection ------------------------------------------------------ */

/* (libuv makes it non-blocking when it adopts it.) */
static int next_socket(const struct listener *listener,
                       struct sockaddr_storage *peer) {
  socklen_t size = sizeof *peer;
  peer->ss_family = AF_UNSPEC;
#ifdef __linux__
  return accept4(listener->fd, (struct sockaddr *)peer, &size, SOCK_CLOEXEC);
#else
  int fd = accept(listener->fd, (struct sockaddr *)peer, &size);
  if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
#endif
}

/* 0, or the error for which nobody was accepted. */
static int accept_one(struct listener *listener) {
  struct sockaddr_storage peer;
  int fd = next_socket(listener, &peer);
  if (fd < 0) return errno;
  listener->kind->accept(listener, fd, (struct sockaddr *)&peer);
  return 0;
}

static bool is_empty(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

/* It is about one connection, and not about the next. */
static bool is_passing(int error) {
  return error == 0 || error == EINTR || error == ECONNABORTED;
}

/* ---- no descriptor is left ----------------------------------------------- */

/* The log must not fill with them. */
static void report_shed(struct listener *listener, int error) {
  uint64_t now = uv_now(&listener->handle.host->loop);
  if (listener->last_shed != 0 && now - listener->last_shed < SHED_REPORT_MS)
    return;
  listener->last_shed = now;
  fprintf(stderr,
          "neap: connections are refused: %s (raise the limit with "
          "ulimit -n)\n",
          uv_strerror(uv_translate_sys_error(error)));
}

int accept_open_reserve(void) {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* There is no descriptor for who waits; in the queue it would wake us again and
 * again. The one in reserve lets it be accepted, and closed. */
static bool shed(struct listener *listener, int error) {
  struct sockaddr_storage peer;
  if (error != EMFILE && error != ENFILE) return false;
  if (listener->reserve >= 0) close(listener->reserve);
  int fd = next_socket(listener, &peer);
  if (fd >= 0) close(fd);
  listener->reserve = accept_open_reserve();
  report_shed(listener, error);
  return fd >= 0;
}

/* ---- now and then -------------------------------------------------------- */

static void on_ready(uv_poll_t *uv, int status, int events);

static void on_pause(struct timeout *timeout) {
  struct listener *listener = timeout->data;
  clock_release(&listener->handle.host->clock);
  uv_poll_start(&listener->poll, UV_READABLE, on_ready);
}

/* The system lacks something: those who wait stay in its queue for a while. */
static void pause_accepting(struct listener *listener) {
  struct host *host = listener->handle.host;
  uv_poll_stop(&listener->poll);
  listener->pause.fire = on_pause;
  listener->pause.data = listener;
  clock_hold(&host->clock);
  clock_set(&host->clock, &listener->pause, clock_ms(&host->clock) + PAUSE_MS);
}

static void on_ready(uv_poll_t *uv, int status, int events) {
  struct listener *listener = uv->data;
  (void)status, (void)events; /* whatever it is, accept will tell */
  for (int i = 0; i < ACCEPT_MOST; i++) {
    int error = accept_one(listener);
    if (is_passing(error)) continue;
    if (is_empty(error)) return;
    if (!shed(listener, error)) {
      pause_accepting(listener);
      return;
    }
  }
}

int accept_start(struct listener *listener) {
  return uv_poll_start(&listener->poll, UV_READABLE, on_ready);
}

void accept_stop(struct listener *listener) {
  struct clock *clock = &listener->handle.host->clock;
  uv_poll_stop(&listener->poll);
  if (!wheel_has(&listener->pause)) return;
  clock_cancel(clock, &listener->pause);
  clock_release(clock);
}

void accept_rest(struct listener *listener) {
  for (int i = 0; i < REST_MOST; i++)
    if (!is_passing(accept_one(listener))) return;
}
