/* shuffle.c - test.shuffle(): an object that keeps the order of tasks random
 * (host/shuffle.h), and says with which seed when its block has failed. There
 * is at most one, and it is over when it is closed or collected. */
#include "host/shuffle.h"

#include <inttypes.h>
#include <stdio.h>

#include "host/cancel.h"
#include "host/class.h"
#include "host/host.h"
#include "modules/test/test.h"

static const char class_name[] = "neap.test.shuffle";

struct shuffle_object {
  struct shuffle *shuffle; /* that it has begun, NULL: it is over */
  lua_Integer seed;
};

/* Short, as somebody will have to type it. */
static lua_Integer some_seed(void) {
  uint32_t seed = 0;
  uv_random(NULL, NULL, &seed, sizeof seed, 0, NULL);
  return seed % 1000000 + 1;
}

/* shuffle_begin([seed]) */
static int shuffle_start(lua_State *L) {
  struct host *host = host_of(L);
  lua_Integer seed =
    lua_isnoneornil(L, 1) ? some_seed() : luaL_checkinteger(L, 1);
  const struct shuffle *other = host->shuffle;
  if (other != NULL)
    return luaL_error(L, "there is another shuffle: it was started at %s:%d",
                      other->origin.source, other->origin.line);
  struct origin origin = origin_here(L);
  struct shuffle_object *object = lua_newuserdatauv(L, sizeof *object, 0);
  *object = (struct shuffle_object){NULL, seed};
  class_set(L, class_name);
  if (!shuffle_begin(host, (uint64_t)seed))
    return luaL_error(L, "not enough memory");
  object->shuffle = host->shuffle;
  object->shuffle->origin = origin;
  return 1;
}

static bool is_in_force(lua_State *L, const struct shuffle_object *object) {
  return object->shuffle != NULL && host_of(L)->shuffle == object->shuffle;
}

static int shuffle_close(lua_State *L) {
  struct shuffle_object *object = class_check(L, 1, class_name);
  if (is_in_force(L, object)) shuffle_end(host_of(L));
  object->shuffle = NULL;
  return 0;
}

/* With the error that ends its block, or nil. */
static int shuffle_close_block(lua_State *L) {
  const struct shuffle_object *object = class_check(L, 1, class_name);
  bool failed = !lua_isnoneornil(L, 2) && !cancel_is(L, 2);
  if (failed && is_in_force(L, object))
    fprintf(stderr,
            "neap: this failed with the seed %" PRId64 ": test.shuffle(%" PRId64
            ") at %s:%d runs in the same order\n",
            (int64_t)object->seed, (int64_t)object->seed,
            object->shuffle->origin.source, object->shuffle->origin.line);
  return shuffle_close(L);
}

static int shuffle_seed(lua_State *L) {
  const struct shuffle_object *object = class_check(L, 1, class_name);
  lua_pushinteger(L, object->seed);
  return 1;
}

static const luaL_Reg methods[] = {
  {"close", shuffle_close},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"seed", shuffle_seed, NULL},
  {NULL, NULL, NULL},
};

static int shuffle_open_class(lua_State *L) {
  class_open(L, class_name, methods, fields);
  lua_pushcfunction(L, shuffle_close_block);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, shuffle_close);
  lua_setfield(L, -2, "__gc");
  return 0;
}

const luaL_Reg test_shuffle[] = {
  {"shuffle_begin", shuffle_start},
  {"shuffle_open_class", shuffle_open_class},
  {NULL, NULL},
};
