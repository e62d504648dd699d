/* transaction.c - the steps of a reload, as reload.lua takes them: prepare,
 * wait until it is ready, commit or retire. A generation is known by its id:
 * whatever waits for one may find that it has ended. */
#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/main_task.h"
#include "host/option.h"
#include "host/realm.h"
#include "host/task.h"
#include "host/wait.h"
#include "host/watchdog.h"
#include "modules/hot/hot.h"

static struct generation *find(lua_State *L, int index) {
  struct generation *generation = host_of(L)->generations;
  uint64_t id = (uint64_t)luaL_checkinteger(L, index);
  while (generation != NULL && generation->id != id)
    generation = generation->next;
  return generation;
}

static struct generation *check(lua_State *L, int index) {
  struct generation *generation = find(L, index);
  if (generation == NULL) luaL_error(L, "this generation has ended");
  return generation;
}

/* ---- prepare() -> id ----------------------------------------------------- */

static int prepare(lua_State *L) {
  struct host *host = host_of(L);
  struct generation *generation = generation_new(L, host->program.open);
  if (main_task_start(generation) == NULL) {
    generation_retire(generation, true);
    return luaL_error(L, "not enough memory");
  }
  /* Without a timer nobody is cut. */
  watchdog_guard(host, WATCHDOG_LOAD_CPU_MS, WATCHDOG_LOAD_MS);
  lua_pushinteger(L, (lua_Integer)generation->id);
  return 1;
}

/* start_first() -> id: of a program that will be loaded again */
static int start_first(lua_State *L) {
  struct host *host = host_of(L);
  struct generation *generation = generation_new(L, host->program.open);
  generation->state = GENERATION_LIVE;
  host->live = generation;
  if (main_task_start(generation) == NULL)
    return luaL_error(L, "not enough memory");
  lua_pushinteger(L, (lua_Integer)generation->id);
  return 1;
}

static int is_running(lua_State *L) {
  lua_pushboolean(L, host_of(L)->phase == HOST_RUNNING);
  return 1;
}

/* ---- await(id, limit) -> "ready" | "refused", text | "late" | "waiting" --- */

static int await_finish(lua_State *L) {
  const struct generation *generation = find(L, 1);
  if (generation == NULL) return luaL_error(L, "this generation has ended");
  generation_get(L, generation, GENERATION_WHY);
  if (lua_isstring(L, -1)) {
    lua_pushliteral(L, "refused");
    lua_insert(L, -2);
    return 2;
  }
  if (generation->ready) {
    lua_pushliteral(L, "ready");
  } else if (generation->over) {
    lua_pushliteral(L, "refused");
    lua_pushliteral(L, "its main chunk was cancelled, or memory ran out");
    return 2;
  } else {
    lua_pushstring(L, wait_status(L) == UV_ETIMEDOUT ? "late" : "waiting");
  }
  return 1;
}

static const struct wait await_wait = {"prepare", await_finish, NULL};

static bool has_news(lua_State *L, const struct generation *generation) {
  generation_get(L, generation, GENERATION_WHY);
  bool refused = lua_isstring(L, -1);
  lua_pop(L, 1);
  return refused || generation->ready || generation->over;
}

static int await(lua_State *L) {
  struct generation *generation = check(L, 1);
  lua_Number limit = check_seconds(L, 2);
  bool news = has_news(L, generation);
  struct task *task = wait_begin(L, &await_wait, 3);
  if (news) return wait_pass(L, task, &generation->waiters);
  return wait_until(L, task, &generation->waiters,
                    clock_after(&task->host->clock, limit));
}

/* ---- end(id) -> whether there is still something of it -------------------- */

static int end_finish(lua_State *L) {
  lua_pushboolean(L, find(L, 1) != NULL);
  return 1;
}

static const struct wait end_wait = {"end", end_finish, NULL};

static int end(lua_State *L) {
  struct generation *generation = find(L, 1);
  struct task *task = wait_begin(L, &end_wait, 2);
  if (generation == NULL) return wait_fail(L, task, 0);
  return wait_park(L, task, &generation->waiters, WAIT_FOREVER);
}

/* ---- retire(id), commit(id), within(id, fn, ...) -------------------------- */

static int prepared(lua_State *L) {
  watchdog_guard(host_of(L), 0, 0);
  return 0;
}

static int retire(lua_State *L) {
  struct generation *generation = find(L, 1);
  if (generation != NULL) generation_retire(generation, true);
  return 0;
}

static int commit(lua_State *L) {
  struct generation *generation = check(L, 1);
  if (host_of(L)->phase != HOST_RUNNING)
    return luaL_error(L, "the program is ending");
  int status = generation_commit(generation);
  if (status < 0)
    return luaL_error(L, "cannot start it: %s", uv_strerror(status));
  return 0;
}

/* Without giving way, in the realm of that generation; what is started belongs
 * to it. The results are those of pcall, with a traceback. */
static int trace(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

static int within(lua_State *L) {
  struct generation *generation = check(L, 1);
  struct host *host = host_of(L);
  struct owner *owner = host->current->work.owner;
  struct generation *outer = host->entered;
  lua_pushcfunction(L, trace);
  lua_replace(L, 1);
  generation_enter(generation);
  host->current->work.owner = &generation->background;
  host->current->lent = true;
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
  host->current->lent = false;
  host->current->work.owner = owner;
  generation_enter(outer);
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/* ---- go(id, fn) -> task, in the background of that generation ------------- */

static int go(lua_State *L) {
  struct generation *generation = check(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  task_start_staged(task_go_as(L, 2, &generation->background));
  return 1;
}

/* ---- notes(id), count(id), live() ----------------------------------------- */

static int notes(lua_State *L) {
  generation_push_notes(L, check(L, 1));
  return 1;
}

static int live(lua_State *L) {
  const struct generation *generation = host_of(L)->live;
  if (generation == NULL) return 0;
  lua_pushinteger(L, (lua_Integer)generation->id);
  return 1;
}

static int globals(lua_State *L) {
  generation_get(L, check(L, 1), GENERATION_REALM);
  realm_push_globals(L, -1);
  return 1;
}

static void add_connection(struct work *work, void *data) {
  if (strcmp(work->kind->name, "connection") == 0) ++*(lua_Integer *)data;
}

/* Connections that an old version still serves. */
static int count_served(lua_State *L) {
  const struct generation *generation = find(L, 1);
  lua_Integer count = 0;
  struct owner *owner = generation != NULL ? generation->owners : NULL;
  for (; owner != NULL; owner = owner->next)
    owner_each(owner, add_connection, &count);
  lua_pushinteger(L, count);
  return 1;
}

/* Another program lies where this one was started from: Linux says so. */
static int is_replaced(lua_State *L) {
  static const char deleted[] = " (deleted)";
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  size_t end = sizeof deleted - 1;
  lua_pushboolean(L, size > (ssize_t)end &&
                       memcmp(path + (size_t)size - end, deleted, end) == 0);
  return 1;
}

static int limit(lua_State *L) {
  lua_pushnumber(L, host_of(L)->program.limit);
  return 1;
}

/* The function of a coroutine that has not begun: debug knows no way to it. */
static int body_of(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  lua_Debug ar;
  if (co == NULL || co == L || lua_status(co) != LUA_OK) return 0;
  if (lua_getstack(co, 0, &ar) != 0 || lua_gettop(co) == 0) return 0;
  if (!lua_isfunction(co, 1) || !lua_checkstack(co, 1)) return 0;
  lua_pushvalue(co, 1);
  lua_xmove(co, L, 1);
  return 1;
}

static void add_one(lua_State *L, const char *key) {
  lua_getfield(L, -1, key);
  lua_pushinteger(L, lua_tointeger(L, -1) + 1);
  lua_setfield(L, -3, key);
  lua_pop(L, 1);
}

/* What a commit would start: { server = 1, timer = 2, adopted = 1 } */
static int count_staged(lua_State *L) {
  struct generation *generation = check(L, 1);
  lua_newtable(L);
  struct work *work = generation->background.first;
  for (; work != NULL; work = work->next)
    if (work->staged) add_one(L, work->inherits ? "adopted" : work->kind->name);
  return 1;
}

const luaL_Reg hot_transaction[] = {
  {"await", await},
  {"body_of", body_of},
  {"commit", commit},
  {"count_served", count_served},
  {"count_staged", count_staged},
  {"end_of", end},
  {"go", go},
  {"globals_of", globals},
  {"is_replaced", is_replaced},
  {"is_running", is_running},
  {"start_first", start_first},
  {"limit", limit},
  {"live", live},
  {"notes_of", notes},
  {"prepare", prepare},
  {"prepared", prepared},
  {"retire", retire},
  {"within", within},
  {NULL, NULL},
};
