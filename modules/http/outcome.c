/* outcome.c - what becomes of a request whose handler has given no answer.
 *
 * Its task has not ended: so the answer that serve.c will give instead has not
 * been made yet. The two have to agree. */
#include "modules/http/outcome.h"

#include "host/cancel.h"
#include "modules/http/client.h"
#include "modules/http/request.h"

static int push(lua_State *L, int status, const char *reason) {
  lua_pushinteger(L, status);
  lua_pushstring(L, reason);
  return 2;
}

int request_outcome(lua_State *L) {
  const struct client *client = request_check(L)->client;
  if (client != NULL && client->sent) return 0;
  if (client == NULL || client->phase == PHASE_OVER)
    return push(L, 499, "the client has left");
  if (client->refusal != 0) return push(L, client->refusal, NULL);
  if (cancel_is(L, 2)) return push(L, 503, "cancelled");
  return push(L, 500, NULL);
}
