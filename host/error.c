/* error.c - makes libuv's statuses readable. */
#include "host/error.h"

#include <uv.h>

/* libuv's text for this one speaks of a connection. */
static const char *text_of(int status, char *buffer, size_t size) {
  if (status == UV_ETIMEDOUT) return "timed out";
  return uv_strerror_r(status, buffer, size);
}

int error_result(lua_State *L, int status, const char *what) {
  char name[32];
  char message[128];
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", what, text_of(status, message, sizeof message));
  lua_pushstring(L, uv_err_name_r(status, name, sizeof name));
  return 3;
}
