/* luv.c - gives luv our loop, and takes its callbacks.
 *
 * luv keeps one context for the whole state, and lists its handles in the
 * registry under metatables of its own: nothing else tells them from ours. Who
 * has passed a callback is noted when it is passed, since luv would not say: so
 * it runs in that version's realm, as long as that version lives. */
#include "host/luv.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/origin.h"
#include "host/task.h"

/* As in luv.h, which Debian does not ship. */
typedef int luv_pcall(lua_State *L, int nargs, int nresults, int flags);

struct luv {
  void (*set_loop)(lua_State *L, uv_loop_t *loop);
  void (*set_callback)(lua_State *L, luv_pcall *callback);
  uv_loop_t *(*loop)(lua_State *L);
};

static const char marks = 0; /* registry: function -> id of its generation */

/* ---- callbacks ----------------------------------------------------------- */

/* A version that has been replaced starts nothing any more. */
static struct generation *generation_for(lua_State *L, int function) {
  struct host *host = host_of(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &marks);
  lua_pushvalue(L, function);
  lua_rawget(L, -2);
  uint64_t id = (uint64_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  for (struct generation *g = host->generations; id > 0 && g != NULL;
       g = g->next)
    if (g->id == id && g->state != GENERATION_RETIRED) return g;
  return host->live != NULL ? host->live : host->root;
}

static int start_callback(lua_State *L) { /* function, arguments */
  struct generation *generation = generation_for(L, 1);
  struct origin origin = origin_of_function(L, 1);
  int nargs = lua_gettop(L) - 1;
  struct task *task = task_spawn_as(L, nargs, &generation->background);
  task->name = "luv";
  task->origin = origin;
  return 0;
}

/* Between tasks, so nothing may raise. */
static void start_task(lua_State *L, int nargs) {
  struct host *host = host_of(L);
  lua_pushcfunction(L, start_callback);
  lua_insert(L, -(nargs + 2));
  if (lua_pcall(L, nargs + 1, 0, 0) == LUA_OK) return;
  host->failures++;
  fprintf(stderr, "neap: a callback of luv is lost: %s\n", lua_tostring(L, -1));
  lua_pop(L, 1);
}

/* Inside a task luv waits for what is called. */
static int call_now(lua_State *L, int nargs, int nresults) {
  int base = lua_gettop(L) - nargs - 1;
  int status = lua_pcall(L, nargs, nresults, 0);
  if (status == LUA_OK) return lua_gettop(L) - base;
  host_of(L)->failures++;
  fprintf(stderr, "neap: a callback of luv failed: %s\n",
          luaL_tolstring(L, -1, NULL));
  lua_settop(L, base);
  return -status;
}

static int on_callback(lua_State *L, int nargs, int nresults, int flags) {
  const struct host *host = host_of(L);
  (void)flags;
  if (host->phase == HOST_STOPPING && host->current == NULL) {
    lua_pop(L, nargs + 1);
    return 0;
  }
  if (host->current != NULL || nresults != 0)
    return call_now(L, nargs, nresults);
  start_task(L, nargs);
  return 0;
}

/* Each of luv's functions is called through this one, on the same stack. */
static int call(lua_State *L) {
  for (int i = lua_gettop(L); i > 0; i--) {
    if (!lua_isfunction(L, i)) continue;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &marks);
    lua_pushvalue(L, i);
    lua_pushinteger(L, (lua_Integer)generation_here(L)->id);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* ---- its handles --------------------------------------------------------- */

typedef void handle_visit(lua_State *L, void *data); /* the handle is on top */

/* For what is in the registry under its own reference, and of a class of luv's
 * handles. Neither raises nor allocates. */
static void each_handle(lua_State *L, handle_visit *visit, void *data) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, "uv_handle") != LUA_TTABLE) {
    lua_pop(L, 1);
    return;
  }
  int classes = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, LUA_REGISTRYINDEX) != 0) {
    if (lua_isinteger(L, -2) && lua_type(L, -1) == LUA_TUSERDATA &&
        lua_rawlen(L, -1) == sizeof(void *) && lua_getmetatable(L, -1)) {
      bool is_handle = lua_rawget(L, classes) == LUA_TBOOLEAN;
      lua_pop(L, 1);
      if (is_handle) visit(L, data);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void count(lua_State *L, void *data) {
  (void)L;
  ++*(int *)data;
}

static void unref(lua_State *L, void *data) {
  uv_handle_t *handle = *(uv_handle_t **)lua_touserdata(L, -1);
  (void)data;
  if (handle != NULL && !uv_is_closing(handle)) uv_unref(handle);
}

static void append(lua_State *L, void *data) { /* to the list at that index */
  int list = *(int *)data;
  lua_pushvalue(L, -1);
  lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
}

/* Pushes a list of them: what is called with them may change the registry. So
 * may finalizers: the list has its size before it is filled. */
static void push_handles(lua_State *L) {
  int handles = 0;
  each_handle(L, count, &handles);
  lua_createtable(L, handles, 0);
  int list = lua_gettop(L);
  each_handle(L, append, &list);
}

void luv_drain(struct host *host) {
  if (host->has_luv) each_handle(host->L, unref, NULL);
}

static int close_all(lua_State *L) {
  push_handles(L);
  for (lua_Integer i = 1; lua_rawgeti(L, 1, i) != LUA_TNIL; i++) {
    const uv_handle_t *handle = *(uv_handle_t **)lua_touserdata(L, -1);
    if (handle != NULL && !uv_is_closing(handle)) {
      lua_getfield(L, -1, "close");
      lua_pushvalue(L, -2);
      lua_call(L, 1, 0);
    }
    lua_settop(L, 1);
  }
  return 0;
}

static bool has_handles(struct host *host) {
  int handles = 0;
  each_handle(host->L, count, &handles);
  return handles > 0;
}

/* What is called back now touches the state, so none of it may be left. */
void luv_close(struct host *host) {
  if (!host->has_luv) return;
  lua_pushcfunction(host->L, close_all);
  if (lua_pcall(host->L, 0, 0, 0) != LUA_OK) lua_pop(host->L, 1);
  while (has_handles(host) || host->loop.active_reqs.count > 0)
    uv_run(&host->loop, UV_RUN_ONCE);
}

/* ---- what it may not do to our loop -------------------------------------- */

static int cannot_run(lua_State *L) {
  return luaL_error(L, "the loop runs already: leave uv.run() out; the program "
                       "ends when nothing is left to do");
}

static int cannot_stop(lua_State *L) {
  return luaL_error(L, "the loop is not luv's alone: neap.exit() ends the "
                       "program");
}

/* Of luv's handles alone: luv's own would take ours for such. */
static int walk(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  push_handles(L);
  for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
    lua_pushvalue(L, 1);
    lua_insert(L, -2);
    lua_call(L, 1, 0);
  }
  return 0;
}

static const luaL_Reg replaced[] = {
  {"loop_close", cannot_stop},
  {"run", cannot_run},
  {"stop", cannot_stop},
  {"walk", walk},
  {NULL, NULL},
};

/* ---- the module ---------------------------------------------------------- */

/* Replaces each function in the table on top. */
static void wrap(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_iscfunction(L, -1)) {
      lua_pushcclosure(L, call, 1);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4); /* a key that is there: the traversal may go on */
    } else {
      lua_pop(L, 1);
    }
  }
}

static void wrap_methods(lua_State *L) { /* the metatable is on top */
  if (lua_getfield(L, -1, "__index") == LUA_TTABLE) wrap(L);
  lua_pop(L, 1);
}

static void wrap_classes(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, "uv_handle") == LUA_TTABLE) {
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
      lua_pop(L, 1);
      wrap_methods(L);
    }
  }
  lua_pop(L, 1);
  if (luaL_getmetatable(L, "uv_dir") == LUA_TTABLE) wrap_methods(L);
  lua_pop(L, 1);
}

static void open_marks(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &marks) == LUA_TNIL) {
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &marks);
  }
  lua_pop(L, 1);
}

/* Once for each version of the program: luv's classes then get new methods. The
 * main state is luv's for callbacks: between tasks nobody uses it. */
static int open_luv(lua_State *L) {
  struct host *host = host_of(L);
  const struct luv *luv = lua_touserdata(L, lua_upvalueindex(2));
  open_marks(L);
  if (luv->loop(L) == NULL) { /* makes the context, which may raise */
    luv->set_loop(host->L, &host->loop);
    luv->set_callback(L, on_callback);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  host->has_luv = luv->loop(L) == &host->loop;
  if (!host->has_luv || !lua_istable(L, -1)) return 1;
  wrap(L);
  wrap_classes(L);
  luaL_setfuncs(L, replaced, 0);
  return 1;
}

/* ---- is it luv? ---------------------------------------------------------- */

/* POSIX lets dlsym's pointers be those of functions, C does not. */
static bool find(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
  return symbol != NULL;
}

/* One that was linked with a libuv of its own cannot use what ours has made. */
static bool shares_libuv(void *library) {
  void *ours = dlsym(RTLD_DEFAULT, "uv_run");
  return ours != NULL && ours == dlsym(library, "uv_run");
}

void luv_adapt(lua_State *L, const char *path) {
  struct luv luv;
  void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (library == NULL) return;
  bool is_luv = find(library, "luv_set_loop", &luv.set_loop) &&
                find(library, "luv_set_callback", &luv.set_callback) &&
                find(library, "luv_loop", &luv.loop);
  bool shares = is_luv && shares_libuv(library);
  dlclose(library); /* Lua keeps it */
  if (!is_luv) return;
  if (!shares) {
    fprintf(stderr,
            "neap: %s has a libuv of its own: its callbacks run in its own "
            "uv.run() only, which holds the loop\n",
            path);
    return;
  }
  memcpy(lua_newuserdatauv(L, sizeof luv, 0), &luv, sizeof luv);
  lua_pushcclosure(L, open_luv, 2);
}
