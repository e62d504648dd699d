/* news.c - hot.wait: what becomes of a version, for who goes on in it.
 *
 * It waits at the generation (see host/generation.h: listeners), which is told
 * when it is replaced, when the program is to end, and, by reload.lua, when a
 * reload has failed or its fault has been mended. */
#include <lauxlib.h>

#include "host/error.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/option.h"
#include "host/wait.h"
#include "modules/hot/hot.h"

/* What is final; NULL: it goes on. */
static const char *fate(lua_State *L) {
  if (generation_here(L)->state == GENERATION_RETIRED) return "replaced";
  return host_of(L)->phase != HOST_RUNNING ? "ending" : NULL;
}

/* Whether the last reload has failed. */
static bool has_failed(lua_State *L) {
  hot_push_shared(L);
  lua_getfield(L, -1, "status");
  bool failed = lua_getfield(L, -1, "error") != LUA_TNIL;
  lua_pop(L, 3);
  return failed;
}

static int finish(lua_State *L) {
  int status = wait_status(L);
  const char *news = fate(L);
  if (news == NULL && status < 0) return error_result(L, status, "hot.wait");
  if (news == NULL) news = has_failed(L) ? "failed" : "mended";
  lua_pushstring(L, news);
  return 1;
}

static const struct wait news_wait = {"news", finish, NULL};

int hot_wait(lua_State *L) { /* [options] [callback] */
  static const char *const names[] = {"timeout", NULL};
  option_arguments(L, 0, names);
  int64_t limit = option_ms(L, 1, "timeout");
  struct generation *generation = generation_here(L);
  if (generation->state == GENERATION_PREPARING)
    return luaL_error(L, "cannot wait for news: this version is still being "
                         "loaded");
  const char *known = fate(L);
  struct task *task = wait_begin(L, &news_wait, 2);
  if (known != NULL) return wait_pass(L, task, &generation->listeners);
  return wait_park(L, task, &generation->listeners, limit);
}

/* Something is to be known to the version that serves. */
int hot_tell_live(lua_State *L) {
  struct host *host = host_of(L);
  if (host->live != NULL) generation_tell(host->live);
  return 0;
}
