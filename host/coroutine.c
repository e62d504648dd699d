/* coroutine.c - as in Lua's lcorolib.c, but for the mark, and for the coroutine
 * that a task is: to scripts it is the main one, from which nobody yields. */
#include "host/coroutine.h"

#include <lauxlib.h>
#include <string.h>

#include "host/cancel.h"
#include "host/host.h"
#include "host/run.h"
#include "host/task.h"
#include "host/wait.h"

enum { FAILED = -1, WAITS = -2 };

/* While a coroutine waits, the mark stays on its stack: only the task around
 * it may take it up again. */
static bool is_waiting(lua_State *co) {
  return lua_status(co) == LUA_YIELD && wait_is_mark(co);
}

/* A script may have kept the coroutine of a task, from coroutine.running. */
static bool is_in_use(lua_State *co) {
  return is_waiting(co) || run_is_to_begin(co);
}

static bool can_resume(lua_State *L, lua_State *co) {
  const char *why = NULL;
  if (is_in_use(co))
    why = "cannot resume non-suspended coroutine";
  else if (lua_status(co) == LUA_OK && lua_gettop(co) == 0)
    why = "cannot resume dead coroutine";
  if (why != NULL) lua_pushstring(L, why);
  return why == NULL;
}

/* Lets co run: a number of results on L's stack, FAILED with an error there,
 * or WAITS. */
static int run(lua_State *L, lua_State *co, int nargs) {
  struct host *host = host_of(L);
  lua_State *outer = host->running;
  bool blocked = host->blocked;
  int count;
  host->running = co;
  host->blocked = blocked || !lua_isyieldable(L);
  int status = lua_resume(co, L, nargs, &count);
  host->running = outer;
  host->blocked = blocked;
  if (status == LUA_YIELD && is_waiting(co)) return WAITS;
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return FAILED;
  }
  if (!lua_checkstack(L, count + 1)) {
    lua_pop(co, count);
    lua_pushliteral(L, "too many results to resume");
    return FAILED;
  }
  lua_xmove(co, L, count);
  return count;
}

static int transfer(lua_State *L, lua_State *co, int nargs) {
  if (!lua_checkstack(co, nargs)) {
    lua_pushliteral(L, "too many arguments to resume");
    return FAILED;
  }
  if (!can_resume(L, co)) return FAILED;
  lua_xmove(L, co, nargs);
  return run(L, co, nargs);
}

static int go_on(lua_State *L, lua_State *co) {
  if (!is_waiting(co)) { /* somebody has closed it in the meantime */
    lua_pushliteral(L, "cannot resume dead coroutine");
    return FAILED;
  }
  lua_pop(co, 1);
  return run(L, co, 0);
}

static int pass_on(lua_State *L, lua_KFunction k) {
  lua_pushlightuserdata(L, host_of(L));
  return lua_yieldk(L, 1, 0, k);
}

/* ---- coroutine.resume ---------------------------------------------------- */

static lua_State *check_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co != NULL, 1, "coroutine");
  return co;
}

static int resume_on(lua_State *L, int status, lua_KContext context);

static int resume_end(lua_State *L, int count) {
  if (count == WAITS) return pass_on(L, resume_on);
  if (count == FAILED) {
    if (cancel_is(L, -1)) {
      lua_resetthread(lua_tothread(L, 1));
      return lua_error(L);
    }
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushboolean(L, 1);
  lua_insert(L, -(count + 1));
  return count + 1;
}

static int resume_on(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return resume_end(L, go_on(L, lua_tothread(L, 1)));
}

static int resume(lua_State *L) {
  lua_State *co = check_coroutine(L);
  return resume_end(L, transfer(L, co, lua_gettop(L) - 1));
}

/* ---- coroutine.wrap ------------------------------------------------------ */

static int wrap_on(lua_State *L, int status, lua_KContext context);

static int wrap_end(lua_State *L, lua_State *co, int count) {
  if (count == WAITS) return pass_on(L, wrap_on);
  if (count != FAILED) return count;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) { /* it has failed: close it */
    bool cancelled = cancel_is(L, -1);
    status = lua_resetthread(co);
    if (status != LUA_OK && !cancelled) {
      lua_pop(L, 1);
      lua_xmove(co, L, 1); /* its __close may have changed the error */
    }
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int wrap_on(lua_State *L, int status, lua_KContext context) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  (void)status, (void)context;
  return wrap_end(L, co, go_on(L, co));
}

static int call_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return wrap_end(L, co, transfer(L, co, lua_gettop(L)));
}

static int wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

/* ---- coroutine.yield, running, isyieldable ------------------------------- */

static bool is_task(lua_State *co) {
  const struct task *task = host_of(co)->current;
  return task != NULL && task->coroutine.co == co;
}

static int yield(lua_State *L) {
  if (!is_task(L)) return lua_yield(L, lua_gettop(L));
  lua_pushliteral(L, "attempt to yield from outside a coroutine");
  return lua_error(L);
}

static int running(lua_State *L) {
  bool is_main = lua_pushthread(L);
  lua_pushboolean(L, is_main || is_task(L));
  return 2;
}

static int is_yieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : check_coroutine(L);
  lua_pushboolean(L, lua_isyieldable(co) && !is_task(co));
  return 1;
}

/* ---- coroutine.status, close --------------------------------------------- */

/* One that waits is not suspended: it goes on by itself, like one that has
 * resumed another. What its stack holds is in use until then. */
static const char *status_of(lua_State *L, lua_State *co) {
  lua_Debug ar;
  if (co == L) return "running";
  if (is_in_use(co)) return "normal";
  if (lua_status(co) == LUA_YIELD) return "suspended";
  if (lua_status(co) != LUA_OK) return "dead";
  if (lua_getstack(co, 0, &ar)) return "normal";
  return lua_gettop(co) == 0 ? "dead" : "suspended";
}

static int push_status(lua_State *L) {
  lua_pushstring(L, status_of(L, check_coroutine(L)));
  return 1;
}

static int close_suspended(lua_State *L) {
  lua_State *co = check_coroutine(L);
  const char *state = status_of(L, co);
  if (strcmp(state, "suspended") != 0 && strcmp(state, "dead") != 0)
    return luaL_error(L, "cannot close a %s coroutine", state);
  bool closed = lua_resetthread(co) == LUA_OK;
  lua_pushboolean(L, closed);
  if (closed) return 1;
  lua_xmove(co, L, 1);
  return cancel_is(L, -1) ? lua_error(L) : 2;
}

static const luaL_Reg functions[] = {
  {"close", close_suspended}, {"isyieldable", is_yieldable},
  {"resume", resume},         {"running", running},
  {"status", push_status},    {"wrap", wrap},
  {"yield", yield},           {NULL, NULL},
};

void coroutine_open(lua_State *L) {
  lua_getglobal(L, "coroutine");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
