/* clock.c - test.clock(): an object that keeps time standing (virtual_time.h),
 * and os.time and os.date, which follow it.
 *
 * There is at most one, and time passes again when it is closed or collected.
 * os.time and os.date are replaced when the module is loaded, once in a realm:
 * `neap test` does that before it loads specs, so that code which has put
 * os.time into a local follows too. */
#include <math.h>
#include <time.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/virtual_time.h"
#include "host/wait.h"
#include "modules/test/test.h"

static const char class_name[] = "neap.test.clock";

struct clock_object {
  struct virtual_time *still; /* that it has begun, NULL: it is over */
};

/* ---- the object ---------------------------------------------------------- */

static bool is_in_force(lua_State *L, const struct clock_object *object) {
  return object->still != NULL && host_of(L)->clock.still == object->still;
}

/* Argument 1; raises where it has been closed. */
static struct virtual_time *check(lua_State *L) {
  const struct clock_object *object = class_check(L, 1, class_name);
  if (!is_in_force(L, object)) luaL_error(L, "this clock is closed");
  return object->still;
}

/* clock_begin(now): `now` in seconds since 1970, nil: the real time, in whole
 * seconds. */
static int clock_begin(lua_State *L) {
  struct host *host = host_of(L);
  lua_Number wall = floor(clock_wall(&host->clock));
  if (!lua_isnoneornil(L, 1)) wall = luaL_checknumber(L, 1);
  luaL_argcheck(L, wall >= 0 && wall <= 1e12, 1,
                "must be a time: seconds since 1970");
  const struct virtual_time *other = host->clock.still;
  if (other != NULL)
    return luaL_error(L, "there is another clock: it was started at %s:%d",
                      other->origin.source, other->origin.line);
  struct origin origin = origin_here(L);
  struct clock_object *object = lua_newuserdatauv(L, sizeof *object, 0);
  object->still = NULL;
  class_set(L, class_name);
  if (!virtual_time_begin(host, wall))
    return luaL_error(L, "not enough memory");
  object->still = host->clock.still;
  object->still->origin = origin;
  return 1;
}

/* At the very end libuv's timer may be gone; host_close sees to the rest. */
static int clock_close_object(lua_State *L) {
  struct clock_object *object = class_check(L, 1, class_name);
  struct host *host = host_of(L);
  bool ending = host->phase == HOST_STOPPING && host->current == NULL;
  if (is_in_force(L, object) && !ending) virtual_time_end(host);
  object->still = NULL;
  return 0;
}

static int clock_now(lua_State *L) {
  const struct virtual_time *still = check(L);
  lua_pushnumber(L, (lua_Number)(still->at - still->began) / 1e3);
  return 1;
}

static int clock_real(lua_State *L) {
  class_check(L, 1, class_name);
  lua_pushnumber(L, (lua_Number)uv_hrtime() / 1e9);
  return 1;
}

/* ---- clock:advance(seconds [, callback]) --------------------------------- */

static int advance_finish(lua_State *L) { /* clock, moment */
  int status = wait_status(L);
  if (status < 0) return error_result(L, status, "advance");
  return lua_settop(L, 1), clock_now(L);
}

static bool interrupt(struct task *task) {
  virtual_time_remove(task->host, (struct moment *)task->parked);
  return false;
}

static const struct wait advance_wait = {"advance", advance_finish, interrupt};

static int clock_advance_to(lua_State *L) {
  check(L);
  struct host *host = host_of(L);
  lua_Number seconds = check_seconds(L, 2);
  if (!lua_isnoneornil(L, 3)) luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  struct moment *moment = lua_newuserdatauv(L, sizeof *moment, 0);
  lua_replace(L, 2);
  struct task *task = wait_begin(L, &advance_wait, 3);
  moment->waiter = NULL;
  virtual_time_add(host, moment, clock_after(&host->clock, seconds));
  return wait_park(L, task, &moment->waiter, WAIT_FOREVER);
}

/* ---- os.time and os.date ------------------------------------------------- */

/* Calls the original with what is on the stack. It would name itself '?', and
 * no line, where it is given something wrong. */
static int call_original(lua_State *L, const char *name) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  if (lua_pcall(L, lua_gettop(L) - 1, 1, 0) == LUA_OK) return 1;
  if (lua_type(L, -1) != LUA_TSTRING) return lua_error(L);
  luaL_where(L, 1);
  luaL_gsub(L, lua_tostring(L, -2), "'?'", name);
  lua_concat(L, 2);
  return lua_error(L);
}

static lua_Integer wall_seconds(lua_State *L) {
  return (lua_Integer)floor(clock_wall(&host_of(L)->clock));
}

static int os_time(lua_State *L) {
  if (host_of(L)->clock.still == NULL || !lua_isnoneornil(L, 1))
    return call_original(L, "'time'");
  lua_pushinteger(L, wall_seconds(L));
  return 1;
}

static int os_date(lua_State *L) {
  if (host_of(L)->clock.still != NULL && lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) lua_pushliteral(L, "%c"), lua_replace(L, 1);
    lua_pushinteger(L, wall_seconds(L));
  }
  return call_original(L, "'date'");
}

static void replace(lua_State *L, const char *name, lua_CFunction fn) {
  if (lua_getfield(L, -1, name) == LUA_TFUNCTION) {
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
  } else {
    lua_pop(L, 1);
  }
}

/* clock_follow(os): once for each realm. */
static int clock_follow(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  replace(L, "time", os_time);
  replace(L, "date", os_date);
  return 0;
}

/* ---- for clock.lua ------------------------------------------------------- */

static const luaL_Reg methods[] = {
  {"advance", clock_advance_to},
  {"close", clock_close_object},
  {"now", clock_now},
  {"real", clock_real},
  {NULL, NULL},
};

static int clock_open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, clock_close_object);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, clock_close_object);
  lua_setfield(L, -2, "__gc");
  return 0;
}

const luaL_Reg test_clock[] = {
  {"clock_begin", clock_begin},
  {"clock_follow", clock_follow},
  {"clock_open_class", clock_open_class},
  {NULL, NULL},
};
