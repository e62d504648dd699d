/* hasher.c - crypto.hasher: a hash or HMAC of what comes in pieces.
 *
 * A big piece is added in the thread pool. Until that has ended nobody else may
 * use the hasher, and if it is given up (its task was cancelled) nobody knows how
 * much was added: then the hasher is of no use any more. */
#include <lauxlib.h>

#include "host/class.h"
#include "host/error.h"
#include "host/job.h"
#include "host/option.h"
#include "modules/crypto/crypto.h"
#include "modules/crypto/sum.h"

static const char class_name[] = "neap.crypto.hasher";

struct hasher {
  struct sum sum;
  bool busy;   /* a thread is at it */
  bool broken; /* and was not allowed to end */
};

static struct hasher *check(lua_State *L) {
  struct hasher *hasher = class_check(L, 1, class_name);
  if (hasher->busy) luaL_error(L, "another task is adding to this hasher");
  if (hasher->broken)
    luaL_error(L, "this hasher is of no use: adding to it was given up");
  return hasher;
}

/* ---- hasher:update(data [, callback]), in a thread ----------------------- */

struct piece {
  struct job job; /* first member */
  struct hasher *hasher;
  const char *data;
  size_t size;
  bool added;
};

static void work(struct job *job) { /* no Lua, no host */
  struct piece *piece = (struct piece *)job;
  const char *data = piece->data;
  size_t left = piece->size;
  while (left > 0 && !job_is_given_up(job)) {
    size_t size = left < CRYPTO_SLICE ? left : CRYPTO_SLICE;
    if (!sum_add(&piece->hasher->sum, data, size)) break;
    data += size;
    left -= size;
  }
  piece->added = left == 0;
  if (!piece->added) job->status = UV_ENOMEM;
}

static void done(struct job *job) { /* on the loop */
  struct piece *piece = (struct piece *)job;
  piece->hasher->busy = false;
  piece->hasher->broken = !piece->added;
}

static int finish(lua_State *L) { /* hasher, data, box */
  const struct piece *piece = job_at(L, 3);
  int status = job_status(L, &piece->job);
  if (status < 0) return error_result(L, status, "update");
  lua_pushvalue(L, 1);
  return 1;
}

static const struct job_kind piece_kind = {
  .wait = {"hash", finish, job_interrupt}, .work = work, .done = done};

/* The pair is what the thread reads and writes. */
static void anchor(lua_State *L, struct job *job) {
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, 2);
  job_anchor(L, job);
}

static int update_in_thread(lua_State *L, struct hasher *hasher,
                            const char *data, size_t size) {
  struct piece *piece = job_push(L, &piece_kind, sizeof *piece);
  lua_insert(L, 3); /* hasher, data, box, callback */
  piece->hasher = hasher;
  piece->data = data;
  piece->size = size;
  anchor(L, &piece->job);
  struct task *task = job_wait(L, &piece->job, 4);
  hasher->busy = true;
  job_begin(&piece->job);
  return wait_park(L, task, &piece->job.waiter, WAIT_FOREVER);
}

static int hasher_update(lua_State *L) {
  size_t size;
  struct hasher *hasher = check(L);
  const char *data = luaL_checklstring(L, 2, &size);
  lua_settop(L, 3);
  if (!lua_isnil(L, 3)) luaL_checktype(L, 3, LUA_TFUNCTION);
  if (!lua_isnil(L, 3) || size > CRYPTO_AT_ONCE)
    return update_in_thread(L, hasher, data, size);
  if (!sum_add(&hasher->sum, data, size))
    return luaL_error(L, "not enough memory for a hash");
  lua_settop(L, 1);
  return 1;
}

/* ---- hasher:digest() ----------------------------------------------------- */

static int hasher_digest(lua_State *L) {
  const struct hasher *hasher = check(L);
  unsigned char bytes[SUM_MOST];
  struct sum copy = {NULL, NULL};
  size_t size = sum_copy(&copy, &hasher->sum) ? sum_end(&copy, bytes) : 0;
  sum_free(&copy);
  if (size == 0) return luaL_error(L, "not enough memory for a hash");
  lua_pushlstring(L, (const char *)bytes, size);
  return 1;
}

/* ---- crypto.hasher(name [, options]) ------------------------------------- */

/* The key stays on the stack; NULL: there is none. */
static const char *check_key(lua_State *L, size_t *size) {
  static const char *const names[] = {"key", NULL};
  *size = 0;
  option_check(L, 2, names);
  if (lua_isnil(L, 2) || lua_getfield(L, 2, "key") == LUA_TNIL) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_argerror(L, 2,
                  lua_pushfstring(L, "key must be a string, not a %s",
                                  luaL_typename(L, -1)));
  return lua_tolstring(L, -1, size);
}

int crypto_hasher(lua_State *L) {
  const struct algorithm *algorithm = algorithm_check(L, 1);
  size_t key_size;
  lua_settop(L, 2);
  const char *key = check_key(L, &key_size);
  struct hasher *hasher = lua_newuserdatauv(L, sizeof *hasher, 0);
  *hasher = (struct hasher){.busy = false};
  class_set(L, class_name);
  if (!sum_begin(&hasher->sum, algorithm, key, key_size))
    return luaL_error(L, "not enough memory for a hash");
  return 1;
}

static int collect(lua_State *L) {
  struct hasher *hasher = lua_touserdata(L, 1);
  sum_free(&hasher->sum);
  return 0;
}

static const luaL_Reg methods[] = {
  {"digest", hasher_digest},
  {"update", hasher_update},
  {NULL, NULL},
};

void hasher_open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
