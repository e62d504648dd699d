/* query.c - as the URL Standard reads application/x-www-form-urlencoded: what is
 * no "%" with two digits stands for itself, and nothing is an error. */
#include "modules/http/query.h"

#include <lauxlib.h>
#include <string.h>

#include "modules/http/request.h"
#include "modules/http/values/percent.h"

static void push_decoded(lua_State *L, const char *text, size_t size) {
  luaL_Buffer buffer;
  if (memchr(text, '%', size) == NULL && memchr(text, '+', size) == NULL) {
    lua_pushlstring(L, text, size);
    return;
  }
  char *to = luaL_buffinitsize(L, &buffer, size);
  luaL_pushresultsize(&buffer, percent_decode(to, text, size, true));
}

/* Takes the next pair off the text, and pushes both; false: there is none. */
static bool next_pair(lua_State *L, const char **text, size_t *size) {
  while (*size > 0) {
    const char *pair = *text, *end = memchr(pair, '&', *size);
    size_t pair_size = end != NULL ? (size_t)(end - pair) : *size;
    size_t used = pair_size + (end != NULL);
    *text += used;
    *size -= used;
    if (pair_size == 0) continue;
    const char *equals = memchr(pair, '=', pair_size);
    size_t name_size = equals != NULL ? (size_t)(equals - pair) : pair_size;
    size_t begin = name_size + (equals != NULL);
    push_decoded(L, pair, name_size);
    push_decoded(L, pair + begin, pair_size - begin);
    return true;
  }
  return false;
}

void query_push(lua_State *L, const char *text, size_t size) {
  lua_newtable(L);
  while (next_pair(L, &text, &size)) {
    lua_pushvalue(L, -2);
    if (lua_rawget(L, -4) != LUA_TNIL) {
      lua_pop(L, 3);
      continue;
    }
    lua_pop(L, 1);
    lua_rawset(L, -3);
  }
}

bool query_push_pairs(lua_State *L, const char *text, size_t size,
                      lua_Integer most) {
  lua_Integer count = 0;
  lua_newtable(L);
  while (next_pair(L, &text, &size)) {
    if (count / 2 == most) {
      lua_pop(L, 3);
      return false;
    }
    lua_rawseti(L, -3, count + 2);
    lua_rawseti(L, -2, count + 1);
    count += 2;
  }
  return true;
}

int query_list(lua_State *L) {
  size_t size;
  const char *target = request_piece(request_check(L), 0, &size);
  const char *mark = memchr(target, '?', size);
  lua_Integer count = 0;
  luaL_checkstring(L, 2);
  lua_newtable(L);
  if (mark == NULL) return 1;
  size -= (size_t)(mark + 1 - target);
  mark++;
  while (next_pair(L, &mark, &size)) {
    if (lua_rawequal(L, -2, 2))
      lua_rawseti(L, -3, ++count);
    else
      lua_pop(L, 1);
    lua_pop(L, 1);
  }
  return 1;
}
