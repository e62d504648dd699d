/* password.c - crypto.password and crypto.verify_password: scrypt (RFC 7914), in
 * the thread pool.
 *
 * It takes parts of a second and tens of megabytes on purpose. So only so many
 * run at a time, and the others wait in line: names and files need threads, too,
 * and who sends passwords shall not take all the memory. */
#include <lauxlib.h>
#include <string.h>

#include "host/error.h"
#include "host/job.h"
#include "host/option.h"
#include "modules/crypto/crypto.h"
#include "modules/crypto/equal.h"
#include "modules/crypto/library.h"
#include "modules/crypto/phc.h"

enum { AT_ONCE = 2 };

/* OWASP's second choice: 32 MB. */
enum { LN = 15, R = 8, P = 3 };

struct password {
  struct job job;                /* first member */
  struct password *next, **link; /* in line */
  struct phc phc;
  unsigned char result[PHC_MOST];
  bool running, unknown; /* to compare with nothing: it never is the same */
  size_t size;
  char text[];
};

static struct line {
  struct password *first, **end;
  int running;
} line = {.end = &line.first};

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static void work(struct job *job) {
  struct password *password = (struct password *)job;
  const struct phc *phc = &password->phc;
  enum { SLACK = 1 << 20 };
  if (job_is_given_up(job)) return;
  if (libcrypto->scrypt(password->text, password->size, phc->salt,
                        phc->salt_size, (uint64_t)1 << phc->ln, phc->r, phc->p,
                        phc_memory(phc) + SLACK, password->result,
                        phc->hash_size) != 1)
    job->status = UV_ENOMEM;
}

/* ---- the line, on the loop ----------------------------------------------- */

static void join_line(struct password *password) {
  password->link = line.end;
  *line.end = password;
  line.end = &password->next;
}

static void leave_line(struct password *password) {
  *password->link = password->next;
  if (password->next != NULL)
    password->next->link = password->link;
  else
    line.end = password->link;
}

static void let_run(void) {
  while (line.running < AT_ONCE && line.first != NULL) {
    struct password *password = line.first;
    leave_line(password);
    line.running++;
    password->running = true;
    job_begin(&password->job);
  }
}

static void done(struct job *job) {
  struct password *password = (struct password *)job;
  if (!password->running) {
    leave_line(password);
    return;
  }
  line.running--;
  let_run();
}

static int start(lua_State *L, struct password *password, int callback) {
  struct task *task = job_wait(L, &password->job, callback);
  join_line(password);
  let_run();
  return wait_park(L, task, &password->job.waiter, WAIT_FOREVER);
}

/* Pushes a job that knows the text at index 1. */
static struct password *push(lua_State *L, const struct job_kind *kind) {
  size_t size;
  const char *text = lua_tolstring(L, 1, &size);
  struct password *password = job_push(L, kind, sizeof *password + size);
  memcpy(password->text, text, size);
  password->size = size;
  return password;
}

/* ---- crypto.password(text [, options] [, callback]) ---------------------- */

static int password_finish(lua_State *L) { /* text, options, box */
  char text[PHC_TEXT];
  struct password *password = job_at(L, 3);
  int status = job_status(L, &password->job);
  if (status < 0) return error_result(L, status, "password");
  memcpy(password->phc.hash, password->result, PHC_HASH);
  lua_pushlstring(L, text, phc_write(text, &password->phc));
  return 1;
}

static const struct job_kind password_kind = {
  .wait = {"password", password_finish, job_interrupt},
  .work = work,
  .done = done};

static void check_cost(lua_State *L, struct phc *phc) {
  phc->ln = (unsigned)option_integer(L, 2, "ln", 1, 24, LN);
  phc->r = (unsigned)option_integer(L, 2, "r", 1, 64, R);
  phc->p = (unsigned)option_integer(L, 2, "p", 1, 64, P);
  luaL_argcheck(L, phc_memory(phc) != 0, 2,
                "128 * r * 2^ln is at most 1 GB, and ln less than 16 * r");
}

int crypto_password(lua_State *L) {
  static const char *const names[] = {"ln", "p", "r", NULL};
  struct phc phc = {.salt_size = PHC_SALT, .hash_size = PHC_HASH};
  luaL_checkstring(L, 1);
  option_arguments(L, 1, names);
  check_cost(L, &phc);
  library_check(L);
  if (uv_random(NULL, NULL, phc.salt, PHC_SALT, 0, NULL) < 0)
    return luaL_error(L, "the system has no random bytes");
  struct password *password = push(L, &password_kind);
  lua_insert(L, 3); /* text, options, box, callback */
  password->phc = phc;
  return start(L, password, 4);
}

/* ---- crypto.verify_password(text, hash [, callback]) --------------------- */

static int not_a_hash(lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "verify_password: this is not a hash of a password");
  lua_pushliteral(L, "EINVAL");
  return 3;
}

static int verify_finish(lua_State *L) { /* text, hash, box */
  const struct password *password = job_at(L, 3);
  int status = job_status(L, &password->job);
  if (status == UV_EINVAL) return not_a_hash(L);
  if (status < 0) return error_result(L, status, "verify_password");
  const struct phc *phc = &password->phc;
  bool same = equal_bytes(password->result, phc->hash, phc->hash_size);
  lua_pushboolean(L, same && !password->unknown);
  return 1;
}

static const struct job_kind verify_kind = {
  .wait = {"verify_password", verify_finish, job_interrupt},
  .work = work,
  .done = done};

/* For nobody's password it takes as long as for somebody's. */
static bool read_hash(lua_State *L, struct phc *phc) {
  size_t size;
  *phc = (struct phc){
    .ln = LN, .r = R, .p = P, .salt_size = PHC_SALT, .hash_size = PHC_HASH};
  if (lua_isnil(L, 2)) return true;
  const char *text = luaL_checklstring(L, 2, &size);
  return phc_read(phc, text, size);
}

int crypto_verify_password(lua_State *L) {
  struct phc phc;
  luaL_checkstring(L, 1);
  lua_settop(L, 3);
  bool is_hash = read_hash(L, &phc);
  if (!lua_isnil(L, 3)) luaL_checktype(L, 3, LUA_TFUNCTION);
  library_check(L);
  struct password *password = push(L, &verify_kind);
  lua_insert(L, 3); /* text, hash, box, callback */
  password->phc = phc;
  password->unknown = lua_isnil(L, 2);
  if (!is_hash)
    return wait_fail(L, wait_begin(L, &verify_kind.wait, 4), UV_EINVAL);
  return start(L, password, 4);
}
