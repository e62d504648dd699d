/* job.h - the same question about each path of a list, asked in one job of
 * libuv's thread pool: file systems may be slow, and the loop must not wait.
 *
 *   static void work(const char *path, void *memo, struct answers *answers) {}
 *   static void push(lua_State *L, const char *answer, size_t size) { ... }
 *   static const struct job_kind kind = {
 *     {"name", job_finish, job_interrupt}, work, push, 0};
 *
 *   int name(lua_State *L) { return job_start(L, &kind); }   -- paths, callback
 */
#ifndef MODULES_HOT_JOB_H
#define MODULES_HOT_JOB_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/wait.h"

struct answers { /* the bytes of all, one behind the other */
  char *bytes;
  size_t size, room;
  bool failed; /* no memory */
};

void answers_add(struct answers *answers, const void *bytes, size_t size);
/* Adds what stands there once more. */
void answers_repeat(struct answers *answers, size_t start, size_t size);

struct job_kind {
  struct wait wait;
  /* In a thread. The memo is zero at first, and goes from path to path. */
  void (*work)(const char *path, void *memo, struct answers *answers);
  /* One answer becomes one value; without a byte it is always false. */
  void (*push)(lua_State *L, const char *answer, size_t size);
  size_t memo_size;
};

/* As a function of Lua: (paths [, callback]) -> a list with as many values. */
int job_start(lua_State *L, const struct job_kind *kind);

/* For a struct job_kind. */
int job_finish(lua_State *L);
bool job_interrupt(struct task *task);

void job_open_class(lua_State *L);

#endif
