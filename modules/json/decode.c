/* decode.c - json.decode(text [, options]): jansson reads the text, then its
 * tree is made into Lua values.
 *
 * The tree is C memory, and to make values may raise (there may be no memory): it
 * is done in a protected call, after which the tree is freed either way. What
 * jansson does otherwise than RFC 8259 and Lua would have it is seen to here and
 * in mend.c: zero bytes, which it overlooks behind a number; "\u0000" in keys and
 * integers beyond 64 bits, which it refuses. */
#include <jansson.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/option.h"
#include "modules/json/json.h"
#include "modules/json/mend.h"
#include "modules/json/tree.h"

enum { SLOTS = 8 };
enum { DECODER = 1, NULL_MARK, ARRAY_MARK }; /* arguments of build */

struct decoder {
  const char *text;
  size_t size;
  struct mended mended; /* what jansson reads instead, or nothing */
  int depth_most;
  bool unique, too_deep;
  json_t *root;
};

/* ---- the tree as Lua values ---------------------------------------------- */

static void push(lua_State *L, struct decoder *decoder, json_t *value,
                 int depth);

static void push_string(lua_State *L, const struct decoder *decoder,
                        const char *text, size_t size) {
  if (decoder->mended.zero[0] == '\0')
    lua_pushlstring(L, text, size);
  else
    mend_push(L, &decoder->mended, text, size);
}

static void push_array(lua_State *L, struct decoder *decoder, json_t *array,
                       int depth) {
  size_t size = json_array_size(array);
  lua_createtable(L, size < INT32_MAX ? (int)size : 0, 0);
  lua_pushvalue(L, ARRAY_MARK);
  lua_setmetatable(L, -2);
  for (size_t i = 0; i < size && !decoder->too_deep; i++) {
    push(L, decoder, json_array_get(array, i), depth);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_object(lua_State *L, struct decoder *decoder, json_t *object,
                        int depth) {
  size_t size = json_object_size(object);
  lua_createtable(L, 0, size < INT32_MAX ? (int)size : 0);
  for (void *at = json_object_iter(object); at != NULL && !decoder->too_deep;
       at = json_object_iter_next(object, at)) {
    push_string(L, decoder, json_object_iter_key(at),
                json_object_iter_key_len(at));
    push(L, decoder, json_object_iter_value(at), depth);
    lua_rawset(L, -3);
  }
}

static void push_container(lua_State *L, struct decoder *decoder, json_t *value,
                           int depth) {
  if (depth > decoder->depth_most) {
    decoder->too_deep = true;
    lua_pushnil(L);
    return;
  }
  luaL_checkstack(L, SLOTS, "json");
  if (json_is_array(value))
    push_array(L, decoder, value, depth);
  else
    push_object(L, decoder, value, depth);
}

static void push(lua_State *L, struct decoder *decoder, json_t *value,
                 int depth) {
  switch (json_typeof(value)) {
    case JSON_STRING:
      push_string(L, decoder, json_string_value(value),
                  json_string_length(value));
      break;
    case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); break;
    case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
    case JSON_TRUE: lua_pushboolean(L, 1); break;
    case JSON_FALSE: lua_pushboolean(L, 0); break;
    case JSON_NULL: lua_pushvalue(L, NULL_MARK); break;
    default: push_container(L, decoder, value, depth + 1);
  }
}

static int build(lua_State *L) { /* decoder, null, mark of arrays */
  struct decoder *decoder = lua_touserdata(L, DECODER);
  push(L, decoder, decoder->root, 0);
  return 1;
}

/* Pushes the value, or raises. Nothing is left either way. */
static void build_and_free(lua_State *L, struct decoder *decoder) {
  luaL_checkstack(L, SLOTS, "json");
  lua_pushcfunction(L, build);
  lua_pushlightuserdata(L, decoder);
  lua_pushvalue(L, lua_upvalueindex(JSON_NULL_UPVALUE));
  lua_pushvalue(L, lua_upvalueindex(JSON_ARRAY_UPVALUE));
  int status = lua_pcall(L, 3, 1, 0);
  json_decref(decoder->root);
  free(decoder->mended.text);
  if (status != LUA_OK) lua_error(L);
}

/* ---- what is wrong with a text ------------------------------------------- */

static bool is_of_word(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || byte == '+' || byte == '-' ||
         byte == '.';
}

/* Of these it tells before it has taken them. */
static bool stands_before(const json_error_t *error) {
  static const char newline[] = "unexpected newline";
  static const char control[] = "control character";
  return json_error_code(error) == json_error_invalid_utf8 ||
         strncmp(error->text, newline, sizeof newline - 1) == 0 ||
         strncmp(error->text, control, sizeof control - 1) == 0;
}

/* Otherwise it stands behind the word that it does not like: back to its start. */
static size_t place_of(const struct decoder *decoder,
                       const json_error_t *error) {
  size_t at = error->position > 0 ? (size_t)error->position : 0;
  if (decoder->mended.text != NULL)
    at = mend_origin(decoder->text, decoder->size, at);
  if (at > decoder->size) at = decoder->size;
  enum json_error_code code = json_error_code(error);
  if (code == json_error_premature_end_of_input) return decoder->size;
  if (stands_before(error)) return at;
  if (at > 0) at--;
  while (at > 0 && (decoder->text[at] & 0xc0) == 0x80) at--;
  if (code == json_error_invalid_syntax || code == json_error_numeric_overflow)
    while (at > 0 && is_of_word(decoder->text[at]) &&
           is_of_word(decoder->text[at - 1]))
      at--;
  return at;
}

/* nil, "line 3, column 7: ...", "EINVAL". Columns are characters. */
static int fail(lua_State *L, const char *text, size_t at, const char *why) {
  lua_Integer line = 1, column = 1;
  for (size_t i = 0; i < at; i++) {
    if (text[i] == '\n') {
      line++;
      column = 1;
    } else if ((text[i] & 0xc0) != 0x80) {
      column++;
    }
  }
  lua_pushnil(L);
  lua_pushfstring(L, "line %I, column %I: %s", (LUAI_UACINT)line,
                  (LUAI_UACINT)column, why);
  lua_pushliteral(L, "EINVAL");
  return 3;
}

static int fail_load(lua_State *L, struct decoder *decoder,
                     const json_error_t *error) {
  size_t at = place_of(decoder, error);
  free(decoder->mended.text);
  if (error->text[0] == '\0')
    return luaL_error(L, "not enough memory for the document");
  return fail(L, decoder->text, at, error->text);
}

/* ---- json.decode(text [, options]) --------------------------------------- */

static json_t *load(const struct decoder *decoder, json_error_t *error) {
  const struct mended *mended = &decoder->mended;
  size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
  if (decoder->unique) flags |= JSON_REJECT_DUPLICATES;
  return mended->text != NULL
           ? tree_load(mended->text, mended->size, flags, error)
           : tree_load(decoder->text, decoder->size, flags, error);
}

static bool can_be_mended(const json_error_t *error) {
  enum json_error_code code = json_error_code(error);
  return code == json_error_numeric_overflow ||
         code == json_error_null_byte_in_key;
}

static void check_options(lua_State *L, struct decoder *decoder) {
  static const char *const names[] = {"depth", "unique", NULL};
  json_check_options(L, names);
  decoder->depth_most =
    (int)option_integer(L, 2, "depth", 1, JSON_DEPTH_MOST, JSON_DEPTH);
  decoder->unique = option_flag(L, 2, "unique");
}

int json_decode(lua_State *L) {
  struct decoder decoder = {.depth_most = JSON_DEPTH};
  luaL_checktype(L, 1, LUA_TSTRING);
  decoder.text = lua_tolstring(L, 1, &decoder.size);
  check_options(L, &decoder);
  const char *zero = memchr(decoder.text, '\0', decoder.size);
  if (zero != NULL)
    return fail(L, decoder.text, (size_t)(zero - decoder.text), "a zero byte");
  json_error_t error;
  decoder.root = load(&decoder, &error);
  if (decoder.root == NULL && can_be_mended(&error)) {
    if (!mend(&decoder.mended, decoder.text, decoder.size))
      return luaL_error(L, "not enough memory for the document");
    decoder.root = load(&decoder, &error);
  }
  if (decoder.root == NULL) return fail_load(L, &decoder, &error);
  build_and_free(L, &decoder);
  if (!decoder.too_deep) return 1;
  size_t at = mend_depth(decoder.text, decoder.size, decoder.depth_most);
  return fail(L, decoder.text, at, "too many levels");
}
