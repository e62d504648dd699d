/* tables.c - tables as JSON: lists become arrays, names objects.
 *
 * A list has the keys from 1 to n, where n is the number of its elements, and no
 * others. So it is counted first: writing it and taking it back, when another key
 * shows up at its end, would double the work with each level of a value. */
#include <lauxlib.h>
#include <stdlib.h>

#include "modules/json/encoder.h"

/* Slots of the Lua stack for one level: more than any function here needs. */
enum { SLOTS = 12 };

static void put_line(struct encoder *encoder) {
  if (encoder->indent == 0) return;
  size_t spaces = (size_t)encoder->indent * (size_t)encoder->depth;
  char *to = output_room(&encoder->out, spaces + 1);
  to[0] = '\n';
  memset(to + 1, ' ', spaces);
  encoder->out.size += spaces + 1;
}

static void put_separator(struct encoder *encoder, bool first) {
  if (!first) output_add_char(&encoder->out, ',');
  put_line(encoder);
}

/* ---- keys that are wrong ------------------------------------------------- */

/* Pushes the key on top as text, by no metamethod. */
static const char *push_key_text(lua_State *L) {
  switch (lua_type(L, -1)) {
    case LUA_TSTRING: return lua_pushfstring(L, "'%s'", lua_tostring(L, -1));
    case LUA_TNUMBER: lua_pushvalue(L, -1); return lua_tostring(L, -1);
    case LUA_TBOOLEAN:
      return lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
    default: return lua_pushfstring(L, "(a %s)", luaL_typename(L, -1));
  }
}

/* Stack: table, key. */
static void refuse_key(lua_State *L, const struct step *table, bool marked) {
  const char *key = push_key_text(L);
  path_error(L, table,
             marked ? "an array cannot have the key %s"
                    : "cannot encode the key %s: those of an object are "
                      "strings, those of a list go from 1 to n",
             key);
}

/* The table is on top, and is no list: raises. */
static void refuse_list(lua_State *L, const struct step *table, bool marked) {
  lua_Integer count = 0;
  for (lua_pushnil(L); lua_next(L, -2); count++) {
    lua_pop(L, 1);
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1)
      refuse_key(L, table, marked);
  }
  struct step hole = {.up = table, .index = 1};
  while (lua_rawgeti(L, -1, hole.index) != LUA_TNIL) {
    lua_pop(L, 1);
    hole.index++;
  }
  path_error(L, &hole, "the list has a hole here (json.null fills one)");
}

/* ---- lists --------------------------------------------------------------- */

/* Stack: table, its first key, the value. Leaves the table. */
static lua_Unsigned count_elements(lua_State *L) {
  lua_Unsigned count = 0;
  do {
    count++;
    lua_pop(L, 1);
  } while (lua_next(L, -2));
  return count;
}

/* Stack: table, its first key, the value. Leaves the table. */
static void put_list(struct encoder *encoder, struct step *here, bool marked) {
  lua_State *L = encoder->out.L;
  lua_Unsigned count = count_elements(L);
  if (count != lua_rawlen(L, -1)) refuse_list(L, here->up, marked);
  output_add_char(&encoder->out, '[');
  encoder->depth++;
  for (lua_Unsigned i = 1; i <= count; i++) {
    here->index = (lua_Integer)i;
    if (lua_rawgeti(L, -1, here->index) == LUA_TNIL) {
      lua_pop(L, 1);
      refuse_list(L, here->up, marked);
    }
    put_separator(encoder, i == 1);
    encoder_put(encoder, here);
    lua_pop(L, 1);
  }
  encoder->depth--;
  put_line(encoder);
  output_add_char(&encoder->out, ']');
}

/* ---- objects ------------------------------------------------------------- */

/* The value is on top; `here` has its key. */
static void put_member(struct encoder *encoder, const struct step *here,
                       bool first) {
  put_separator(encoder, first);
  encoder_put_string(encoder, here->key, here->size, here);
  output_add_char(&encoder->out, ':');
  if (encoder->indent > 0) output_add_char(&encoder->out, ' ');
  encoder_put(encoder, here);
}

/* Stack: table, its first key, the value. Leaves the table. */
static void put_as_they_come(struct encoder *encoder, struct step *here) {
  lua_State *L = encoder->out.L;
  bool first = true;
  do {
    if (lua_type(L, -2) != LUA_TSTRING) {
      lua_pop(L, 1);
      refuse_key(L, here->up, false);
    }
    here->key = lua_tolstring(L, -2, &here->size);
    put_member(encoder, here, first);
    first = false;
    lua_pop(L, 1);
  } while (lua_next(L, -2));
}

struct name {
  const char *text;
  size_t size;
  lua_Integer index;
};

static int compare(const void *a, const void *b) {
  const struct name *one = a, *other = b;
  size_t least = one->size < other->size ? one->size : other->size;
  int order = memcmp(one->text, other->text, least);
  if (order != 0) return order;
  return (one->size > other->size) - (one->size < other->size);
}

/* Stack: table. Pushes the list of its names, which keeps them, and an array of
 * struct name. A table has fewer elements than an int can count. */
static size_t push_names(lua_State *L, const struct step *table) {
  lua_Integer count = 0;
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, -3);) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) refuse_key(L, table, false);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, ++count);
  }
  struct name *names = lua_newuserdatauv(L, (size_t)count * sizeof *names, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -2, i);
    struct name *name = &names[i - 1];
    name->text = lua_tolstring(L, -1, &name->size);
    name->index = i;
    lua_pop(L, 1);
  }
  if (count > 0) qsort(names, (size_t)count, sizeof *names, compare);
  return (size_t)count;
}

/* Stack: table, a key, the value. Leaves the table. */
static void put_sorted(struct encoder *encoder, struct step *here) {
  lua_State *L = encoder->out.L;
  lua_pop(L, 2);
  size_t count = push_names(L, here->up);
  const struct name *names = lua_touserdata(L, -1);
  for (size_t i = 0; i < count; i++) {
    here->key = names[i].text;
    here->size = names[i].size;
    lua_rawgeti(L, -2, names[i].index);
    lua_rawget(L, -4);
    put_member(encoder, here, i == 0);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

static void put_object(struct encoder *encoder, struct step *here) {
  output_add_char(&encoder->out, '{');
  encoder->depth++;
  if (encoder->sorted)
    put_sorted(encoder, here);
  else
    put_as_they_come(encoder, here);
  encoder->depth--;
  put_line(encoder);
  output_add_char(&encoder->out, '}');
}

/* ---- either -------------------------------------------------------------- */

static bool is_marked(const struct encoder *encoder) {
  lua_State *L = encoder->out.L;
  if (!lua_getmetatable(L, -1)) return false;
  bool is = lua_topointer(L, -1) == encoder->array_mark;
  lua_pop(L, 1);
  return is;
}

static void check_nesting(const struct encoder *encoder,
                          const struct step *here) {
  lua_State *L = encoder->out.L;
  for (const struct step *s = here->up; s != NULL; s = s->up) {
    if (s->table != here->table) continue;
    path_push(L, s->up);
    path_error(L, here->up, "a cycle: this is %s again", lua_tostring(L, -1));
  }
  if (encoder->depth == encoder->depth_most)
    path_error(L, here->up, "deeper than %d levels", encoder->depth_most);
}

void encoder_put_table(struct encoder *encoder, const struct step *step) {
  lua_State *L = encoder->out.L;
  luaL_checkstack(L, SLOTS, "json");
  struct step here = {.up = step, .table = lua_topointer(L, -1)};
  check_nesting(encoder, &here);
  bool marked = is_marked(encoder);
  lua_pushnil(L);
  if (!lua_next(L, -2))
    output_add(&encoder->out, marked ? "[]" : "{}", 2);
  else if (marked || lua_isinteger(L, -2))
    put_list(encoder, &here, marked);
  else
    put_object(encoder, &here);
}
