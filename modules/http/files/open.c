/* open.c - files_open(root, name or nil, how): waits until it is open, if it has
 * to wait at all.
 *
 *   nil, message, code
 *   "directory"
 *   "file", body, size, etag, modified, coding or nil, varies, is_index
 *
 * The body is a content, see content.h. `how` is a string of letters: s it ends
 * with a slash, r read it, v look for siblings, and then four digits, see struct
 * opening; index is the fourth argument, or nil. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "host/error.h"
#include "host/job.h"
#include "modules/http/bytes.h"
#include "modules/http/files/content.h"
#include "modules/http/files/files.h"
#include "modules/http/files/opening.h"

const char files_waits[] = "file";

enum {
  AT_ROOT = 1,
  AT_NAME,
  AT_HOW,
  AT_INDEX,
  AT_CONTENT, /* it is there before what it is to own */
  AT_BOX,
  AT_CALLBACK
};

struct job_of_opening {
  struct job job; /* first member */
  struct opening opening;
  char texts[]; /* root, name, index */
};

static void work(struct job *job) {
  struct job_of_opening *opening = (struct job_of_opening *)job;
  job->status = opening_run(&opening->opening);
}

static void let_go(struct job *job) {
  opening_free(&((struct job_of_opening *)job)->opening);
}

static void done(struct job *job) {
  if (job_is_given_up(job)) let_go(job);
}

/* ---- its results --------------------------------------------------------- */

static int fail(lua_State *L, int status) {
  lua_pushfstring(L, "open %s", lua_tostring(L, AT_ROOT));
  if (!lua_isnil(L, AT_NAME))
    lua_pushfstring(L, "%s/%s", lua_tostring(L, -1), lua_tostring(L, AT_NAME));
  return error_result(L, status, lua_tostring(L, -1));
}

static void push_etag(lua_State *L, const struct stat *about) {
  char memory[BYTES_BEFORE + 80]; /* it needs no more, and so no place for it */
  struct bytes bytes;
  bytes_open(&bytes, L, 0, memory, sizeof memory);
  bytes_add_literal(&bytes, "\"");
  bytes_add_hex(&bytes, (uint64_t)about->st_size);
  bytes_add_literal(&bytes, "-");
  bytes_add_hex(&bytes, (uint64_t)about->st_mtim.tv_sec << 30 |
                          (uint64_t)about->st_mtim.tv_nsec);
  bytes_add_literal(&bytes, "-");
  bytes_add_hex(&bytes, (uint64_t)about->st_ino);
  bytes_add_literal(&bytes, "\"");
  lua_pushlstring(L, bytes.data + bytes.begin, bytes.end - bytes.begin);
}

/* What may raise comes when the content owns what has been opened. */
static int push_file(lua_State *L, struct opening *opening) {
  static const char *const codings[ENCODINGS] = {NULL, "br", "gzip"};
  uint64_t size = (uint64_t)opening->about.st_size;
  if (!content_fill(lua_touserdata(L, AT_CONTENT), opening->fd, opening->text,
                    size)) {
    opening_free(opening);
    return luaL_error(L, "not enough memory for a file");
  }
  opening->fd = -1;
  opening->text = NULL;
  lua_pushliteral(L, "file");
  lua_pushvalue(L, AT_CONTENT);
  lua_pushinteger(L, (lua_Integer)size);
  push_etag(L, &opening->about);
  lua_pushinteger(L, (lua_Integer)opening->about.st_mtim.tv_sec);
  lua_pushstring(L, codings[opening->encoding]);
  lua_pushboolean(L, opening->varies);
  lua_pushboolean(L, opening->is_index);
  return 8;
}

static int push(lua_State *L, struct opening *opening, int status) {
  if (status < 0) return fail(L, status);
  if (!opening->is_directory) return push_file(L, opening);
  lua_pushliteral(L, "directory");
  return 1;
}

static int finish(lua_State *L) { /* root, name, how, index, content, box */
  struct job_of_opening *job = job_at(L, AT_BOX);
  luaL_checkstack(L, LUA_MINSTACK, "too many results");
  int count = push(L, &job->opening, job_status(L, &job->job));
  job_done(L, AT_BOX);
  return count;
}

static const struct job_kind kind = {
  .wait = {files_waits, finish, job_interrupt},
  .work = work,
  .free = let_go,
  .done = done};

/* ---- its arguments ------------------------------------------------------- */

static void read_how(struct opening *opening, const char *how) {
  opening->slash = strchr(how, 's') != NULL;
  opening->reads = strchr(how, 'r') != NULL;
  const char *digits = strchr(how, 'v');
  opening->siblings = digits != NULL;
  for (int i = 0; digits != NULL && i < 4; i++)
    opening->best[i] = (enum encoding)(digits[i + 1] - '0');
}

static char *put(char *to, const char **text) {
  if (*text == NULL) return to;
  size_t size = strlen(*text) + 1;
  memcpy(to, *text, size);
  *text = to;
  return to + size;
}

/* The thread has texts of its own. */
static int start(lua_State *L, const struct opening *wanted) {
  size_t size = 3;
  for (int i = AT_ROOT; i <= AT_INDEX; i++) size += lua_rawlen(L, i);
  struct job_of_opening *job = job_push(L, &kind, sizeof *job + size);
  struct opening *opening = &job->opening;
  *opening = *wanted;
  put(put(put(job->texts, &opening->root), &opening->name), &opening->index);
  lua_pushnil(L);
  return job_start(L, &job->job, AT_CALLBACK, WAIT_FOREVER);
}

int files_open(lua_State *L) { /* root, name, how, index */
  lua_settop(L, AT_INDEX);
  luaL_checkstack(L, LUA_MINSTACK, "too many results");
  struct opening opening = {.root = luaL_checkstring(L, AT_ROOT),
                            .name = luaL_optstring(L, AT_NAME, NULL),
                            .index = luaL_optstring(L, AT_INDEX, NULL),
                            .fd = -1,
                            .at_once = true};
  read_how(&opening, luaL_checkstring(L, AT_HOW));
  struct opening wanted = opening;
  content_push(L);
  int status = opening_run(&opening);
  if (status < 0 || opening.is_directory) opening_free(&opening);
  if (status != UV_EAGAIN) return push(L, &opening, status);
  wanted.at_once = false;
  return start(L, &wanted);
}
