/* questions.h - the same question about each path of a list, asked in one job
 * of libuv's thread pool: file systems may be slow, and the loop must not wait.
 *
 *   static void ask(const char *path, void *memo, struct answers *answers) {}
 *   static void push(lua_State *L, const char *answer, size_t size) { ... }
 *   static const struct question question = {
 *     {.wait = {"name", question_finish, job_interrupt},
 *      .work = question_work,
 *      .free = question_free},
 *     ask, push, 0};
 *
 *   int name(lua_State *L) {                             -- paths, callback
 *     return questions_ask(L, &question);
 *   }
 */
#ifndef HOST_QUESTIONS_H
#define HOST_QUESTIONS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/job.h"

struct answers { /* the bytes of all, one behind the other */
  char *bytes;
  size_t size, room;
  bool failed; /* no memory */
};

void answers_add(struct answers *answers, const void *bytes, size_t size);
/* Adds what stands there once more. */
void answers_repeat(struct answers *answers, size_t start, size_t size);

struct question {
  struct job_kind job; /* first member */
  /* In a thread. The memo is zero at first, and goes from path to path. */
  void (*ask)(const char *path, void *memo, struct answers *answers);
  /* One answer becomes one value; without a byte it is always false. */
  void (*push)(lua_State *L, const char *answer, size_t size);
  size_t memo_size;
};

/* As a function of Lua: (paths [, callback]) -> a list with as many values. */
int questions_ask(lua_State *L, const struct question *question);

/* For its job. */
int question_finish(lua_State *L);
void question_work(struct job *job);
void question_free(struct job *job);

#endif
