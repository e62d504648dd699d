/* watcher.c - fs.watch: the handle that a script holds, and who reads from it.
 * What it was told lies in a queue, see changes.c. */
#include "modules/fs/watcher.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host/error.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/notifier.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/fs/fs.h"

static const char class_name[] = "neap.watcher";

static int failed(lua_State *L, const char *path, int status) {
  lua_pushfstring(L, "watch %s", path);
  return error_result(L, status, lua_tostring(L, -1));
}

/* ---- who wants it -------------------------------------------------------- */

bool watcher_is_wanted(const struct watcher *watcher) {
  return watcher->reader.waiter != NULL ||
         (watcher->callback != LUA_NOREF && watcher->begun);
}

/* It keeps the program alive while somebody would be told. */
static void set_alive(struct watcher *watcher, bool alive) {
  if (watcher->handle.closing) return;
  if (alive)
    uv_ref((uv_handle_t *)&watcher->uv);
  else
    uv_unref((uv_handle_t *)&watcher->uv);
}

/* ---- as work of its owner ------------------------------------------------ */

static void on_close(struct handle *h) {
  struct watcher *watcher = (struct watcher *)h;
  changes_drop(watcher);
  if (watcher->callback != LUA_NOREF)
    luaL_unref(h->host->L, LUA_REGISTRYINDEX, watcher->callback);
  watcher->callback = LUA_NOREF;
  wait_wake_all(watcher->starter.waiter, UV_ECANCELED);
  wait_wake_all(watcher->reader.waiter, UV_ECANCELED);
  changes_poke(watcher);
}

static void on_free(struct handle *h) {
  struct watcher *watcher = (struct watcher *)h;
  if (watcher->source != NULL) notifier_leave(watcher->source);
  free(watcher->path);
  free(watcher->absolute);
}

static void on_call(uv_async_t *uv) {
  changes_call(uv->data);
}

/* The commit: what has changed since it was staged is told after it. */
static int start(struct work *work) {
  struct watcher *watcher = (struct watcher *)work;
  watcher->begun = true;
  if (watcher->callback == LUA_NOREF) return 0; /* not armed yet */
  set_alive(watcher, true);
  uv_async_send(&watcher->uv);
  return 0;
}

/* With a callback it ends with its version. What is read may be read by a
 * request in flight. */
static const struct work_kind calling = {
  .name = "watcher", .stop = handle_stop, .start = start};
static const struct work_kind reading = {
  .name = "watcher", .stop = handle_stop, .lasts = true};

/* ---- fs.watch(path [, options] [, callback]) ----------------------------- */

void watcher_arm(struct watcher *watcher) {
  watcher->armed = true;
  wait_wake_all(watcher->starter.waiter, 0);
}

/* Whoever feeds it has failed, which was reported; or it was closed. */
static void feed_ended(struct task *task, enum task_end end) {
  struct watcher *watcher = task->sink_data;
  (void)end;
  handle_close(&watcher->handle);
  handle_leave(&watcher->handle);
}

static const struct task_sink feed_sink = {NULL, feed_ended};

enum { AT_PATH = 1, AT_OPTIONS, AT_CALLBACK, AT_BOX };

static int watch_finish(lua_State *L) {
  const struct box *box = lua_touserdata(L, AT_BOX);
  struct watcher *watcher = (struct watcher *)box->handle;
  int status = wait_status(L);
  if (watcher == NULL) return failed(L, lua_tostring(L, AT_PATH), status);
  if (watcher->handle.closing) status = UV_ECANCELED;
  if (status < 0) {
    handle_end(&watcher->handle);
    return failed(L, watcher->path, status);
  }
  lua_settop(L, AT_BOX);
  if (lua_isnil(L, AT_CALLBACK)) return 1;
  lua_pushvalue(L, AT_CALLBACK);
  watcher->callback = luaL_ref(L, LUA_REGISTRYINDEX);
  watcher->handle.rooted = true;
  if (watcher->begun) set_alive(watcher, true);
  changes_call(watcher);
  return 1;
}

static bool interrupt_start(struct task *task) {
  struct place *place = (struct place *)task->parked;
  handle_close(&place->watcher->handle);
  return false;
}

static const struct wait watch_wait = {"watch", watch_finish, interrupt_start};

/* As it is now, whatever directory is the current one later. */
static char *make_absolute(const char *path, int *status) {
  char directory[PATH_MAX];
  size_t size = sizeof directory;
  if (*path == '/') return strdup(path);
  *status = uv_cwd(directory, &size);
  if (*status < 0) return NULL;
  char *text = malloc(size + strlen(path) + 2);
  if (text == NULL) return NULL;
  memcpy(text, directory, size);
  text[size] = '/';
  strcpy(text + size + 1, path);
  return text;
}

static int start_feed(struct watcher *watcher) {
  struct handle *h = &watcher->handle;
  struct task *task =
    task_start(h->host, &h->host->root->background, watcher_feed, watcher);
  if (task == NULL) return UV_ENOMEM;
  handle_use(h);
  task->serves = true;
  task->name = "watcher";
  task->origin = h->origin;
  task->sink = &feed_sink;
  task->sink_data = watcher;
  return 0;
}

static int prepare(struct watcher *watcher, const char *path) {
  int status = 0;
  watcher->last = &watcher->first;
  watcher->starter.watcher = watcher->reader.watcher = watcher;
  watcher->callback = LUA_NOREF;
  watcher->path = strdup(path);
  watcher->absolute = make_absolute(path, &status);
  if (status < 0) return status;
  if (watcher->path == NULL || watcher->absolute == NULL) return UV_ENOMEM;
  if (strlen(watcher->absolute) >= PATH_MAX) return UV_ENAMETOOLONG;
  return uv_async_init(&watcher->handle.host->loop, &watcher->uv, on_call);
}

static const struct work_kind *kind_of(lua_State *L) {
  return lua_isnil(L, AT_CALLBACK) ? &reading : &calling;
}

/* Fills the box, unless there is a status below 0. Nothing raises. */
static int open_watcher(lua_State *L, struct owner *owner, struct box *box,
                        struct watcher **result) {
  struct watcher *watcher = handle_new(host_of(L), sizeof *watcher);
  if (watcher == NULL) return UV_ENOMEM;
  int status = prepare(watcher, lua_tostring(L, AT_PATH));
  if (status < 0) {
    free(watcher->path);
    free(watcher->absolute);
    free(watcher);
    return status;
  }
  struct handle *h = &watcher->handle;
  h->on_close = on_close;
  h->on_free = on_free;
  handle_open(h, &watcher->uv, kind_of(L), owner);
  set_alive(watcher, false);
  handle_fill_box(box, h);
  h->work.staged = kind_of(L) == &calling && owner_is_staged(owner);
  watcher->begun = !h->work.staged;
  *result = watcher;
  return 0;
}

static bool check_flag(lua_State *L, const char *name) {
  if (lua_isnil(L, AT_OPTIONS)) return false;
  int type = lua_getfield(L, AT_OPTIONS, name);
  bool flag = lua_toboolean(L, -1);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN)
    luaL_argerror(L, AT_OPTIONS,
                  lua_pushfstring(L, "%s must be a boolean, not a %s", name,
                                  lua_typename(L, type)));
  lua_pop(L, 1);
  return flag;
}

enum { GATHER_MS = 50 };

static int fs_watch(lua_State *L) {
  static const char *const names[] = {"gather", "recursive", NULL};
  const char *path = fs_check_path(L, AT_PATH, NULL);
  option_arguments(L, 1, names);
  int64_t gather = option_ms(L, AT_OPTIONS, "gather");
  bool recursive = check_flag(L, "recursive");
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  struct watcher *watcher = NULL;
  struct task *task = wait_begin(L, &watch_wait, AT_BOX + 1);
  int status =
    *path == '\0' ? UV_ENOENT : open_watcher(L, owner, box, &watcher);
  if (status < 0) return wait_fail(L, task, status);
  watcher->handle.origin = origin;
  watcher->recursive = recursive;
  watcher->gather = (double)(gather < 0 ? GATHER_MS : gather) / 1000;
  status = start_feed(watcher);
  if (status < 0) return wait_fail(L, task, status);
  return wait_park(L, task, &watcher->starter.waiter, WAIT_FOREVER);
}

/* ---- watcher:read([options] [, callback]), watcher:changes() ------------- */

/* The last one has been taken: there may be more. */
static int take(lua_State *L, struct watcher *watcher) {
  changes_push(L, watcher);
  if (watcher->first == NULL) changes_poke(watcher);
  return 1;
}

static int read_finish(lua_State *L) {
  const struct box *box = lua_touserdata(L, 1);
  struct watcher *watcher = (struct watcher *)box->handle;
  int status = wait_status(L);
  set_alive(watcher, watcher_is_wanted(watcher));
  if (watcher->first != NULL) return take(L, watcher);
  if (watcher->handle.closing || status == 0) status = UV_ECANCELED;
  return failed(L, watcher->path, status);
}

static bool interrupt_read(struct task *task) {
  const struct place *place = (struct place *)task->parked;
  set_alive(place->watcher, false);
  return false;
}

static const struct wait read_wait = {"change of a file", read_finish,
                                      interrupt_read};

static int start_read(lua_State *L, struct watcher *watcher, int callback,
                      int64_t limit) {
  if (watcher->handle.rooted)
    return luaL_error(L, "this watcher has a callback: it is not read");
  if (watcher->reader.waiter != NULL)
    return luaL_error(L, "another task reads from this watcher");
  struct task *task = wait_begin(L, &read_wait, callback);
  if (watcher->first != NULL || watcher->handle.closing)
    return wait_pass(L, task, &watcher->reader.waiter);
  set_alive(watcher, true);
  if (watcher->polling) changes_poke(watcher);
  return wait_park(L, task, &watcher->reader.waiter, limit);
}

static int watcher_read(lua_State *L) {
  static const char *const names[] = {"timeout", NULL};
  struct watcher *watcher = handle_check(L, 1, class_name);
  option_arguments(L, 1, names);
  int64_t limit = option_ms(L, 2, "timeout");
  return start_read(L, watcher, 3, limit < 0 ? WAIT_FOREVER : limit);
}

/* What `for` calls: it ends when the watcher is closed, by whomever. */
static int next_change(lua_State *L) {
  struct watcher *watcher = handle_check_any(L, 1, class_name);
  lua_settop(L, 1);
  if (watcher->handle.closing) return 0;
  return start_read(L, watcher, 2, WAIT_FOREVER);
}

/* The fourth value is closed when the loop is left. */
static int watcher_changes(lua_State *L) {
  const struct watcher *watcher = handle_check(L, 1, class_name);
  lua_settop(L, 1);
  if (watcher->handle.rooted)
    return luaL_error(L, "this watcher has a callback: it is not read");
  lua_pushcfunction(L, next_change);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  lua_pushvalue(L, 1);
  return 4;
}

/* ---- the class ----------------------------------------------------------- */

static int get_path(lua_State *L) {
  const struct watcher *watcher = handle_check_any(L, 1, class_name);
  lua_pushstring(L, watcher->path);
  return 1;
}

static int get_polling(lua_State *L) {
  const struct watcher *watcher = handle_check_any(L, 1, class_name);
  lua_pushboolean(L, watcher->polling);
  return 1;
}

static const luaL_Reg methods[] = {
  {"changes", watcher_changes},
  {"close", handle_method_close},
  {"read", watcher_read},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"closed", handle_field_closed, NULL},
  {"path", get_path, NULL},
  {"polling", get_polling, NULL},
  {NULL, NULL, NULL},
};

void fs_open_watch(lua_State *L) {
  handle_class(L, class_name, methods, fields);
  lua_pushcfunction(L, fs_watch);
  lua_setfield(L, -2, "watch");
}
