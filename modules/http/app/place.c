/* place.c - where the handler is that runs now, found on the stack of its task.
 *
 * At the bottom lie the frames of run.c and of serve.c, and in the latter the
 * request and the server's handler. Where that is a router the route is looked
 * up once more, from the path that the client has sent: what middleware has made
 * of it is not known here, and then there may be no place. */
#include "modules/http/app/place.h"

#include <lauxlib.h>

#include "modules/http/app/routing.h"
#include "modules/http/request.h"

enum { AT_REQUEST = 1, AT_HANDLER };

/* Each look begins at the top: one at every frame of a deep recursion would take
 * half a minute. */
static int count_frames(lua_State *L) {
  lua_Debug ar;
  int there = 0, beyond = 1;
  while (lua_getstack(L, beyond, &ar)) {
    there = beyond;
    beyond *= 2;
  }
  while (beyond - there > 1) {
    int middle = there + (beyond - there) / 2;
    if (lua_getstack(L, middle, &ar))
      there = middle;
    else
      beyond = middle;
  }
  return there + 1;
}

/* Below serve's there is one frame. */
static bool find_serve(lua_State *L, lua_Debug *ar) {
  int count = count_frames(L);
  return count > 2 && lua_getstack(L, count - 2, ar);
}

/* Its first two values, as the arguments of what runs here. */
static bool push_request(lua_State *L) {
  lua_Debug ar;
  lua_settop(L, 0);
  return find_serve(L, &ar) && lua_getlocal(L, &ar, 1) != NULL &&
         lua_getlocal(L, &ar, 2) != NULL && request_test(L, AT_REQUEST) != NULL;
}

int http_place(lua_State *L) {
  lua_Debug ar;
  lua_settop(L, 0);
  if (push_request(L)) {
    routing_push_route_handler(L, AT_HANDLER);
    if (lua_isfunction(L, -1)) {
      lua_getinfo(L, ">S", &ar);
      if (ar.linedefined > 0) {
        lua_pushfstring(L, " (in the handler %s:%d)", ar.short_src,
                        ar.linedefined);
        return 1;
      }
    }
  }
  lua_pushliteral(L, "");
  return 1;
}
