/* error.c - makes libuv's statuses readable. */
#include "host/error.h"

#include <uv.h>

/* libuv's texts for these speak of a connection, of nodes and services. */
static const char *text_of(int status, char *buffer, size_t size) {
  switch (status) {
    case UV_ETIMEDOUT: return "timed out";
    case UV_EAI_NONAME: return "no such name";
    case UV_EAI_AGAIN: return "no answer about this name, for now";
    default: return uv_strerror_r(status, buffer, size);
  }
}

int error_result(lua_State *L, int status, const char *what) {
  char name[32];
  char message[128];
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", what, text_of(status, message, sizeof message));
  lua_pushstring(L, uv_err_name_r(status, name, sizeof name));
  return 3;
}
