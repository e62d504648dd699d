/* failure.c - an error that does not end its task is told all the same.
 *
 * Whoever answers in place of the handler has caught its error. For the log, for
 * neap.on_error and for the counts nothing differs from one that nobody caught. */
#include "modules/http/failure.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "host/host.h"
#include "host/report.h"
#include "host/task.h"
#include "modules/http/client.h"
#include "modules/http/request.h"

enum { AT_ERROR = 2, AT_TRACE };

enum { ID_MOST = 128 }; /* as middleware.request_id trusts */

/* An id that it was given, or NULL: it is left on the stack. Whatever else a
 * script has put there is none. */
static const char *given_id(lua_State *L) {
  size_t size;
  if (!request_push_kept(L, "id")) return NULL;
  const char *id = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  for (size = 0; id[size] > ' ' && id[size] < 127; size++) continue;
  return id[size] == '\0' && size > 0 && size <= ID_MOST ? id : NULL;
}

/* "GET /tea (request 5f0c3a9b-17, 3e1a)": the second id is that of the answer. */
static void describe(lua_State *L, const struct request *request, char *text,
                     size_t size) {
  request_describe(request, text, size);
  const char *id = given_id(L);
  size_t length = strlen(text);
  if (id != NULL && length > 0 && length + strlen(id) + 3 < size)
    snprintf(text + length - 1, size - length + 1, ", %s)", id);
  lua_settop(L, AT_TRACE);
}

/* Its task is named after the request, as long as it is spoken of. */
static void report(lua_State *L, const struct request *request) {
  struct task *task = host_of(L)->current;
  char text[320];
  describe(L, request, text, sizeof text);
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
  bool refused = client != NULL && client->refusal != 0 && !client->sent;
  if (!refused) report(L, request);
  lua_pushboolean(L, !refused);
  return 1;
}
