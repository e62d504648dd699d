/* http.c - module `neap.http`: an HTTP/1.1 server, and what applications are made
 * of: a router, answers, files, forms. Those are Lua, loaded when a script first
 * asks for them; what they need of the machine are the functions of `core`. */
#include <lauxlib.h>

#include "host/embedded.h"
#include "modules/http/app/mounting.h"
#include "modules/http/app/pair.h"
#include "modules/http/app/place.h"
#include "modules/http/app/routing.h"
#include "modules/http/body.h"
#include "modules/http/failure.h"
#include "modules/http/forms/forms.h"
#include "modules/http/files/content.h"
#include "modules/http/files/files.h"
#include "modules/http/headers.h"
#include "modules/http/middleware/loaded.h"
#include "modules/http/outcome.h"
#include "modules/http/request.h"
#include "modules/http/response_table.h"
#include "modules/http/send.h"
#include "modules/http/server.h"
#include "modules/modules.h"

static const luaL_Reg functions[] = {
  {"serve", http_serve},
  {NULL, NULL},
};

// clang-format off: one line for each
static const struct embedded_part parts[] = {
  {"cookie", "modules/http/app/cookies.lua"},
  {"escape", "modules/http/app/answers.lua"},
  {"escape_url", "modules/http/app/answers.lua"},
  {"file", "modules/http/files/files.lua"},
  {"html", "modules/http/app/answers.lua"},
  {"json", "modules/http/app/answers.lua"},
  {"redirect", "modules/http/app/answers.lua"},
  {"response", "modules/http/app/answers.lua"},
  {"router", "modules/http/app/router.lua"},
  {"static", "modules/http/files/files.lua"},
  {"text", "modules/http/app/answers.lua"},
  {NULL, NULL},
};

static const struct embedded_part middleware[] = {
  {"access_log", "modules/http/middleware/access_log.lua"},
  {"basic_auth", "modules/http/middleware/basic_auth.lua"},
  {"body_limit", "modules/http/middleware/body_limit.lua"},
  {"client_address", "modules/http/middleware/client_address.lua"},
  {"compress", "modules/http/middleware/compress.lua"},
  {"cors", "modules/http/middleware/cors.lua"},
  {"decompress", "modules/http/middleware/decompress.lua"},
  {"development", "modules/http/middleware/development.lua"},
  {"errors", "modules/http/middleware/errors.lua"},
  {"rate_limit", "modules/http/middleware/rate_limit.lua"},
  {"request_id", "modules/http/middleware/request_id.lua"},
  {"security_headers", "modules/http/middleware/security_headers.lua"},
  {"sessions", "modules/http/middleware/sessions.lua"},
  {"timeout", "modules/http/middleware/timeout.lua"},
  {NULL, NULL},
};
// clang-format on

static const luaL_Reg core[] = {
  {"body_is_as_sent", body_is_as_sent},
  {"body_unpack", body_unpack},
  {"failure", http_failure},
  {"is_as_loaded", http_is_as_loaded},
  {"outcome", request_outcome},
  {"pair", http_pair},
  {"place", http_place},
  {"files_date", files_date},
  {"files_encode", files_encode},
  {"files_judge", files_judge},
  {"files_list", files_list},
  {"files_open", files_open},
  {"files_path", files_path},
  {"files_random", files_random},
  {"response", response_table},
  {"response_of", response_table_of},
  {"response_typed", response_typed},
  {"routing_add", routing_add},
  {"routing_call", routing_call},
  {"routing_methods", routing_methods},
  {"routing_serve", routing_serve},
  {"routing_tree", routing_tree},
  {NULL, NULL},
};

static void open_classes(lua_State *L) {
  http_server_open_class(L);
  request_open_class(L);
  headers_open_class(L);
  forms_open_classes(L);
  response_table_open_class(L);
  send_open_class(L);
  routing_open_class(L);
  mounting_open_class(L);
  http_pair_open_class(L);
  content_open_class(L);
}

int open_http(lua_State *L) {
  open_classes(L);
  luaL_newlib(L, functions);
  luaL_newlib(L, core);
  embedded_add_parts(L, parts);
  return 1;
}

/* neap.http.middleware */
int open_http_middleware(lua_State *L) {
  open_classes(L);
  lua_newtable(L);
  luaL_newlib(L, core);
  embedded_add_parts(L, middleware);
  return 1;
}
