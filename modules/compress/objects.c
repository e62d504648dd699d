/* objects.c - what a script holds of a coder, and feeds piece by piece.
 *
 * One call at a time: a second one, while a thread is at the first, is a
 * mistake of the script, for nobody could say which comes first. */
#include "modules/compress/objects.h"

#include <lauxlib.h>

#include "host/class.h"
#include "host/option.h"

static const char encoder_class[] = "neap.compress.encoder";
static const char decoder_class[] = "neap.compress.decoder";
static const char family[] = "neap.compress.coder";

struct coder_box {
  struct coder *coder; /* NULL: it is closed */
};

struct coder *objects_push(lua_State *L, enum coding coding, bool encodes) {
  struct coder_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->coder = NULL; /* for collect, should the next lines raise */
  class_set(L, encodes ? encoder_class : decoder_class);
  box->coder = coder_new(coding);
  if (box->coder == NULL) luaL_error(L, "not enough memory to compress");
  box->coder->encodes = encodes;
  return box->coder;
}

static struct coder *check(lua_State *L) {
  const struct coder_box *box = class_check_family(L, 1, family);
  struct coder *coder = box->coder;
  if (coder == NULL) luaL_argerror(L, 1, "it is closed");
  if (coder_is_busy(coder))
    luaL_argerror(L, 1, "another call of it has not ended");
  if (coder->codec == NULL && coder->status == 0)
    luaL_argerror(L, 1, "it is finished");
  return coder;
}

/* ---- methods ------------------------------------------------------------- */

static void check_callback(lua_State *L) { /* self, data, callback */
  if (!lua_isnil(L, 3)) luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_pushnil(L);
  lua_insert(L, 3); /* self, data, nil, callback */
}

static int coder_write(lua_State *L) { /* self, data, callback */
  struct coder *coder = check(L);
  lua_settop(L, 3);
  check_strings(L, 2);
  check_callback(L);
  return coder_start(L, coder, CODEC_WRITE, 2);
}

/* [data] [, callback] */
static int go_on(lua_State *L, enum codec_step step) {
  struct coder *coder = check(L);
  if (lua_isfunction(L, 2)) {
    lua_pushnil(L);
    lua_insert(L, 2);
  }
  lua_settop(L, 3);
  if (lua_isnil(L, 2)) {
    lua_pushliteral(L, "");
    lua_replace(L, 2);
  }
  check_strings(L, 2);
  check_callback(L);
  return coder_start(L, coder, step, 2);
}

static int coder_flush(lua_State *L) {
  return go_on(L, CODEC_FLUSH);
}

static int coder_finish(lua_State *L) {
  return go_on(L, CODEC_FINISH);
}

static int collect(lua_State *L) {
  struct coder_box *box = lua_touserdata(L, 1);
  struct coder *coder = box->coder;
  if (coder == NULL) return 0;
  box->coder = NULL;
  coder_cancel(coder);
  coder_end(coder);
  coder_leave(coder);
  return 0;
}

static int coder_close(lua_State *L) {
  class_check_family(L, 1, family);
  collect(L);
  return 0;
}

/* ---- the classes --------------------------------------------------------- */

static const luaL_Reg methods[] = {
  {"close", coder_close}, {"finish", coder_finish},
  {"flush", coder_flush}, {"write", coder_write},
  {NULL, NULL},
};

static void open_class(lua_State *L, const char *name) {
  class_open(L, name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, coder_close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
  class_join(L, name, family);
}

void objects_open_classes(lua_State *L) {
  open_class(L, encoder_class);
  open_class(L, decoder_class);
}
