/* handle.c - bodies that libuv uses, boxes that scripts hold. */
#include "host/handle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/host.h"

void *handle_new(struct host *host, size_t size) {
  struct handle *h = calloc(1, size);
  if (h != NULL) h->host = host;
  return h;
}

void handle_open(struct handle *h, void *uv, const struct work_kind *kind,
                 struct owner *owner) {
  h->uv = uv;
  h->uv->data = h;
  h->users = 1; /* libuv */
  work_begin(&h->work, kind, owner);
}

void handle_use(struct handle *h) {
  h->users++;
}

void handle_leave(struct handle *h) {
  assert(h->users > 0);
  if (--h->users > 0) return;
  if (h->on_free != NULL) h->on_free(h);
  free(h);
}

static void on_closed(uv_handle_t *uv) {
  struct handle *h = uv->data;
  work_end(&h->work);
  handle_leave(h);
}

void handle_close(struct handle *h) {
  if (h->closing) return;
  h->closing = true;
  if (h->on_close != NULL) h->on_close(h);
  uv_close(h->uv, on_closed);
}

void handle_end(struct handle *h) {
  if (h->ended) return;
  h->ended = true;
  if (h->end != NULL && !h->closing)
    h->end(h);
  else
    handle_close(h);
}

void handle_stop(struct work *work) {
  handle_close((struct handle *)work);
}

bool handle_is(const struct work *work) {
  return work->kind->stop == handle_stop;
}

/* ---- boxes --------------------------------------------------------------- */

struct box *handle_push_empty_box(lua_State *L, const char *name, int values) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, values);
  box->handle = NULL;
  class_set(L, name);
  return box;
}

void handle_fill_box(struct box *box, struct handle *h) {
  box->handle = h;
  handle_use(h);
}

void handle_push_box(lua_State *L, struct handle *h, const char *name,
                     int values) {
  handle_fill_box(handle_push_empty_box(L, name, values), h);
}

/* A box that has been collected can only be seen by a finalizer. */
void *handle_check_any(lua_State *L, int index, const char *name) {
  struct handle *h = ((struct box *)class_check(L, index, name))->handle;
  if (h == NULL) luaL_error(L, "this %s has been collected", name);
  return h;
}

void *handle_check(lua_State *L, int index, const char *name) {
  struct handle *h = handle_check_any(L, index, name);
  if (h->ended) luaL_error(L, "this %s is closed", h->work.kind->name);
  return h;
}

static void report_leak(const struct handle *h) {
  fprintf(stderr,
          "neap: leak: a %s created at %s:%d was forgotten without "
          "being closed\n",
          h->work.kind->name, h->origin.source != NULL ? h->origin.source : "?",
          h->origin.line);
}

static int box_gc(lua_State *L) {
  struct box *box = lua_touserdata(L, 1);
  struct handle *h = box->handle;
  if (h == NULL) return 0;
  box->handle = NULL;
  if (!h->rooted && !h->closing && !h->ended) {
    if (h->host->reports_leaks && h->host->phase == HOST_RUNNING)
      report_leak(h);
    handle_end(h);
  }
  handle_leave(h);
  return 0;
}

/* ---- classes ------------------------------------------------------------- */

static const char class_tag = 0; /* marks the metatables of boxes */

bool handle_is_box(lua_State *L, int index) {
  if (!lua_isuserdata(L, index) || !lua_getmetatable(L, index)) return false;
  bool is_box = lua_rawgetp(L, -1, &class_tag) == LUA_TBOOLEAN;
  lua_pop(L, 2);
  return is_box;
}

struct handle *handle_check_box(lua_State *L, int index) {
  luaL_argexpected(L, handle_is_box(L, index), index, "handle");
  return ((struct box *)lua_touserdata(L, index))->handle;
}

int handle_method_close(lua_State *L) {
  struct handle *h = handle_check_box(L, 1);
  if (h != NULL) handle_end(h);
  return 0;
}

int handle_method_unref(lua_State *L) {
  const struct handle *h = handle_check_box(L, 1);
  if (h != NULL) uv_unref(h->uv);
  return 0;
}

int handle_field_closed(lua_State *L) {
  const struct handle *h = handle_check_box(L, 1);
  lua_pushboolean(L, h == NULL || h->ended || h->closing);
  return 1;
}

void handle_class(lua_State *L, const char *name, const luaL_Reg *methods,
                  const struct class_field *fields) {
  class_open(L, name, methods, fields);
  lua_pushboolean(L, 1);
  lua_rawsetp(L, -2, &class_tag);
  lua_pushcfunction(L, box_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, handle_method_close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
