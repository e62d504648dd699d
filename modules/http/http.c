/* http.c - module `neap.http`: an HTTP/1.1 server. */
#include <lauxlib.h>

#include "modules/http/headers.h"
#include "modules/http/request.h"
#include "modules/http/server.h"
#include "modules/modules.h"

static const luaL_Reg functions[] = {
  {"serve", http_serve},
  {NULL, NULL},
};

int open_http(lua_State *L) {
  http_server_open_class(L);
  request_open_class(L);
  headers_open_class(L);
  luaL_newlib(L, functions);
  return 1;
}
