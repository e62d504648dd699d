/* path.c - the place in a value as text: "$" is the whole, then a name or an
 * index for each step. Of a long path the middle is left out. */
#include "modules/json/path.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

enum { SHOWN_FIRST = 8, SHOWN_LAST = 8, KEY_MOST = 60 };

static bool is_name(const char *key, size_t size) {
  static const char letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  if (size == 0 || size > KEY_MOST || strchr("0123456789", key[0]) != NULL)
    return false;
  for (size_t i = 0; i < size; i++)
    if (key[i] == '\0' || strchr(letters, key[i]) == NULL) return false;
  return true;
}

/* As in JSON; what is no printable ASCII is a "?": messages go to terminals. */
static void add_quoted(luaL_Buffer *text, const char *key, size_t size) {
  luaL_addstring(text, "[\"");
  for (size_t i = 0; i < size && i < KEY_MOST; i++) {
    if (key[i] == '"' || key[i] == '\\') luaL_addchar(text, '\\');
    luaL_addchar(text, key[i] >= ' ' && key[i] <= '~' ? key[i] : '?');
  }
  luaL_addstring(text, size > KEY_MOST ? "...\"]" : "\"]");
}

static void add_step(lua_State *L, luaL_Buffer *text, const struct step *step) {
  if (step->key == NULL) {
    lua_pushfstring(L, "[%I]", (LUAI_UACINT)step->index);
    luaL_addvalue(text);
  } else if (is_name(step->key, step->size)) {
    luaL_addchar(text, '.');
    luaL_addlstring(text, step->key, step->size);
  } else {
    add_quoted(text, step->key, step->size);
  }
}

static const struct step *nth(const struct step *step, int n) {
  while (n-- > 0) step = step->up;
  return step;
}

void path_push(lua_State *L, const struct step *step) {
  int steps = 0;
  for (const struct step *s = step; s != NULL; s = s->up) steps++;
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  luaL_addchar(&text, '$');
  for (int i = 1; i <= steps; i++) {
    bool shown = i <= SHOWN_FIRST || i > steps - SHOWN_LAST;
    if (shown) add_step(L, &text, nth(step, steps - i));
    if (!shown && i == SHOWN_FIRST + 1) luaL_addstring(&text, " ... ");
  }
  luaL_pushresult(&text);
}

int path_error(lua_State *L, const struct step *step, const char *format, ...) {
  luaL_checkstack(L, 20, NULL);
  path_push(L, step);
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  return luaL_error(L, "%s: %s", lua_tostring(L, -2), lua_tostring(L, -1));
}
