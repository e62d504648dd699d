/* compress.c - module `neap.compress`: gzip, deflate and br, whole or piece by
 * piece. The arguments are checked here; codec.h says what does the work, run.c
 * where. */
#include <lauxlib.h>

#include "host/option.h"
#include "modules/compress/coder.h"
#include "modules/compress/objects.h"
#include "modules/modules.h"

/* Of what is unpacked, where nothing is said: a few bytes may become many. */
enum { LIMIT = 128 << 20 };

static const char *const encode_options[] = {"level", NULL};
static const char *const decode_options[] = {"limit", NULL};

static enum coding check_coding(lua_State *L, int index) {
  return (enum coding)luaL_checkoption(L, index, NULL, coding_names);
}

static int check_level(lua_State *L, int options, enum coding coding) {
  int most = coding == CODING_BR ? LEVEL_MOST_BR : LEVEL_MOST;
  int least = coding == CODING_BR ? 0 : 1;
  return (int)option_integer(L, options, "level", least, most, LEVEL_DEFAULT);
}

static lua_Integer check_limit(lua_State *L, int options) {
  return option_integer(L, options, "limit", 0, LUA_MAXINTEGER / 2, -1);
}

static void need(lua_State *L, const struct coder *coder) {
  if (coder->codec == NULL) luaL_error(L, "not enough memory to compress");
}

/* `size`: of all that will come, or 0. */
static struct coder *push_encoder(lua_State *L, enum coding coding, int level,
                                  size_t size) {
  struct coder *coder = objects_push(L, coding, true);
  coder->codec = codec_new_encoder(coding, level, size);
  need(L, coder);
  return coder;
}

static struct coder *push_decoder(lua_State *L, enum coding coding,
                                  lua_Integer limit) {
  struct coder *coder = objects_push(L, coding, false);
  coder->limit = coder->whole_limit = limit < 0 ? LIMIT : (size_t)limit;
  coder->codec = codec_new_decoder(coding);
  need(L, coder);
  return coder;
}

/* ---- all at once --------------------------------------------------------- */

/* data, encoding, options, callback, box */
static int start(lua_State *L, struct coder *coder) {
  lua_copy(L, 1, 2);
  lua_replace(L, 1); /* box, data, options, callback */
  return coder_start(L, coder, CODEC_FINISH, 2);
}

static int encode(lua_State *L) { /* data, encoding, options, callback */
  option_arguments(L, 2, encode_options);
  check_strings(L, 1);
  enum coding coding = check_coding(L, 2);
  int level = check_level(L, 3, coding);
  return start(L, push_encoder(L, coding, level, lua_rawlen(L, 1)));
}

static int decode(lua_State *L) { /* data, encoding, options, callback */
  option_arguments(L, 2, decode_options);
  check_strings(L, 1);
  enum coding coding = check_coding(L, 2);
  return start(L, push_decoder(L, coding, check_limit(L, 3)));
}

/* ---- piece by piece ------------------------------------------------------ */

static int encoder(lua_State *L) { /* encoding, options */
  enum coding coding = check_coding(L, 1);
  lua_settop(L, 2);
  option_check(L, 2, encode_options);
  push_encoder(L, coding, check_level(L, 2, coding), 0);
  return 1;
}

static int decoder(lua_State *L) { /* encoding, options */
  enum coding coding = check_coding(L, 1);
  lua_settop(L, 2);
  option_check(L, 2, decode_options);
  lua_Integer limit = check_limit(L, 2);
  push_decoder(L, coding, limit)->per_call = limit < 0;
  return 1;
}

static const luaL_Reg functions[] = {
  {"decode", decode},   {"decoder", decoder}, {"encode", encode},
  {"encoder", encoder}, {NULL, NULL},
};

int open_compress(lua_State *L) {
  objects_open_classes(L);
  luaL_newlib(L, functions);
  return 1;
}
