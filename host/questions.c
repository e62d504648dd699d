/* questions.c - a list of paths, on its way through a thread. The job has its
 * own copy of the paths: the thread never touches what Lua could free. */
#include "host/questions.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/error.h"

struct questions {
  struct job job; /* its kind is the question */
  struct answers answers;
  char *paths;  /* each with a zero at its end */
  size_t *ends; /* of the answers */
  size_t count;
  void *memo;
};

void question_free(struct job *job) {
  struct questions *questions = (struct questions *)job;
  free(questions->answers.bytes);
  free(questions->paths);
  free(questions->ends);
  free(questions->memo);
}

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static bool make_room(struct answers *answers, size_t size) {
  size_t room = answers->room == 0 ? 1024 : answers->room;
  while (room - answers->size < size) room *= 2;
  if (room == answers->room) return true;
  char *bytes = realloc(answers->bytes, room);
  if (bytes == NULL) return false;
  answers->bytes = bytes;
  answers->room = room;
  return true;
}

void answers_add(struct answers *answers, const void *bytes, size_t size) {
  if (answers->failed || size == 0) return;
  if (!make_room(answers, size)) {
    answers->failed = true;
    return;
  }
  memcpy(answers->bytes + answers->size, bytes, size);
  answers->size += size;
}

void answers_repeat(struct answers *answers, size_t start, size_t size) {
  if (answers->failed || size == 0) return;
  answers->failed = !make_room(answers, size);
  if (!answers->failed) answers_add(answers, answers->bytes + start, size);
}

void question_work(struct job *job) {
  struct questions *questions = (struct questions *)job;
  const struct question *question = (const struct question *)job->kind;
  struct answers *answers = &questions->answers;
  const char *path = questions->paths;
  for (size_t i = 0; i < questions->count; i++, path += strlen(path) + 1) {
    if (job_is_given_up(job)) return;
    question->ask(path, questions->memo, answers);
    questions->ends[i] = answers->size;
  }
  if (answers->failed) job->status = UV_ENOMEM;
}

/* ---- the answers --------------------------------------------------------- */

int question_finish(lua_State *L) { /* paths, box */
  const struct questions *questions = job_at(L, 2);
  const struct question *question =
    (const struct question *)questions->job.kind;
  int status = job_status(L, &questions->job);
  if (status < 0) return error_result(L, status, question->job.wait.name);
  lua_createtable(L, (int)questions->count, 0);
  size_t start = 0;
  for (size_t i = 0; i < questions->count; i++) {
    size_t size = questions->ends[i] - start;
    if (size == 0)
      lua_pushboolean(L, 0);
    else
      question->push(L, questions->answers.bytes + start, size);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
    start = questions->ends[i];
  }
  return 1;
}

/* ---- start --------------------------------------------------------------- */

/* Pushes them all as one string, so that whatever runs while memory is
 * allocated cannot change them; returns how many there are. */
static size_t pack_paths(lua_State *L) {
  luaL_Buffer packed;
  size_t count = (size_t)lua_rawlen(L, 1);
  luaL_buffinit(L, &packed);
  for (size_t i = 1; i <= count; i++) {
    size_t size;
    if (lua_rawgeti(L, 1, (lua_Integer)i) != LUA_TSTRING)
      luaL_error(L, "path %d is no string", (int)i);
    if (strlen(lua_tolstring(L, -1, &size)) != size)
      luaL_error(L, "path %d contains a zero", (int)i);
    luaL_addvalue(&packed);
    luaL_addchar(&packed, '\0');
  }
  luaL_pushresult(&packed);
  return count;
}

/* The string with the paths lies on top, and is replaced by the box. */
static struct questions *push_job(lua_State *L, const struct question *question,
                                  size_t count) {
  size_t size;
  struct questions *questions = job_push(L, &question->job, sizeof *questions);
  lua_insert(L, -2);
  const char *packed = lua_tolstring(L, -1, &size);
  questions->count = count;
  questions->paths = malloc(size + 1);
  questions->ends = calloc(count + 1, sizeof *questions->ends);
  questions->memo = calloc(1, question->memo_size + 1);
  if (questions->paths == NULL || questions->ends == NULL ||
      questions->memo == NULL)
    luaL_error(L, "not enough memory for a job");
  memcpy(questions->paths, packed, size);
  lua_pop(L, 1);
  return questions;
}

int questions_ask(lua_State *L, const struct question *question) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  struct questions *questions = push_job(L, question, pack_paths(L));
  lua_insert(L, 2); /* paths, box, callback */
  return job_start(L, &questions->job, 3, WAIT_FOREVER);
}
