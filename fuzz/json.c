/* json.c - whatever text comes to json.decode: it is refused with a place, or is
 * a value whose text is read back as the same value, however it is written.
 *
 * All of it is done again with memory that runs out: then there may be an error,
 * but no other one, and nothing is left behind. */
#include <assert.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/modules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- memory that runs out ------------------------------------------------- */

static long allocations, most; /* 0: as many as are asked for */

static void *allocate(void *ud, void *block, size_t old, size_t size) {
  (void)ud;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if (block != NULL && size <= old) return realloc(block, size);
  if (++allocations > most && most > 0) return NULL;
  return realloc(block, size);
}

/* ---- what must hold -------------------------------------------------------- */

/* Lua's arguments: the text, json.decode, json.encode. */
enum { TEXT = 1, DECODE, ENCODE, OPTIONS, VALUE, FIRST };

static void set_flag(lua_State *L, const char *name) {
  lua_pushboolean(L, 1);
  lua_setfield(L, OPTIONS, name);
}

static void push_depth(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushinteger(L, 2048);
  lua_setfield(L, -2, "depth");
}

/* Replaces what is on top. */
static void call(lua_State *L, int function, int results) {
  lua_pushvalue(L, function);
  lua_insert(L, -2);
  lua_pushvalue(L, OPTIONS);
  lua_call(L, 2, results);
}

/* The text on top is read, and written as the first one was: they are the same. */
static void check_same(lua_State *L) {
  call(L, DECODE, 1);
  lua_settop(L, FIRST + 1);
  push_depth(L);
  lua_replace(L, OPTIONS);
  set_flag(L, "sorted");
  call(L, ENCODE, 1);
  assert(lua_rawequal(L, FIRST, FIRST + 1));
  lua_settop(L, FIRST);
}

/* `flag` is of json.encode alone; without options they are not asked for. */
static void check_layout(lua_State *L, const char *flag) {
  push_depth(L);
  lua_replace(L, OPTIONS);
  set_flag(L, flag);
  lua_pushvalue(L, VALUE);
  call(L, ENCODE, 1);
  push_depth(L);
  lua_replace(L, OPTIONS);
  check_same(L);
}

/* May a text be refused with this that was read when it stood alone? */
static bool is_limit(const char *message) {
  return strstr(message, "depth") != NULL || strstr(message, "levels") != NULL;
}

/* Beside what jansson does not take, so that all of it is rewritten: the value
 * is the same. */
static void check_mended(lua_State *L) {
  static const char key[] = "{\"\\u0000\":";
  static const char big[] = ",\"\":123456789012345678901}";
  lua_pushlstring(L, key, sizeof key - 1);
  lua_pushvalue(L, TEXT);
  lua_pushlstring(L, big, sizeof big - 1);
  lua_concat(L, 3);
  call(L, DECODE, 2);
  if (lua_isnil(L, -2)) {
    assert(is_limit(lua_tostring(L, -1)));
  } else {
    lua_pushlstring(L, "", 1);
    lua_gettable(L, -3);
    push_depth(L);
    lua_replace(L, OPTIONS);
    set_flag(L, "sorted");
    call(L, ENCODE, 1);
    assert(lua_rawequal(L, FIRST, -1));
  }
  lua_settop(L, FIRST);
}

static void check_refusal(lua_State *L) { /* nil, message, code */
  long line, column;
  assert(lua_type(L, -2) == LUA_TSTRING);
  assert(
    sscanf(lua_tostring(L, -2), "line %ld, column %ld: ", &line, &column) == 2);
  assert(line > 0 && column > 0);
  assert(strcmp(lua_tostring(L, -1), "EINVAL") == 0);
}

static int check(lua_State *L) {
  push_depth(L);
  lua_pushvalue(L, TEXT);
  call(L, DECODE, 3);
  if (lua_isnil(L, VALUE)) {
    check_refusal(L);
    return 0;
  }
  lua_settop(L, VALUE);
  set_flag(L, "sorted");
  lua_pushvalue(L, VALUE);
  call(L, ENCODE, 1);
  lua_pushvalue(L, FIRST);
  push_depth(L);
  lua_replace(L, OPTIONS);
  check_same(L);
  push_depth(L);
  lua_replace(L, OPTIONS);
  check_mended(L);
  check_layout(L, "pretty");
  check_layout(L, "ascii");
  return 0;
}

/* Few levels, and keys that come once: it may be refused, and nothing else. */
static int check_narrow(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, 2);
  lua_setfield(L, OPTIONS, "depth");
  set_flag(L, "unique");
  lua_pushvalue(L, TEXT);
  call(L, DECODE, 3);
  if (lua_isnil(L, VALUE)) check_refusal(L);
  return 0;
}

/* ---- a state for each ------------------------------------------------------ */

struct input {
  const char *bytes;
  size_t size;
  lua_CFunction check;
};

static int in_state(lua_State *L) {
  const struct input *input = lua_touserdata(L, 1);
  lua_settop(L, 0);
  lua_pushcfunction(L, input->check);
  lua_pushlstring(L, input->bytes, input->size);
  open_json(L);
  lua_getfield(L, -1, "decode");
  lua_getfield(L, -2, "encode");
  lua_remove(L, 3);
  lua_call(L, 3, 0);
  return 0;
}

static void run(struct input *input, long allocations_most) {
  allocations = 0;
  most = 0;
  lua_State *L = lua_newstate(allocate, NULL);
  assert(L != NULL);
  lua_pushcfunction(L, in_state);
  lua_pushlightuserdata(L, input);
  allocations = 0;
  most = allocations_most;
  int status = lua_pcall(L, 1, 0, 0);
  most = 0;
  if (status != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    bool is_memory = strstr(message, "not enough memory") != NULL;
    if (allocations_most == 0 || !is_memory) fprintf(stderr, "%s\n", message);
    assert(allocations_most > 0 && is_memory);
  }
  lua_close(L);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = {.bytes = (const char *)data, .size = size};
  input.check = check_narrow;
  run(&input, 0);
  input.check = check;
  run(&input, 0);
  long all = allocations;
  unsigned place = 0; /* where it runs out: another place for another text */
  for (size_t i = 0; i < size; i++) place = place * 31 + data[i];
  run(&input, 1 + place % (all > 0 ? all : 1));
  return 0;
}
