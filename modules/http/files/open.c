/* open.c - files_open(root, name or nil, how): waits until it is open.
 *
 *   nil, message, code
 *   "directory"
 *   "file", body, size, etag, modified, coding or nil, varies, is_index
 *
 * The body is a text where all of it has been read, else it has chunks(). `how`
 * is a string of letters: s it ends with a slash, r read it, v look for siblings,
 * and then four digits, see struct opening; index is the fourth argument, or
 * nil. */
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "host/error.h"
#include "host/job.h"
#include "modules/http/files/content.h"
#include "modules/http/files/files.h"
#include "modules/http/files/opening.h"

#ifdef __APPLE__ /* has other names for what POSIX calls so */
#define st_mtim st_mtimespec
#endif

enum { AT_ROOT = 1, AT_NAME, AT_HOW, AT_INDEX, AT_BOX, AT_CALLBACK };

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

/* ---- its results --------------------------------------------------------- */

static int fail(lua_State *L, int status) {
  lua_pushfstring(L, "open %s", lua_tostring(L, AT_ROOT));
  if (!lua_isnil(L, AT_NAME))
    lua_pushfstring(L, "%s/%s", lua_tostring(L, -1), lua_tostring(L, AT_NAME));
  return error_result(L, status, lua_tostring(L, -1));
}

static void push_etag(lua_State *L, const struct stat *about) {
  char text[80];
  snprintf(text, sizeof text, "\"%" PRIx64 "-%" PRIx64 "%08lx-%" PRIx64 "\"",
           (uint64_t)about->st_size, (uint64_t)about->st_mtim.tv_sec,
           (unsigned long)about->st_mtim.tv_nsec, (uint64_t)about->st_ino);
  lua_pushstring(L, text);
}

static int push_file(lua_State *L, struct opening *opening) {
  static const char *const codings[ENCODINGS] = {NULL, "br", "gzip"};
  uint64_t size = (uint64_t)opening->about.st_size;
  lua_pushliteral(L, "file");
  if (opening->text != NULL) {
    lua_pushlstring(L, opening->text, (size_t)size);
  } else {
    content_push(L, opening->fd, size);
    opening->fd = -1;
  }
  lua_pushinteger(L, (lua_Integer)size);
  push_etag(L, &opening->about);
  lua_pushinteger(L, (lua_Integer)opening->about.st_mtim.tv_sec);
  lua_pushstring(L, codings[opening->encoding]);
  lua_pushboolean(L, opening->varies);
  lua_pushboolean(L, opening->is_index);
  return 8;
}

static int finish(lua_State *L) { /* root, name, how, index, box */
  struct job_of_opening *job = job_at(L, AT_BOX);
  int status = job_status(L, &job->job), count = 1;
  luaL_checkstack(L, LUA_MINSTACK, "too many results");
  if (status < 0)
    count = fail(L, status);
  else if (job->opening.is_directory)
    lua_pushliteral(L, "directory");
  else
    count = push_file(L, &job->opening);
  job_done(L, AT_BOX);
  return count;
}

static const struct job_kind kind = {
  .wait = {"file", finish, job_interrupt}, .work = work, .free = let_go};

/* ---- its arguments ------------------------------------------------------- */

static char *put(char *to, const char *text, size_t size, const char **place) {
  if (text == NULL) return to;
  memcpy(to, text, size + 1);
  *place = to;
  return to + size + 1;
}

static void read_how(struct opening *opening, const char *how) {
  opening->slash = strchr(how, 's') != NULL;
  opening->reads = strchr(how, 'r') != NULL;
  const char *digits = strchr(how, 'v');
  opening->siblings = digits != NULL;
  for (int i = 0; digits != NULL && i < 4; i++)
    opening->best[i] = (enum encoding)(digits[i + 1] - '0');
}

int files_open(lua_State *L) { /* root, name, how, index */
  size_t root_size, name_size = 0, index_size = 0;
  const char *root = luaL_checklstring(L, AT_ROOT, &root_size);
  const char *name = luaL_optlstring(L, AT_NAME, NULL, &name_size);
  const char *how = luaL_checkstring(L, AT_HOW);
  const char *index = luaL_optlstring(L, AT_INDEX, NULL, &index_size);
  lua_settop(L, AT_INDEX);
  struct job_of_opening *job =
    job_push(L, &kind, sizeof *job + root_size + name_size + index_size + 3);
  struct opening *opening = &job->opening;
  opening->fd = -1;
  char *to = put(job->texts, root, root_size, &opening->root);
  to = put(to, name, name_size, &opening->name);
  put(to, index, index_size, &opening->index);
  read_how(opening, how);
  lua_pushnil(L);
  return job_start(L, &job->job, AT_CALLBACK, WAIT_FOREVER);
}
