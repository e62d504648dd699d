/* modules.c - one line for each module. */
#include "modules/modules.h"

#include <lauxlib.h>

#include "host/cancel.h"
#include "host/coroutine.h"
#include "host/job.h"
#include "host/require.h"
#include "modules/neap/neap.h"
#include "modules/neap/standard.h"

// clang-format off: one line for each
static const luaL_Reg modules[] = {
  {"neap", open_neap},
  {"neap.crypto", open_crypto},
  {"neap.fs", open_fs},
  {"neap.hot", open_hot},
  {"neap.http", open_http},
  {"neap.http.middleware", open_http_middleware},
  {"neap.json", open_json},
  {"neap.net", open_net},
  {"neap.process", open_process},
  {"neap.signal", open_signal},
  {"neap.test", open_test},
  {"neap.timer", open_timer},
  {NULL, NULL},
};
// clang-format on

int modules_open(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, modules, 0);
  lua_pop(L, 1);
  cancel_open(L);
  job_open(L);
  coroutine_open(L);
  require_open(L);
  lua_getglobal(L, "os");
  lua_pushcfunction(L, neap_exit);
  lua_setfield(L, -2, "exit");
  lua_pop(L, 1);
  standard_open_children(L);
  return 0;
}
