/* content.c - one piece after the other; nothing is read before it is asked for.
 *
 * The descriptor is kept by who uses it: the body, and each read that is on. A
 * file that ends before it should is a failure: what was announced cannot be
 * sent. */
#include "modules/http/files/content.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/job.h"
#include "modules/http/files/opening.h"

static const char class_name[] = "neap.http.file";

enum { PIECE = 65536 };

struct source { /* on the loop, but for the descriptor itself */
  int fd;
  int users;
};

struct content {
  struct source *source; /* NULL: it is closed */
  uint64_t size;
};

/* ---- the descriptor ------------------------------------------------------ */

struct closing {
  uv_work_t uv;
  struct source source;
};

static void close_it(uv_work_t *uv) {
  close(((struct closing *)uv->data)->source.fd);
}

static void closed(uv_work_t *uv, int status) {
  (void)status;
  free(uv->data);
}

/* In a thread: where it was the last name of a large file, that goes now. */
static void leave(struct host *host, struct source *source) {
  if (--source->users > 0) return;
  struct closing *closing = malloc(sizeof *closing);
  if (closing != NULL) {
    closing->uv.data = closing;
    closing->source = *source;
    if (uv_queue_work(&host->loop, &closing->uv, close_it, closed) != 0) {
      free(closing);
      closing = NULL;
    }
  }
  if (closing == NULL) close(source->fd);
  free(source);
}

/* ---- one piece ----------------------------------------------------------- */

struct reading {
  struct job job; /* first member */
  struct source *source;
  uint64_t at;
  size_t size;
  char bytes[];
};

static void work(struct job *job) {
  struct reading *reading = (struct reading *)job;
  job->status = opening_read(reading->source->fd, reading->bytes, reading->size,
                             (off_t)reading->at);
}

static void let_go(struct job *job) {
  struct reading *reading = (struct reading *)job;
  if (reading->source != NULL) leave(job->host, reading->source);
}

static int finish(lua_State *L) { /* box */
  const struct reading *reading = job_at(L, 1);
  int status = job_status(L, &reading->job), count = 1;
  if (status == 0)
    lua_pushlstring(L, reading->bytes, reading->size);
  else if (status == UV_EOF)
    count = error_result(L, status, "the file has become shorter");
  else
    count = error_result(L, status, "read the file");
  job_done(L, 1);
  return count;
}

static const struct job_kind kind = {
  .wait = {"file", finish, job_interrupt}, .work = work, .free = let_go};

/* ---- content:chunks([first, last]) --------------------------------------- */

static struct content *check(lua_State *L, int index) {
  return class_check(L, index, class_name);
}

enum { UP_CONTENT = 1, UP_AT, UP_END };

static int next_piece(lua_State *L) { /* content, at, end */
  struct content *content = lua_touserdata(L, lua_upvalueindex(UP_CONTENT));
  uint64_t at = (uint64_t)lua_tointeger(L, lua_upvalueindex(UP_AT));
  uint64_t end = (uint64_t)lua_tointeger(L, lua_upvalueindex(UP_END));
  lua_settop(L, 0);
  if (at >= end) return 0;
  if (content->source == NULL) return luaL_error(L, "the file is closed");
  size_t size = end - at < PIECE ? (size_t)(end - at) : PIECE;
  struct reading *reading = job_push(L, &kind, sizeof *reading + size);
  reading->source = content->source;
  content->source->users++;
  reading->at = at;
  reading->size = size;
  lua_pushinteger(L, (lua_Integer)(at + size));
  lua_replace(L, lua_upvalueindex(UP_AT));
  lua_pushnil(L);
  return job_start(L, &reading->job, 2, WAIT_FOREVER);
}

/* From byte `first` to byte `last`, counted from 0; all of it without them. */
static int chunks(lua_State *L) {
  const struct content *content = check(L, 1);
  lua_Integer size = (lua_Integer)content->size;
  lua_Integer first = luaL_optinteger(L, 2, 0);
  lua_Integer last = luaL_optinteger(L, 3, size - 1);
  luaL_argcheck(L, first >= 0, 2, "out of the file");
  luaL_argcheck(L, last < size, 3, "out of the file");
  if (content->source == NULL) return luaL_error(L, "the file is closed");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, first);
  lua_pushinteger(L, last + 1);
  lua_pushcclosure(L, next_piece, 3);
  return 1;
}

static int close_content(lua_State *L) {
  struct content *content = check(L, 1);
  if (content->source != NULL) leave(host_of(L), content->source);
  content->source = NULL;
  return 0;
}

void content_push(lua_State *L, int fd, uint64_t size) {
  struct content *content = lua_newuserdatauv(L, sizeof *content, 0);
  content->source = NULL;
  content->size = size;
  class_set(L, class_name);
  struct source *source = malloc(sizeof *source);
  if (source == NULL) luaL_error(L, "not enough memory for a file");
  *source = (struct source){fd, 1};
  content->source = source;
}

static const luaL_Reg methods[] = {
  {"chunks", chunks},
  {"close", close_content},
  {NULL, NULL},
};

void content_open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, close_content);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, close_content);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
