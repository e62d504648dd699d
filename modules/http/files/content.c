/* content.c - one piece after the other; nothing is read before it is asked for.
 *
 * Whoever sends it to a client does not come here for pieces, see sending.c. A
 * file that ends before it should is a failure: what was announced cannot be
 * sent. */
#include "modules/http/files/content.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <uv.h>

#include "host/class.h"
#include "host/closing.h"
#include "host/error.h"
#include "host/host.h"
#include "host/job.h"
#include "modules/http/files/files.h"
#include "modules/http/files/opening.h"

static const char class_name[] = "neap.http.file";

enum { PIECE = 65536 };

/* ---- the descriptor ------------------------------------------------------ */

/* In a thread: where it was the last name of a large file, that goes now. */
void descriptor_leave(struct host *host, struct descriptor *descriptor) {
  if (--descriptor->users > 0) return;
  close_in_thread(host, descriptor->fd);
  free(descriptor);
}

/* ---- one piece ----------------------------------------------------------- */

struct reading {
  struct job job; /* first member */
  struct descriptor *descriptor;
  uint64_t at;
  size_t size;
  char bytes[];
};

static void work(struct job *job) {
  struct reading *reading = (struct reading *)job;
  job->status = opening_read(reading->descriptor->fd, reading->bytes,
                             reading->size, (off_t)reading->at);
}

static void let_go(struct job *job) {
  struct reading *reading = (struct reading *)job;
  if (reading->descriptor != NULL)
    descriptor_leave(job->host, reading->descriptor);
  reading->descriptor = NULL;
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
  .wait = {files_waits, finish, job_interrupt},
  .work = work,
  .free = let_go,
  .done = let_go};

/* ---- content:chunks([first, last]) --------------------------------------- */

static void check(lua_State *L, const struct content *content) {
  if (content->descriptor == NULL && content->text == NULL)
    luaL_error(L, "the file is closed");
  if (content->is_taken) luaL_error(L, "the file is sent by another response");
}

struct content *content_at(lua_State *L, int index) {
  struct content *content = class_test(L, index, class_name);
  if (content != NULL) check(L, content);
  return content;
}

static struct content *check_open(lua_State *L) {
  struct content *content = class_check(L, 1, class_name);
  check(L, content);
  return content;
}

enum { UP_CONTENT = 1, UP_AT, UP_END };

static int next_piece(lua_State *L) { /* content, at, end */
  struct content *content = lua_touserdata(L, lua_upvalueindex(UP_CONTENT));
  uint64_t at = (uint64_t)lua_tointeger(L, lua_upvalueindex(UP_AT));
  uint64_t end = (uint64_t)lua_tointeger(L, lua_upvalueindex(UP_END));
  lua_settop(L, 0);
  if (at >= end) return 0;
  size_t size = end - at < PIECE ? (size_t)(end - at) : PIECE;
  lua_pushinteger(L, (lua_Integer)(at + size));
  lua_replace(L, lua_upvalueindex(UP_AT));
  if (content->text != NULL) {
    lua_pushlstring(L, content->text + at, size);
    return 1;
  }
  if (content->descriptor == NULL) return luaL_error(L, "the file is closed");
  struct reading *reading = job_push(L, &kind, sizeof *reading + size);
  reading->descriptor = content->descriptor;
  content->descriptor->users++;
  reading->at = at;
  reading->size = size;
  lua_pushnil(L);
  return job_start(L, &reading->job, 2, WAIT_FOREVER);
}

/* From byte `first` to byte `last`, counted from 0; what is to be sent without
 * them. */
static int chunks(lua_State *L) {
  const struct content *content = check_open(L);
  lua_Integer first = luaL_optinteger(L, 2, (lua_Integer)content->first);
  lua_Integer last = luaL_optinteger(L, 3, (lua_Integer)content->end - 1);
  luaL_argcheck(L, first >= 0, 2, "out of the file");
  luaL_argcheck(L, last >= -1 && last < (lua_Integer)content->size, 3,
                "out of the file");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, first);
  lua_pushinteger(L, last + 1);
  lua_pushcclosure(L, next_piece, 3);
  return 1;
}

/* content:range(first, last): no more than that is sent. */
static int range(lua_State *L) {
  struct content *content = check_open(L);
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
  luaL_argcheck(L, first >= 0, 2, "out of the file");
  luaL_argcheck(L, last >= first && last < (lua_Integer)content->size, 3,
                "out of the file");
  content->first = (uint64_t)first;
  content->end = (uint64_t)last + 1;
  return 0;
}

/* content:text(): what is to be sent, or nil where it is not in memory. */
static int text(lua_State *L) {
  const struct content *content = check_open(L);
  if (content->text == NULL)
    lua_pushnil(L);
  else
    lua_pushlstring(L, content->text + content->first,
                    (size_t)(content->end - content->first));
  return 1;
}

/* ---- its life ------------------------------------------------------------ */

void content_close(struct host *host, struct content *content) {
  if (content->descriptor != NULL) descriptor_leave(host, content->descriptor);
  if (content->text != NULL) text_give_back(content->text);
  content->descriptor = NULL;
  content->text = NULL;
}

static int close_content(lua_State *L) {
  content_close(host_of(L), class_check(L, 1, class_name));
  return 0;
}

struct content *content_push(lua_State *L) {
  struct content *content = lua_newuserdatauv(L, sizeof *content, 0);
  *content = (struct content){.descriptor = NULL};
  class_set(L, class_name);
  return content;
}

bool content_fill(struct content *content, int fd, char *memory,
                  uint64_t size) {
  struct descriptor *descriptor = NULL;
  if (memory == NULL) {
    descriptor = malloc(sizeof *descriptor);
    if (descriptor == NULL) return false;
    *descriptor = (struct descriptor){fd, 1};
  }
  *content = (struct content){descriptor, memory, size, 0, size, false};
  return true;
}

static const luaL_Reg methods[] = {
  {"chunks", chunks}, {"close", close_content},
  {"range", range},   {"text", text},
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
