/* hash.c - crypto.hash and crypto.hmac: at once where that takes less than a
 * thread would, otherwise in the thread pool.
 *
 * A thread reads the text where Lua has it, so the job anchors it; the key it
 * owns. */
#include <lauxlib.h>
#include <string.h>

#include "host/error.h"
#include "host/job.h"
#include "modules/crypto/crypto.h"
#include "modules/crypto/sum.h"

struct hash_job {
  struct job job; /* first member */
  const struct algorithm *algorithm;
  const char *data;
  size_t size, key_size, result_size;
  bool has_key;
  unsigned char result[SUM_MOST];
  char key[];
};

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static bool add_all(struct hash_job *hash, struct sum *sum) {
  const char *data = hash->data;
  size_t left = hash->size;
  while (left > 0) {
    size_t size = left < CRYPTO_SLICE ? left : CRYPTO_SLICE;
    if (job_is_given_up(&hash->job) || !sum_add(sum, data, size)) return false;
    data += size;
    left -= size;
  }
  return true;
}

static void work(struct job *job) {
  struct hash_job *hash = (struct hash_job *)job;
  struct sum sum;
  if (sum_begin(&sum, hash->algorithm, hash->has_key ? hash->key : NULL,
                hash->key_size) &&
      add_all(hash, &sum))
    hash->result_size = sum_end(&sum, hash->result);
  if (hash->result_size == 0) job->status = UV_ENOMEM;
  sum_free(&sum);
}

/* ---- in a task ----------------------------------------------------------- */

static int finish(lua_State *L) { /* name, data, box */
  const struct hash_job *hash = job_at(L, 3);
  int status = job_status(L, &hash->job);
  if (status < 0) return error_result(L, status, hash->job.kind->wait.name);
  lua_pushlstring(L, (const char *)hash->result, hash->result_size);
  return 1;
}

static const struct job_kind hash_kind = {
  .wait = {"hash", finish, job_interrupt}, .work = work};
static const struct job_kind hmac_kind = {
  .wait = {"hmac", finish, job_interrupt}, .work = work};

struct input {
  const struct algorithm *algorithm;
  const char *key, *data; /* key NULL: there is none */
  size_t key_size, size;
};

static int hash_at_once(lua_State *L, const struct input *input) {
  struct sum sum;
  unsigned char result[SUM_MOST];
  size_t size = 0;
  if (sum_begin(&sum, input->algorithm, input->key, input->key_size) &&
      sum_add(&sum, input->data, input->size))
    size = sum_end(&sum, result);
  sum_free(&sum);
  if (size == 0) return luaL_error(L, "not enough memory for a hash");
  lua_pushlstring(L, (const char *)result, size);
  return 1;
}

/* The stack is: name, key where there is one, data, callback or nil. */
static int hash_in_thread(lua_State *L, const struct input *input) {
  const struct job_kind *kind = input->key != NULL ? &hmac_kind : &hash_kind;
  struct hash_job *hash = job_push(
    L, kind, sizeof *hash + (input->key != NULL ? input->key_size : 0));
  hash->algorithm = input->algorithm;
  hash->data = input->data;
  hash->size = input->size;
  if (input->key != NULL) {
    hash->has_key = true;
    hash->key_size = input->key_size;
    memcpy(hash->key, input->key, input->key_size);
    lua_remove(L, 2);
  }
  lua_insert(L, 3); /* name, data, box, callback */
  lua_pushvalue(L, 2);
  job_anchor(L, &hash->job);
  return job_start(L, &hash->job, 4, WAIT_FOREVER);
}

static int hash(lua_State *L, const struct input *input, int callback) {
  lua_settop(L, callback);
  if (!lua_isnil(L, callback)) luaL_checktype(L, callback, LUA_TFUNCTION);
  if (lua_isnil(L, callback) && input->size <= CRYPTO_AT_ONCE)
    return hash_at_once(L, input);
  return hash_in_thread(L, input);
}

/* ---- crypto.hash(name, data [, callback]) -------------------------------- */

int crypto_hash(lua_State *L) {
  struct input input = {.algorithm = algorithm_check(L, 1)};
  input.data = luaL_checklstring(L, 2, &input.size);
  return hash(L, &input, 3);
}

/* ---- crypto.hmac(name, key, data [, callback]) --------------------------- */

int crypto_hmac(lua_State *L) {
  struct input input = {.algorithm = algorithm_check(L, 1)};
  input.key = luaL_checklstring(L, 2, &input.key_size);
  input.data = luaL_checklstring(L, 3, &input.size);
  return hash(L, &input, 4);
}
