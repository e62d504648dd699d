/* failure.c - an error that does not end its task is told all the same.
 *
 * Whoever answers in place of the handler has caught its error. For the log, for
 * neap.on_error and for the counts nothing differs from one that nobody caught. */
#include "modules/http/failure.h"

#include <lauxlib.h>

#include "host/host.h"
#include "host/report.h"
#include "host/task.h"
#include "modules/http/client.h"
#include "modules/http/request.h"

enum { AT_ERROR = 2, AT_TRACE };

/* Its task is named after the request, as long as it is spoken of. */
static void report(lua_State *L, const struct request *request) {
  struct task *task = host_of(L)->current;
  char text[REQUEST_DESCRIPTION];
  request_describe(request, text);
  lua_pushstring(L, task->name);
  task_rename(task, text);
  lua_pushvalue(L, AT_TRACE);
  lua_rawsetp(L, LUA_REGISTRYINDEX, task);
  lua_pushvalue(L, AT_ERROR);
  report_failure(L, task, false);
  lua_pop(L, 1);
  task_rename(task, lua_tostring(L, -1));
}

int http_failure(lua_State *L) {
  const struct request *request = request_check(L);
  const struct client *client = request->client;
  luaL_checkany(L, AT_ERROR);
  lua_settop(L, AT_TRACE);
  char id[REQUEST_ID];
  bool refused = client != NULL && client->refusal != 0 && !client->sent;
  if (refused) {
    lua_pushboolean(L, 0);
    return 1;
  }
  report(L, request);
  lua_pushstring(L, request_id(request, id)); /* req.id may be anything */
  return 1;
}
