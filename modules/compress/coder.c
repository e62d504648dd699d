/* coder.c - the life of a coder, and why it has failed. */
#include "modules/compress/coder.h"

#include <stdlib.h>
#include <uv.h>

#include "host/error.h"

struct coder *coder_new(enum coding coding) {
  struct coder *coder = calloc(1, sizeof *coder);
  if (coder == NULL) return NULL;
  coder->coding = coding;
  coder->limit = coder->whole_limit = SIZE_MAX;
  coder->users = 1;
  return coder;
}

void coder_end(struct coder *coder) {
  if (coder->run != NULL) return;
  codec_free(coder->codec);
  coder->codec = NULL;
}

void coder_leave(struct coder *coder) {
  if (--coder->users > 0) return;
  codec_free(coder->codec);
  free(coder);
}

void coder_fail(struct coder *coder, int status, const char *why) {
  if (coder->status == 0) {
    coder->status = status;
    coder->why = why;
  }
  coder_end(coder);
}

int coder_push_failure(lua_State *L, const struct coder *coder) {
  char code[32];
  const char *what =
    lua_pushfstring(L, "%s %s", coder->encodes ? "encode" : "decode",
                    coding_names[coder->coding]);
  if (coder->status == UV_EMSGSIZE) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s: it is more than the limit of %I bytes", what,
                    (LUAI_UACINT)coder->whole_limit);
  } else if (coder->why != NULL) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", what, coder->why);
  } else {
    return error_result(L, coder->status, what);
  }
  lua_pushstring(L, uv_err_name_r(coder->status, code, sizeof code));
  return 3;
}
