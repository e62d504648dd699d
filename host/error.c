/* error.c - makes libuv's statuses readable. */
#include "host/error.h"

#include <errno.h>
#include <uv.h>

/* What a disk may say, and libuv passes on without a name for it. */
static const struct {
  int number;
  const char *name, *text;
} unnamed[] = {
#ifdef EDQUOT
  {EDQUOT, "EDQUOT", "disk quota exceeded"},
#endif
#ifdef ESTALE
  {ESTALE, "ESTALE", "stale file handle"},
#endif
  {0, NULL, NULL}};

static int find_unnamed(int status) {
  int at = 0;
  while (unnamed[at].name != NULL &&
         uv_translate_sys_error(unnamed[at].number) != status)
    at++;
  return at;
}

/* libuv's texts for these speak of a connection, of nodes and services. */
static const char *text_of(int status, char *buffer, size_t size) {
  const char *text = unnamed[find_unnamed(status)].text;
  if (text != NULL) return text;
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
  const char *code = unnamed[find_unnamed(status)].name;
  if (code == NULL) code = uv_err_name_r(status, name, sizeof name);
  lua_pushstring(L, code);
  return 3;
}
