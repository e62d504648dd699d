/* hot.c - module `neap.hot`: what its Lua needs of the machine.
 *
 * hot.lua is loaded afresh in each realm, reload.lua once, in that of the root:
 * so no version runs library functions that another one has changed. What they
 * have in common is one table, `shared`. */
#include "modules/hot/hot.h"

#include <lauxlib.h>

#include "host/chunk.h"
#include "host/embedded.h"
#include "host/gate.h"
#include "host/generation.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/task.h"
#include "modules/hot/fingerprints.h"
#include "host/notifier.h"
#include "modules/modules.h"

static const char shared_key = 0, reload_key = 0; /* in the registry */

int hot_push_shared(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &shared_key) == LUA_TTABLE) return 1;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &shared_key);
  return 1;
}

/* ---- tasks of the root ---------------------------------------------------- */

struct entry { /* what a task of the root calls: reload[name](argument) */
  const char *name, *argument;
};

static const struct entry serve_requests = {"serve_requests", NULL};
static const struct entry watch = {"watch", NULL};
static const struct entry arm = {"arm", NULL};
static const struct entry hung_up = {"request_and_tell", "SIGHUP"};

static int call_root(lua_State *L) {
  const struct entry *entry = lua_touserdata(L, 1);
  hot_push_reload(L);
  lua_getfield(L, -1, entry->name);
  lua_pushstring(L, entry->argument);
  return task_call_last(L, 1);
}

static int start(struct host *host, const struct entry *entry);

/* Somebody waits for what it does: without memory it is tried again. */
static void ended(struct task *task, enum task_end end) {
  if (end == TASK_FAILED && task->context == &serve_requests)
    start(task->host, &serve_requests);
}

static const struct task_sink sink = {NULL, ended};

static int start(struct host *host, const struct entry *entry) {
  struct task *task = task_start(host, &host->root->background, call_root,
                                 (void *)(intptr_t)entry);
  if (task == NULL) return UV_ENOMEM;
  task->name = entry->name;
  task->sink = &sink;
  return 0;
}

void hot_hang_up(struct host *host) {
  start(host, &hung_up);
}

int hot_watch(struct host *host) {
  return start(host, &watch);
}

static bool is_running(const struct host *host, const struct entry *entry) {
  const struct work *work = host->root->background.first;
  for (; work != NULL; work = work->next)
    if (task_is(work) && ((const struct task *)work)->context == entry)
      return true;
  return false;
}

/* One at a time. */
static int start_once(lua_State *L, const struct entry *entry) {
  struct host *host = host_of(L);
  if (!is_running(host, entry) && start(host, entry) < 0)
    return luaL_error(L, "not enough memory");
  return 0;
}

/* Something more was read: in a task, because it waits. */
static int start_to_arm(lua_State *L) {
  return start_once(L, &arm);
}

static int start_to_serve(lua_State *L) {
  return start_once(L, &serve_requests);
}

/* ---- here() -> id, state; notes(); reloadable() ---------------------------- */

static int here(lua_State *L) {
  static const char *const names[] = {"preparing", "live", "retired"};
  const struct generation *generation = generation_here(L);
  lua_pushinteger(L, (lua_Integer)generation->id);
  lua_pushstring(L, names[generation->state]);
  return 2;
}

static int started(lua_State *L) {
  lua_pushnumber(L, host_of(L)->started);
  return 1;
}

static int notes(lua_State *L) {
  generation_push_notes(L, generation_here(L));
  return 1;
}

/* Nothing, or why it cannot be loaded again. */
static int obstacle(lua_State *L) {
  const struct host *host = host_of(L);
  if (host->phase != HOST_RUNNING) {
    lua_pushliteral(L, "the program is ending");
    lua_pushliteral(L, "ECANCELED");
    return 2;
  }
  if (host->program.fixed == NULL) return 0;
  lua_pushstring(L, host->program.fixed);
  lua_pushliteral(L, "ENOTSUP");
  return 2;
}

/* ---- dispose(fn), keep(handle), let_go(handle), note_file(path) ------------ */

static int set_dispose(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  generation_set(L, generation_here(L), GENERATION_DISPOSE);
  return 0;
}

static void move(struct handle *h, struct owner *owner) {
  if (h != NULL && !h->closing) work_move(&h->work, owner);
}

/* And the handles that its box holds: the pipes of a child. */
static int move_all(lua_State *L, struct owner *owner) {
  move(handle_check_box(L, 1), owner);
  for (int i = 1; lua_getiuservalue(L, 1, i) != LUA_TNONE; i++) {
    if (handle_is_box(L, -1)) move(handle_check_box(L, lua_gettop(L)), owner);
    lua_pop(L, 1);
  }
  return 0;
}

/* To the root, which is never replaced. */
static int keep(lua_State *L) {
  return move_all(L, &host_of(L)->root->background);
}

static int let_go(lua_State *L) {
  return move_all(L, &generation_here(L)->background);
}

/* "connection", "server" ..., and whether it has a handler to call; nothing for
 * what is no handle. */
static int kind(lua_State *L) {
  if (!handle_is_box(L, 1)) return 0;
  const struct handle *h = handle_check_box(L, 1);
  if (h == NULL) return 0;
  lua_pushstring(L, h->work.kind->name);
  lua_pushboolean(L, h->rooted);
  return 2;
}

static int note_file(lua_State *L) {
  chunk_note_file(L, luaL_checkstring(L, 1), "files");
  return 0;
}

/* ---- generations() -> what there is of each -------------------------------- */

static void push_origin(lua_State *L, struct origin origin) {
  lua_pushfstring(L, "%s:%d", origin.source != NULL ? origin.source : "?",
                  origin.line);
}

/* Adds { kind =, where =, id =, name = } to the list on top. */
static void push_work(struct work *work, void *data) {
  lua_State *L = data;
  if (!task_is(work) && !handle_is(work)) return;
  lua_createtable(L, 0, 4);
  lua_pushstring(L, work->kind->name);
  lua_setfield(L, -2, "kind");
  if (task_is(work)) {
    const struct task *task = (const struct task *)work;
    lua_pushinteger(L, (lua_Integer)task->id);
    lua_setfield(L, -2, "id");
    lua_pushstring(L, task->name);
    lua_setfield(L, -2, "name");
    push_origin(L, task->origin);
  } else {
    push_origin(L, ((const struct handle *)work)->origin);
  }
  lua_setfield(L, -2, "where");
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static lua_Integer count_files(lua_State *L,
                               const struct generation *generation) {
  lua_Integer count = 0;
  generation_push_notes(L, generation);
  if (lua_getfield(L, -1, "files") == LUA_TTABLE) {
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
      count += lua_toboolean(L, -1); /* false: it was not there */
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 2);
  return count;
}

static void push_generation(lua_State *L, struct generation *generation) {
  static const char *const names[] = {"preparing", "live", "draining"};
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, (lua_Integer)generation->id);
  lua_setfield(L, -2, "id");
  lua_pushstring(L, names[generation->state]);
  lua_setfield(L, -2, "state");
  lua_pushinteger(L, count_files(L, generation));
  lua_setfield(L, -2, "files");
  lua_newtable(L);
  owner_each(&generation->background, push_work, L);
  for (struct owner *o = generation->owners; o != NULL; o = o->next)
    owner_each(o, push_work, L);
  lua_setfield(L, -2, "work");
}

static int generations(lua_State *L) {
  struct host *host = host_of(L);
  lua_newtable(L);
  for (struct generation *g = host->generations; g != NULL; g = g->next) {
    if (g == host->root) continue;
    push_generation(L, g);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  return 1;
}

/* ---- functions that know which file has called them ------------------------ */

static int over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return lua_gettop(L);
}

/* It is in C, so that a module that ends with `return hot.state(...)` is still
 * there to be seen. */
static int call_with_source(lua_State *L) {
  lua_Debug ar;
  lua_pushvalue(L, lua_upvalueindex(1));
  if (lua_getstack(L, 1, &ar) != 0 && lua_getinfo(L, "S", &ar) != 0)
    lua_pushstring(L, ar.source);
  else
    lua_pushliteral(L, "=?");
  lua_rotate(L, 1, 2);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, over);
  return over(L, LUA_OK, 0);
}

static int with_source(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_pushcclosure(L, call_with_source, 1);
  return 1;
}

/* ---- the module ------------------------------------------------------------ */

static const luaL_Reg functions[] = {
  {"generations", generations},
  {"here", here},
  {"keep", keep},
  {"kind", kind},
  {"let_go", let_go},
  {"new_gate", gate_new},
  {"note_file", note_file},
  {"notes", notes},
  {"obstacle", obstacle},
  {"set_dispose", set_dispose},
  {"shared", hot_push_shared},
  {"started", started},
  {"start_to_arm", start_to_arm},
  {"start_to_serve", start_to_serve},
  {"tell_live", hot_tell_live},
  {"wait", hot_wait},
  {"with_source", with_source},
  {NULL, NULL},
};

int open_hot(lua_State *L) {
  embedded_load(L, "modules/hot/hot.lua");
  luaL_newlib(L, functions);
  lua_call(L, 1, 1);
  return 1;
}

/* load(name): the chunk of a Lua file of this folder */
static int load(lua_State *L) {
  lua_pushfstring(L, "modules/hot/%s.lua", luaL_checkstring(L, 1));
  embedded_load(L, lua_tostring(L, -1));
  return 1;
}

/* watcher() -> the function that opens one, see host/watch.lua */
static int watcher(lua_State *L) {
  notifier_push_watch(L);
  return 1;
}

static const luaL_Reg root_functions[] = {
  {"fingerprints", hot_fingerprints},
  {"load", load},
  {"watcher", watcher},
  {NULL, NULL},
};

static void load_reload(lua_State *L) {
  embedded_load(L, "modules/hot/reload.lua");
  luaL_newlib(L, functions);
  luaL_setfuncs(L, hot_transaction, 0);
  luaL_setfuncs(L, root_functions, 0);
  lua_call(L, 1, 1);
}

void hot_push_reload(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &reload_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  load_reload(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &reload_key);
}
