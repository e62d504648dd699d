/* names.c - the functions about names: a table of the simple ones, and the list
 * of all.
 *
 * A simple one is a line of the table: its arguments, a letter each, what is
 * done in the thread, and what comes back. Its job has a copy of the paths. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/error.h"
#include "host/job.h"
#include "host/option.h"
#include "modules/fs/arguments.h"
#include "modules/fs/calls.h"
#include "modules/fs/copy.h"
#include "modules/fs/fs.h"
#include "modules/fs/list.h"
#include "modules/fs/remove.h"
#include "modules/fs/temp.h"
#include "modules/fs/walk.h"

struct simple {
  struct job_kind kind; /* has the name */
  /* p path, P another one, m mode, u user, g group, a access, A atime, M mtime,
   * o options of mkdir */
  const char *arguments;
  call_work *work;
  void (*push)(lua_State *L, const struct call *call); /* NULL: true */
};

struct names {
  struct job job; /* first member */
  const struct simple *simple;
  struct call call;
  char paths[];
};

/* ---- arguments ----------------------------------------------------------- */

struct sizes {
  size_t path, other;
};

static void check_options(lua_State *L, int index, struct call *call) {
  call->parents = option_flag(L, index, "parents");
  call->mode = (mode_t)option_integer(L, index, "mode", 0, 07777, 0777);
}

static void check_one(lua_State *L, int index, char letter, struct call *call,
                      struct sizes *sizes) {
  switch (letter) {
    case 'p': call->path = (char *)fs_check_path(L, index, &sizes->path); break;
    case 'P':
      call->other = (char *)fs_check_path(L, index, &sizes->other);
      break;
    case 'm': call->mode = check_mode(L, index); break;
    case 'u': call->uid = check_id(L, index); break;
    case 'g': call->gid = check_id(L, index); break;
    case 'a': call->access = check_access(L, index); break;
    case 'A': call->atime = check_time(L, index); break;
    case 'M': call->mtime = check_time(L, index); break;
    default: check_options(L, index, call); break;
  }
}

/* Brings the stack to the arguments and a callback or nil; returns where that
 * is. The last argument may be left out, if the table says so. */
static int check_arguments(lua_State *L, const char *letters, struct call *call,
                           struct sizes *sizes) {
  static const char *const options[] = {"mode", "parents", NULL};
  int count = (int)strlen(letters);
  char last = letters[count - 1];
  if (last == 'o') {
    option_arguments(L, count - 1, options);
  } else {
    if (last == 'a' && lua_isfunction(L, count)) {
      lua_pushnil(L);
      lua_insert(L, count);
    }
    lua_settop(L, count + 1);
  }
  for (int i = 0; i < count; i++) check_one(L, i + 1, letters[i], call, sizes);
  if (!lua_isnil(L, count + 1)) luaL_checktype(L, count + 1, LUA_TFUNCTION);
  return count + 1;
}

/* ---- the job ------------------------------------------------------------- */

static void work(struct job *job) {
  struct names *names = (struct names *)job;
  job->status = names->simple->work(&names->call);
}

static void free_call(struct job *job) {
  free(((struct names *)job)->call.text);
}

static int fail(lua_State *L, const struct simple *simple, int status) {
  if (simple->arguments[1] == 'P')
    lua_pushfstring(L, "%s %s -> %s", simple->kind.wait.name,
                    lua_tostring(L, 1), lua_tostring(L, 2));
  else
    lua_pushfstring(L, "%s %s", simple->kind.wait.name, lua_tostring(L, 1));
  return error_result(L, status, lua_tostring(L, -1));
}

static int finish(lua_State *L) { /* arguments, box */
  int box = lua_gettop(L);
  const struct names *names = job_at(L, box);
  int status = job_status(L, &names->job);
  if (status < 0) return fail(L, names->simple, status);
  if (names->simple->push == NULL)
    lua_pushboolean(L, 1);
  else
    names->simple->push(L, &names->call);
  job_done(L, box);
  return 1;
}

static int start(lua_State *L) {
  const struct simple *simple = lua_touserdata(L, lua_upvalueindex(1));
  struct call call = {0};
  struct sizes sizes = {0};
  int callback = check_arguments(L, simple->arguments, &call, &sizes);
  struct names *names =
    job_push(L, &simple->kind, sizeof *names + sizes.path + sizes.other + 2);
  lua_insert(L, callback);
  memcpy(names->paths, call.path, sizes.path);
  call.path = names->paths;
  char *other = names->paths + sizes.path + 1;
  if (call.other != NULL) memcpy(other, call.other, sizes.other);
  call.other = other;
  names->simple = simple;
  names->call = call;
  return job_start(L, &names->job, callback + 1, WAIT_FOREVER);
}

/* ---- results ------------------------------------------------------------- */

static void push_info(lua_State *L, const struct call *call) {
  info_push(L, &call->info);
}

static void push_text(lua_State *L, const struct call *call) {
  lua_pushstring(L, call->text);
}

static void set_bytes(lua_State *L, const char *name, fsblkcnt_t blocks,
                      const struct call *call) {
  lua_pushinteger(L, (lua_Integer)(blocks * call->space.f_frsize));
  lua_setfield(L, -2, name);
}

static void push_space(lua_State *L, const struct call *call) {
  lua_createtable(L, 0, 3);
  set_bytes(L, "total", call->space.f_blocks, call);
  set_bytes(L, "free", call->space.f_bfree, call);
  set_bytes(L, "available", call->space.f_bavail, call);
}

/* ---- the module ---------------------------------------------------------- */

/* What they have in common. */
#define KIND(name)                                                             \
  { .wait = {name, finish, job_interrupt}, .work = work, .free = free_call }

static const struct simple simple[] = {
  {KIND("access"), "pa", call_access, NULL},
  {KIND("chmod"), "pm", call_chmod, NULL},
  {KIND("chown"), "pug", call_chown, NULL},
  {KIND("link"), "pP", call_link, NULL},
  {KIND("lstat"), "p", call_lstat, push_info},
  {KIND("mkdir"), "po", call_mkdir, NULL},
  {KIND("readlink"), "p", call_readlink, push_text},
  {KIND("realpath"), "p", call_realpath, push_text},
  {KIND("rename"), "pP", call_rename, NULL},
  {KIND("space"), "p", call_space, push_space},
  {KIND("stat"), "p", call_stat, push_info},
  {KIND("symlink"), "pP", call_symlink, NULL},
  {KIND("utime"), "pAM", call_utime, NULL},
};

static const luaL_Reg functions[] = {
  {"copy", fs_copy},       {"entries", fs_entries},
  {"list", fs_list},       {"remove", fs_remove},
  {"tempdir", fs_tempdir}, {"tempfile", fs_tempfile},
  {"walk", fs_walk},       {NULL, NULL},
};

void fs_open_names(lua_State *L) {
  walk_open_class(L);
  tempdir_open_class(L);
  luaL_setfuncs(L, functions, 0);
  for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
    lua_pushlightuserdata(L, (void *)&simple[i]);
    lua_pushcclosure(L, start, 1);
    lua_setfield(L, -2, simple[i].kind.wait.name);
  }
}
