/* watch.c - the handle below watch.lua: a descriptor that tells of directories,
 * and the task that reads from it. libuv's callback only notes what happened to
 * which name; what it means is decided in Lua.
 *
 * There may be no descriptor: where the system has none, or no more of them.
 * Then reading only lets time pass, and watch.lua looks for itself. */
#include "modules/hot/watch.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/embedded.h"
#include "host/error.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/hot/lookup.h"
#include "modules/hot/names.h"

static const char class_name[] = "neap.hot.notifier";

struct notifier {
  struct handle handle; /* first member */
  union {
    uv_handle_t any;
    uv_poll_t poll;
    uv_check_t none; /* never started */
  } uv;
  struct task *reader;
  struct names names;
  int fd;     /* -1: there is none */
  int broken; /* why it cannot be read any more, or 0 */
};

static const struct work_kind notifier_kind = {.name = "watcher",
                                               .stop = handle_stop};

/* ---- on the loop --------------------------------------------------------- */

static void take_notices(struct notifier *notifier) {
  if (notifier->fd < 0 || notifier->broken < 0) return;
  notifier->broken = notify_read(notifier->fd, names_notice, &notifier->names);
  if (notifier->broken < 0) uv_poll_stop(&notifier->uv.poll);
}

static bool has_news(const struct notifier *notifier) {
  return notifier->handle.closing || notifier->broken < 0 ||
         names_has_news(&notifier->names);
}

static void on_readable(uv_poll_t *uv, int status, int events) {
  struct notifier *notifier = uv->data;
  (void)status, (void)events; /* reading will tell */
  take_notices(notifier);
  if (notifier->reader != NULL && has_news(notifier))
    task_wake(notifier->reader, 0);
}

static void on_close(struct handle *h) {
  struct notifier *notifier = (struct notifier *)h;
  if (notifier->fd >= 0) {
    uv_poll_stop(&notifier->uv.poll);
    close(notifier->fd);
  }
  notifier->fd = -1;
  wait_wake_all(notifier->reader, UV_ECANCELED);
}

static void on_free(struct handle *h) {
  names_free(&((struct notifier *)h)->names);
}

/* ---- notifier(with_descriptor) ------------------------------------------- */

/* Closes the descriptor where it fails. */
static int init(struct notifier *notifier, uv_loop_t *loop, int fd) {
  notifier->fd = fd;
  if (fd < 0) return uv_check_init(loop, &notifier->uv.none);
  int status = uv_poll_init(loop, &notifier->uv.poll, fd);
  if (status < 0) close(fd);
  return status;
}

static int open_notifier(lua_State *L) {
  struct host *host = host_of(L);
  bool with_descriptor = lua_toboolean(L, 1);
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  struct notifier *notifier = handle_new(host, sizeof *notifier);
  if (notifier == NULL) return luaL_error(L, "not enough memory");
  int fd = with_descriptor ? notify_open() : -1;
  int status = with_descriptor && fd < 0 ? fd : init(notifier, &host->loop, fd);
  if (status < 0) {
    free(notifier);
    return error_result(L, status, "watch");
  }
  names_init(&notifier->names);
  notifier->handle.on_close = on_close;
  notifier->handle.on_free = on_free;
  notifier->handle.origin = origin;
  handle_open(&notifier->handle, &notifier->uv.any, &notifier_kind, owner);
  if (fd >= 0) uv_poll_start(&notifier->uv.poll, UV_READABLE, on_readable);
  handle_fill_box(box, &notifier->handle);
  return 1;
}

/* ---- notifier:read([seconds]) -------------------------------------------- */

static int push_news(lua_State *L, struct names *names) {
  const struct name *name;
  bool lost = names->lost;
  names->lost = true; /* until all of it has been told: memory may be short */
  lua_settop(L, 2);
  lua_newtable(L);
  lua_newtable(L);
  while ((name = names_take(names)) != NULL) {
    int list = name->written ? 4 : 3;
    lua_pushinteger(L, name->id);
    lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
  }
  names->lost = false;
  lua_pushboolean(L, lost);
  return 3;
}

/* The loop may be late, and the time be over while more has long been told. */
static int read_finish(lua_State *L) {
  const struct box *box = lua_touserdata(L, 1);
  struct notifier *notifier = (struct notifier *)box->handle;
  if (notifier->handle.closing) return error_result(L, UV_ECANCELED, "watch");
  take_notices(notifier);
  if (names_has_news(&notifier->names)) return push_news(L, &notifier->names);
  if (notifier->broken < 0) return error_result(L, notifier->broken, "watch");
  return 0;
}

static const struct wait read_wait = {"change of a file", read_finish, NULL};

static int notifier_read(lua_State *L) {
  struct notifier *notifier = handle_check_any(L, 1, class_name);
  int64_t limit = WAIT_FOREVER;
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) limit = (int64_t)ceil(check_seconds(L, 2) * 1000);
  if (notifier->reader != NULL)
    return luaL_error(L, "another task waits for this watcher");
  struct task *task = wait_begin(L, &read_wait, 3);
  if (has_news(notifier)) return wait_pass(L, task, &notifier->reader);
  return wait_park(L, task, &notifier->reader, limit);
}

/* ---- what is to be told -------------------------------------------------- */

/* notifier:add(directory, whole) -> number, whether it is new */
static int notifier_add(lua_State *L) {
  struct notifier *notifier = handle_check_any(L, 1, class_name);
  const char *path = luaL_checkstring(L, 2);
  bool whole = lua_toboolean(L, 3), is_new;
  int number = UV_ECANCELED;
  if (notifier->fd >= 0) number = notify_add(notifier->fd, path, whole);
  if (number < 0) {
    lua_pushfstring(L, "watch %s", path);
    return error_result(L, number, lua_tostring(L, -1));
  }
  if (names_directory(&notifier->names, number, path, whole, &is_new) == NULL)
    return luaL_error(L, "not enough memory");
  lua_pushinteger(L, number);
  lua_pushboolean(L, is_new);
  return 2;
}

/* notifier:expect(directory, name) -> id: of something that happens to a name in
 * a directory that was added since the last sweep */
static int notifier_expect(lua_State *L) {
  struct notifier *notifier = handle_check_any(L, 1, class_name);
  int number = (int)luaL_checkinteger(L, 2);
  const char *text = luaL_checkstring(L, 3);
  struct directory *directory = notifier->names.directories;
  while (directory != NULL && directory->number != number)
    directory = directory->next;
  luaL_argcheck(L, directory != NULL && directory->wanted, 2,
                "no such directory");
  struct name *name = names_name(&notifier->names, directory, text);
  if (name == NULL) return luaL_error(L, "not enough memory");
  lua_pushinteger(L, name->id);
  return 1;
}

/* notifier:sweep(): what was neither added nor expected again is forgotten */
static int notifier_sweep(lua_State *L) {
  struct notifier *notifier = handle_check_any(L, 1, class_name);
  if (notifier->fd >= 0) names_sweep(&notifier->names, notifier->fd);
  return 0;
}

/* ---- what watch.lua is given --------------------------------------------- */

static int now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)uv_hrtime() / 1e9);
  return 1;
}

static const luaL_Reg methods[] = {
  {"add", notifier_add},       {"close", handle_method_close},
  {"expect", notifier_expect}, {"read", notifier_read},
  {"sweep", notifier_sweep},   {NULL, NULL},
};

static const luaL_Reg functions[] = {
  {"lookups", lookup_steps},
  {"notifier", open_notifier},
  {"now", now},
  {"stats", lookup_stats},
  {NULL, NULL},
};

void hot_push_watch_core(lua_State *L) {
  handle_class(L, class_name, methods, NULL);
  luaL_newlib(L, functions);
}

void hot_push_watch(lua_State *L) {
  embedded_load(L, "modules/hot/watch.lua");
  hot_push_watch_core(L);
  lua_call(L, 1, 1);
}
