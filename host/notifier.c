/* notifier.c - a subscriber of notify.h, and the task that reads from it. On
 * the loop is only noted what happened to which name; what it means is decided
 * in Lua.
 *
 * The system may tell of nothing, or have no descriptor left. Then reading only
 * lets time pass, and whoever reads looks for himself. */
#include "host/notifier.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "host/clock.h"
#include "host/embedded.h"
#include "host/error.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/lookup.h"
#include "host/names.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"

static const char class_name[] = "neap.notifier";

struct notifier {
  struct handle handle; /* first member */
  struct names names;
  uv_async_t uv; /* never sent: as long as it is open the loop is alive */
  struct task *reader;
  bool poked;
};

static const struct work_kind notifier_kind = {.name = "watcher",
                                               .stop = handle_stop};

/* ---- on the loop --------------------------------------------------------- */

static int broken(const struct notifier *notifier) {
  return notifier->names.subscriber.broken;
}

static bool has_news(const struct notifier *notifier) {
  return notifier->handle.closing || broken(notifier) < 0 || notifier->poked ||
         names_has_news(&notifier->names);
}

static void on_done(struct notify_subscriber *subscriber) {
  struct notifier *notifier = subscriber->data;
  if (notifier->reader != NULL && has_news(notifier))
    task_wake(notifier->reader, 0);
}

void notifier_poke(struct notifier *notifier) {
  notifier->poked = true;
  if (notifier->reader != NULL) task_wake(notifier->reader, 0);
}

static void on_close(struct handle *h) {
  struct notifier *notifier = (struct notifier *)h;
  names_free(&notifier->names);
  wait_wake_all(notifier->reader, UV_ECANCELED);
}

/* ---- notifier(is_told [, is_weak]) --------------------------------------- */

/* Weak: it keeps no program alive. */
static int open_notifier(lua_State *L) {
  struct host *host = host_of(L);
  bool is_told = lua_toboolean(L, 1), is_weak = lua_toboolean(L, 2);
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  struct notifier *notifier = handle_new(host, sizeof *notifier);
  if (notifier == NULL) return luaL_error(L, "not enough memory");
  names_init(&notifier->names);
  notifier->names.subscriber.done = on_done;
  notifier->names.subscriber.data = notifier;
  int status = is_told ? notify_join(host, &notifier->names.subscriber) : 0;
  if (status == 0) status = uv_async_init(&host->loop, &notifier->uv, NULL);
  if (status < 0) {
    notify_leave(&notifier->names.subscriber);
    free(notifier);
    return error_result(L, status, "watch");
  }
  notifier->handle.on_close = on_close;
  notifier->handle.origin = origin;
  handle_open(&notifier->handle, &notifier->uv, &notifier_kind, owner);
  if (is_weak) uv_unref((uv_handle_t *)&notifier->uv);
  handle_fill_box(box, &notifier->handle);
  return 1;
}

/* ---- notifier:read([seconds [, is_weak]]) -------------------------------------------- */

enum { AT_DONE = 3, AT_WRITTEN, AT_LOST, AT_OTHERS, AT_VAGUE };

static void append(lua_State *L, int list) {
  lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
}

static const char *what_happened(const struct name *name) {
  if (name->is_gone) return "gone";
  if (name->is_crowded) return "crowded";
  if (*name->text == '\0') return "moved";
  if (name->is_directory) return "directory";
  if (name->written) return "written";
  if (!name->vague) return "done";
  return name->closed ? "closed" : "touched";
}

static void push_name(lua_State *L, const struct name *name) {
  if (name->id != 0) {
    lua_pushinteger(L, name->id);
    append(L, name->written ? AT_WRITTEN : AT_DONE);
    lua_pushboolean(L, name->vague);
    lua_rawseti(L, AT_VAGUE, name->id);
    return;
  }
  if (name->directory->dropped) return;
  lua_pushinteger(L, name->directory->number);
  append(L, AT_OTHERS);
  lua_pushstring(L, name->text);
  append(L, AT_OTHERS);
  lua_pushstring(L, what_happened(name));
  append(L, AT_OTHERS);
}

/* -> done, written, lost, others, vague: two lists of ids, and whether it is only
 * vaguely known of an id that it has changed. The others are of directories
 * where all names matter: each a number, a name, what happened. */
static int push_news(lua_State *L, struct names *names) {
  struct name *name;
  bool lost = names->lost;
  names->lost = true; /* until all of it has been told: memory may be short */
  lua_settop(L, 2);
  lua_newtable(L);
  lua_newtable(L);
  lua_pushboolean(L, lost);
  lua_newtable(L);
  lua_newtable(L);
  while ((name = names->told) != NULL) {
    push_name(L, name);
    names_let_go(names, names_take(names));
  }
  names->lost = false;
  return 5;
}

/* The loop may be late, and the time be over while more has long been told. */
static int read_finish(lua_State *L) {
  const struct box *box = lua_touserdata(L, 1);
  struct notifier *notifier = (struct notifier *)box->handle;
  struct names *names = &notifier->names;
  if (notifier->handle.closing) return error_result(L, UV_ECANCELED, "watch");
  notify_read(names->subscriber.notify);
  notifier->poked = false;
  if (names_has_news(names)) return push_news(L, names);
  if (broken(notifier) < 0) return error_result(L, broken(notifier), "watch");
  return 0;
}

static const struct wait read_wait = {"change of a file", read_finish, NULL};

static int notifier_read(lua_State *L) {
  struct notifier *notifier = handle_check_any(L, 1, class_name);
  int64_t limit = WAIT_FOREVER;
  bool is_weak = lua_toboolean(L, 3);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) limit = milliseconds(check_seconds(L, 2));
  if (notifier->reader != NULL)
    return luaL_error(L, "another task waits for this watcher");
  struct task *task = wait_begin(L, &read_wait, 3);
  if (has_news(notifier)) return wait_pass(L, task, &notifier->reader);
  task->weak = is_weak;
  return wait_park(L, task, &notifier->reader, limit);
}

/* ---- what is to be told -------------------------------------------------- */

static int add_failed(lua_State *L, const char *path, int status) {
  lua_pushfstring(L, "watch %s", path);
  return error_result(L, status, lua_tostring(L, -1));
}

/* notifier:add(directory, whole) -> number, whether it is new */
static int notifier_add(lua_State *L) {
  struct notifier *notifier = handle_check_any(L, 1, class_name);
  const char *path = luaL_checkstring(L, 2);
  bool is_new;
  int number =
    names_directory(&notifier->names, path, lua_toboolean(L, 3), &is_new);
  if (number < 0) return add_failed(L, path, number);
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
  struct notify_watch *watch = notify_find(&notifier->names.subscriber, number);
  struct directory *directory = (struct directory *)watch;
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
  names_sweep(&notifier->names);
  return 0;
}

/* notifier:add_all(directory) -> number: all names in it matter, until it is
 * dropped or gone */
static int notifier_add_all(lua_State *L) {
  struct notifier *notifier = handle_check_any(L, 1, class_name);
  const char *path = luaL_checkstring(L, 2);
  int number = names_whole_directory(&notifier->names, path);
  if (number < 0) return add_failed(L, path, number);
  lua_pushinteger(L, number);
  return 1;
}

static int notifier_drop(lua_State *L) {
  struct notifier *notifier = handle_check_any(L, 1, class_name);
  names_drop(&notifier->names, (int)luaL_checkinteger(L, 2));
  return 0;
}

static int notifier_method_poke(lua_State *L) {
  notifier_poke(handle_check_any(L, 1, class_name));
  return 0;
}

/* ---- for modules --------------------------------------------------------- */

struct notifier *notifier_use(lua_State *L, int index) {
  struct notifier *notifier = handle_check_any(L, index, class_name);
  handle_use(&notifier->handle);
  return notifier;
}

void notifier_leave(struct notifier *notifier) {
  handle_leave(&notifier->handle);
}

/* ---- what watch.lua is given --------------------------------------------- */

static int now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)clock_ns(&host_of(L)->clock) / 1e9);
  return 1;
}

static const luaL_Reg methods[] = {
  {"add", notifier_add},
  {"add_all", notifier_add_all},
  {"close", handle_method_close},
  {"drop", notifier_drop},
  {"expect", notifier_expect},
  {"poke", notifier_method_poke},
  {"read", notifier_read},
  {"sweep", notifier_sweep},
  {NULL, NULL},
};

static const luaL_Reg functions[] = {
  {"lookups", lookup_steps},
  {"notifier", open_notifier},
  {"now", now},
  {"stats", lookup_stats},
  {NULL, NULL},
};

void notifier_push_core(lua_State *L) {
  handle_class(L, class_name, methods, NULL);
  luaL_newlib(L, functions);
}

void notifier_push_watch(lua_State *L) {
  embedded_load(L, "host/watch.lua");
  notifier_push_core(L);
  lua_call(L, 1, 1);
}
