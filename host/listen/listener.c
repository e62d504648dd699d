/* listener.c - a socket that listens, as work of the version that serves it. */
#include "host/listen/listener.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/error.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/listen/accept.h"
#include "host/listen/bind.h"
#include "host/listen/takeover.h"

bool listener_address(const struct listener *listener,
                      char text[ADDRESS_TEXT]) {
  struct sockaddr_storage name;
  socklen_t size = sizeof name;
  memset(&name, 0, sizeof name);
  if (getsockname(listener->fd, (struct sockaddr *)&name, &size) < 0)
    return false;
  address_format((struct sockaddr *)&name, text);
  return true;
}

/* ---- its handler --------------------------------------------------------- */

void listener_push_handler(lua_State *L, const struct listener *listener) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, listener->handler);
}

static void check_handler(struct listener *listener) {
  lua_State *L = listener->handle.host->L;
  if (listener->callers > 0 || !listener->handle.closing) return;
  if (L != NULL) luaL_unref(L, LUA_REGISTRYINDEX, listener->handler);
  listener->handler = LUA_NOREF;
}

void listener_use(struct listener *listener) {
  listener->callers++;
  handle_use(&listener->handle);
}

void listener_leave(struct listener *listener) {
  listener->callers--;
  check_handler(listener);
  handle_leave(&listener->handle);
}

/* ---- as work of its owner ------------------------------------------------ */

static bool has_last_call(const struct listener *listener) {
  return listener->kind->last_call && !listener->handle.work.staged &&
         listener->handle.host->phase == HOST_DRAINING;
}

static void on_close(struct handle *h) {
  struct listener *listener = (struct listener *)h;
  accept_stop(listener);
  if (has_last_call(listener)) accept_rest(listener);
  close(listener->fd);
  if (listener->reserve >= 0) close(listener->reserve);
  service_leave(listener);
  check_handler(listener);
  if (listener->kind->closed != NULL && h->host->phase == HOST_RUNNING)
    listener->kind->closed(listener);
}

int listener_start(struct work *work) {
  return accept_start((struct listener *)work);
}

bool listener_is(const struct work *work) {
  return work->kind->start == listener_start;
}

/* ---- its beginning ------------------------------------------------------- */

/* Takes the descriptor, in any case. */
static struct listener *new_listener(struct owner *owner, int fd,
                                     const struct listener_kind *kind) {
  struct host *host = owner->generation->host;
  struct listener *listener = handle_new(host, kind->size);
  if (listener == NULL || uv_poll_init(&host->loop, &listener->poll, fd) < 0) {
    free(listener);
    close(fd);
    return NULL;
  }
  listener->kind = kind;
  listener->fd = fd;
  listener->reserve = -1;
  listener->handler = LUA_NOREF;
  listener->handle.on_close = on_close;
  handle_open(&listener->handle, &listener->poll, &kind->work, owner);
  return listener;
}

static bool share(const struct listener *one, const struct listener *other) {
  return one->kind == other->kind && one->shares && other->shares;
}

/* Where they do not share, the connections stay with the one before. */
static bool join_service(struct listener *listener, struct listener *before,
                         const struct address *address) {
  const char *path = NULL;
  if (before == NULL && address->is_unix && address->host[0] != '@')
    path = address->host;
  bool joins = before != NULL && share(before, listener);
  if (!joins && !service_new(listener, path)) {
    if (path != NULL) unlink(path);
    return false;
  }
  if (before == NULL) return true;
  service_promise(before->service, listener);
  listener->handle.work.inherits = true;
  return true;
}

static int open_for(struct owner *owner, const struct listener_kind *kind,
                    const struct address *address, bool shares,
                    struct listener **result) {
  char asked[ADDRESS_TEXT];
  takeover_format(address, asked);
  struct listener *before = takeover_find(owner, asked);
  int fd = takeover_socket(owner, before, address, asked);
  if (fd < 0) return fd;
  struct listener *listener = new_listener(owner, fd, kind);
  if (listener == NULL) return UV_ENOMEM;
  listener->reserve = accept_open_reserve();
  strcpy(listener->asked, asked);
  listener->is_unix = address->is_unix;
  listener->shares = shares;
  *result = listener;
  if (join_service(listener, before, address)) return 0;
  handle_end(&listener->handle);
  return UV_ENOMEM;
}

int listener_open(lua_State *L, const struct listener_kind *kind,
                  const struct address *address, bool shares,
                  struct listener **result) {
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, kind->class_name, 0);
  int status = open_for(owner, kind, address, shares, result);
  if (status < 0) {
    lua_pop(L, 1);
    return status;
  }
  (*result)->handle.origin = origin;
  handle_fill_box(box, &(*result)->handle);
  return 0;
}

int listener_begin(lua_State *L, struct listener *listener, int index) {
  struct handle *h = &listener->handle;
  lua_pushvalue(L, index);
  listener->handler = luaL_ref(L, LUA_REGISTRYINDEX);
  h->rooted = true;
  h->work.staged = owner_is_staged(h->work.owner);
  int status = h->work.staged ? 0 : accept_start(listener);
  if (status == 0) return 0;
  h->rooted = false;
  handle_end(h);
  return status;
}

/* ---- without an address -------------------------------------------------- */

/* Its socket is none that anybody could connect to. */
struct listener *listener_open_private(lua_State *L,
                                       const struct listener_kind *kind,
                                       int index) {
  struct owner *owner = owner_here(L);
  lua_pushvalue(L, index);
  int handler = luaL_ref(L, LUA_REGISTRYINDEX);
  int fd = bind_open_socket(AF_UNIX);
  struct listener *listener = fd < 0 ? NULL : new_listener(owner, fd, kind);
  if (listener == NULL) {
    luaL_unref(L, LUA_REGISTRYINDEX, handler);
    return NULL;
  }
  listener->handler = handler;
  listener->is_unix = true;
  if (service_new(listener, NULL)) return listener;
  handle_end(&listener->handle);
  return NULL;
}

/* ---- what scripts see of it ---------------------------------------------- */

int listener_error(lua_State *L, int status) {
  lua_pushfstring(L, "listen %s", lua_tostring(L, 1));
  return error_result(L, status, lua_tostring(L, -1));
}

static const char family[] = "server"; /* what all their classes are */

void listener_class(lua_State *L, const struct listener_kind *kind,
                    const luaL_Reg *methods, const struct class_field *fields) {
  handle_class(L, kind->class_name, methods, fields);
  class_join(L, kind->class_name, family);
}

int listener_field_address(lua_State *L) {
  const struct box *box = class_check_family(L, 1, family);
  const struct listener *listener = (const struct listener *)box->handle;
  char text[ADDRESS_TEXT];
  if (listener == NULL || listener->handle.closing) return 0;
  if (!listener_address(listener, text)) return 0;
  lua_pushstring(L, text);
  return 1;
}
