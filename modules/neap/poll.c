/* poll.c - neap.poll: waits until a file descriptor of a foreign library is
 * ready.
 *
 * libuv never sees that descriptor, but a duplicate, of this one wait alone. So
 * several tasks may wait for the same one, also one that libuv uses itself; and
 * a library that closes its own meanwhile takes nothing from under the poller.
 * What is ready already, and what always is (a plain file), needs no poller. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/neap/neap.h"

static const char class_name[] = "neap.poller";

struct poller {
  struct task *waiter; /* first member, see interrupt */
  uv_poll_t uv;
  int fd;     /* the duplicate, -1: closed */
  int events; /* that are wanted, of libuv's */
  int ready;
  int users; /* the box, libuv */
};

struct poll_box {
  struct poller *poller; /* NULL: nothing had to be waited for */
  int fd;                /* the script's, for messages */
  int ready;
};

/* ---- the system ---------------------------------------------------------- */

/* Which of the events are there; 0: none; or one of libuv's errors. After an
 * error, or at the end, nothing would block: all are. */
static int ready_now(int fd, int events) {
  struct pollfd poll_fd = {.fd = fd};
  if (fd < 0) return UV_EBADF; /* poll would leave it out */
  if (events & UV_READABLE) poll_fd.events |= POLLIN;
  if (events & UV_WRITABLE) poll_fd.events |= POLLOUT;
  int count;
  do count = poll(&poll_fd, 1, 0);
  while (count < 0 && errno == EINTR);
  if (count < 0) return uv_translate_sys_error(errno);
  if (poll_fd.revents & POLLNVAL) return UV_EBADF;
  if (poll_fd.revents & (POLLERR | POLLHUP)) return events;
  int ready = 0;
  if (poll_fd.revents & POLLIN) ready |= UV_READABLE;
  if (poll_fd.revents & POLLOUT) ready |= UV_WRITABLE;
  return ready;
}

/* libuv makes what it polls non-blocking, and so the library's, too: it would
 * be surprised. */
static int init(uv_loop_t *loop, struct poller *poller) {
  int flags = fcntl(poller->fd, F_GETFL);
  int status = uv_poll_init(loop, &poller->uv, poller->fd);
  if (flags >= 0 && !(flags & O_NONBLOCK)) fcntl(poller->fd, F_SETFL, flags);
  return status;
}

/* ---- the poller ---------------------------------------------------------- */

static void leave(struct poller *poller) {
  if (--poller->users == 0) free(poller);
}

static void on_closed(uv_handle_t *uv) {
  leave(uv->data);
}

/* Its descriptor goes at once, the memory when libuv has let go. */
static void end(struct poller *poller) {
  if (poller->fd < 0) return;
  uv_poll_stop(&poller->uv);
  close(poller->fd);
  poller->fd = -1;
  uv_close((uv_handle_t *)&poller->uv, on_closed);
}

static void on_event(uv_poll_t *uv, int status, int events) {
  struct poller *poller = uv->data;
  (void)events; /* libuv takes an error of a socket for a bad descriptor */
  poller->ready = ready_now(poller->fd, poller->events);
  if (poller->ready != 0) status = poller->ready < 0 ? poller->ready : 0;
  if (poller->ready == 0 && status == 0) return; /* somebody was quicker */
  if (poller->waiter != NULL) task_wake(poller->waiter, status);
  end(poller);
}

static int start(struct host *host, struct poller *poller, int fd) {
  poller->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (poller->fd < 0) return uv_translate_sys_error(errno);
  int status = init(&host->loop, poller);
  if (status < 0) {
    close(poller->fd);
    poller->fd = -1;
    return status;
  }
  poller->uv.data = poller;
  poller->users++;
  status = uv_poll_start(&poller->uv, poller->events, on_event);
  if (status < 0) end(poller);
  return status;
}

/* ---- neap.poll(fd, events [, seconds | options] [, callback]) ------------ */

static const char *name_of(int events) {
  static const char *const names[] = {"", "r", "w", "rw"};
  return names[events & (UV_READABLE | UV_WRITABLE)];
}

static int finish(lua_State *L) { /* fd, events, box */
  const struct poll_box *box = lua_touserdata(L, 3);
  int status = wait_status(L);
  if (status < 0) {
    char what[32];
    snprintf(what, sizeof what, "poll %d", box->fd);
    return error_result(L, status, what);
  }
  lua_pushstring(
    L, name_of(box->poller != NULL ? box->poller->ready : box->ready));
  return 1;
}

static bool interrupt(struct task *task) {
  end((struct poller *)task->parked);
  return false;
}

static const struct wait poll_wait = {"poll", finish, interrupt};

/* An object of a library says which its descriptor is. */
static bool ask(lua_State *L, const char *method) {
  if (lua_getfield(L, 1, method) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return true;
}

static bool has_fields(lua_State *L, int index) {
  if (lua_istable(L, index)) return true;
  if (!lua_isuserdata(L, index)) return false;
  if (luaL_getmetafield(L, index, "__index") == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

static int check_fd(lua_State *L) {
  const luaL_Stream *file = luaL_testudata(L, 1, LUA_FILEHANDLE);
  if (file != NULL) {
    if (file->closef == NULL) luaL_argerror(L, 1, "this file is closed");
    return fileno(file->f);
  }
  if (has_fields(L, 1) && (ask(L, "getfd") || ask(L, "fileno"))) {
    int is_integer;
    lua_Integer fd = lua_tointegerx(L, -1, &is_integer);
    lua_pop(L, 1);
    return is_integer && fd >= 0 && fd <= INT_MAX ? (int)fd : -1;
  }
  if (lua_type(L, 1) != LUA_TNUMBER)
    luaL_typeerror(L, 1, "descriptor, file or object with getfd");
  lua_Integer fd = luaL_checkinteger(L, 1);
  return fd >= 0 && fd <= INT_MAX ? (int)fd : -1;
}

static int check_events(lua_State *L) {
  static const char *const names[] = {"r", "w", "rw", NULL};
  return luaL_checkoption(L, 2, NULL, names) + 1; /* UV_READABLE, WRITABLE */
}

/* A time alone stands for the table of options. */
static int64_t check_limit(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  int64_t limit = WAIT_FOREVER;
  if (lua_type(L, 3) == LUA_TNUMBER) {
    limit = milliseconds(check_seconds(L, 3));
    lua_pushnil(L);
    lua_replace(L, 3);
  }
  option_arguments(L, 2, options);
  return limit >= 0 ? limit : option_ms(L, 3, "timeout");
}

/* It replaces the options. */
static struct poll_box *push_box(lua_State *L, int fd) {
  struct poll_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (struct poll_box){.fd = fd};
  class_set(L, class_name);
  lua_replace(L, 3);
  return box;
}

static struct poller *new_poller(lua_State *L, struct poll_box *box,
                                 int events) {
  struct poller *poller = calloc(1, sizeof *poller);
  if (poller == NULL) luaL_error(L, "not enough memory to poll");
  poller->fd = -1;
  poller->events = events;
  poller->users = 1;
  box->poller = poller;
  return poller;
}

int neap_poll(lua_State *L) {
  int fd = check_fd(L), events = check_events(L);
  int64_t limit = check_limit(L);
  struct poll_box *box = push_box(L, fd);
  box->ready = ready_now(fd, events);
  struct poller *poller = NULL;
  if (box->ready == 0) poller = new_poller(L, box, events);
  struct task *task = wait_begin(L, &poll_wait, 4);
  if (box->ready < 0) return wait_fail(L, task, box->ready);
  if (box->ready > 0) return wait_pass(L, task, NULL);
  int status = start(task->host, poller, fd);
  if (status < 0) return wait_fail(L, task, status);
  task->host->has_sent = true; /* by the library: see virtual_time.c */
  return wait_park(L, task, &poller->waiter, limit);
}

/* ---- the class ----------------------------------------------------------- */

/* At the end of the program it may still be active. */
static int collect(lua_State *L) {
  struct poll_box *box = lua_touserdata(L, 1);
  struct poller *poller = box->poller;
  box->poller = NULL;
  if (poller == NULL) return 0;
  end(poller);
  leave(poller);
  return 0;
}

static const luaL_Reg methods[] = {
  {NULL, NULL},
};

void poll_open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
