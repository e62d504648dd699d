/* command.c - see command.h. */
#include "modules/process/command.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "host/error.h"
#include "host/handle.h"

extern char **environ;

enum { ARGUMENTS_MOST = 1 << 20 };

/* ---- strings ------------------------------------------------------------- */

/* The value on top, which stays where it is: that of something the script
 * holds, so the string lives as long. */
static const char *check_string(lua_State *L, int argument, const char *what) {
  size_t size;
  int type = lua_type(L, -1);
  if (type != LUA_TSTRING && type != LUA_TNUMBER)
    luaL_argerror(L, argument,
                  lua_pushfstring(L, "%s is a string, not a %s", what,
                                  lua_typename(L, type)));
  const char *text = lua_tolstring(L, -1, &size);
  if (strlen(text) != size)
    luaL_argerror(L, argument, lua_pushfstring(L, "%s contains a zero", what));
  return text;
}

/* Adds the string on top to the list of them at `list`, which keeps it, and
 * pops it. */
static void keep(lua_State *L, int list) {
  lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
}

/* The list of strings at `list` as an array: pushes it. */
static char **push_array(lua_State *L, int list) {
  size_t count = (size_t)lua_rawlen(L, list);
  char **array = lua_newuserdatauv(L, (count + 1) * sizeof *array, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    array[i] = (char *)lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  array[count] = NULL;
  return array;
}

/* ---- the list ------------------------------------------------------------ */

static char **check_list(lua_State *L) {
  char what[40];
  if (lua_type(L, 1) == LUA_TSTRING)
    luaL_argerror(L, 1,
                  "a list is expected: { \"ls\", \"-l\" }; for a shell: "
                  "{ \"sh\", \"-c\", \"ls -l | wc\" }");
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = luaL_len(L, 1);
  luaL_argcheck(L, count > 0, 1, "an empty list: it names no program");
  luaL_argcheck(L, count <= ARGUMENTS_MOST, 1, "too long a list");
  lua_createtable(L, (int)count, 0);
  int list = lua_gettop(L);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, 1, i);
    snprintf(what, sizeof what, "element %d of the list", (int)i);
    check_string(L, 1, what);
    keep(L, list);
  }
  return push_array(L, list);
}

/* ---- the environment ----------------------------------------------------- */

static const char *check_variable(lua_State *L) { /* its name lies at -2 */
  if (lua_type(L, -2) != LUA_TSTRING)
    luaL_argerror(L, 2, "env is a table of names and values");
  const char *name = lua_tostring(L, -2);
  if (*name == '\0' || strlen(name) != lua_rawlen(L, -2) ||
      strchr(name, '=') != NULL)
    luaL_argerror(L, 2,
                  lua_pushfstring(L, "no variable has the name '%s'", name));
  return name;
}

/* Those of ours that the table at `changes` (or 0) does not name. */
static void keep_ours(lua_State *L, int changes, int list) {
  for (char **item = environ; item != NULL && *item != NULL; item++) {
    const char *equals = strchr(*item, '=');
    if (changes != 0 && equals != NULL) {
      lua_pushlstring(L, *item, (size_t)(equals - *item));
      bool is_changed = lua_rawget(L, changes) != LUA_TNIL;
      lua_pop(L, 1);
      if (is_changed) continue;
    }
    lua_pushstring(L, *item);
    keep(L, list);
  }
}

static void keep_changes(lua_State *L, int changes, int list) {
  lua_pushnil(L);
  while (lua_next(L, changes) != 0) {
    const char *name = check_variable(L);
    bool is_removed = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    if (!is_removed) {
      lua_pushfstring(L, "the value of %s", name);
      lua_insert(L, -2);
      check_string(L, 2, lua_tostring(L, -2));
      lua_pushfstring(L, "%s=%s", name, lua_tostring(L, -1));
      keep(L, list);
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
}

static bool inherits_env(lua_State *L) {
  if (lua_isnil(L, 2)) return true;
  if (lua_getfield(L, 2, "inherit_env") != LUA_TNIL && !lua_isboolean(L, -1))
    luaL_argerror(L, 2, "inherit_env is true or false");
  bool inherits = lua_isnil(L, -1) || lua_toboolean(L, -1);
  lua_pop(L, 1);
  return inherits;
}

static char **check_env(lua_State *L) {
  int changes = 0;
  bool inherits = inherits_env(L);
  if (!lua_isnil(L, 2) && lua_getfield(L, 2, "env") != LUA_TNIL) {
    changes = lua_gettop(L);
    if (lua_type(L, changes) != LUA_TTABLE)
      luaL_argerror(L, 2, "env is a table of names and values");
  }
  if (changes == 0 && inherits) return environ;
  lua_newtable(L);
  int list = lua_gettop(L);
  if (inherits) keep_ours(L, changes, list);
  if (changes != 0) keep_changes(L, changes, list);
  return push_array(L, list);
}

void command_check(lua_State *L, struct launch *launch) {
  *launch = (struct launch){.files = {LAUNCH_NULL, LAUNCH_NULL, LAUNCH_NULL}};
  luaL_checkstack(L, 20, NULL);
  launch->argv = check_list(L);
  launch->env = check_env(L);
  if (lua_isnil(L, 2)) return;
  if (lua_getfield(L, 2, "cwd") != LUA_TNIL)
    launch->cwd = check_string(L, 2, "cwd");
}

/* ---- its standard files -------------------------------------------------- */

/* A file of io's, or a handle that has one for others; below 0: neither. */
static int descriptor_at(lua_State *L, int index) {
  const luaL_Stream *file = luaL_testudata(L, index, LUA_FILEHANDLE);
  if (file != NULL) {
    if (file->closef == NULL) return -1;
    fflush(file->f);
    return fileno(file->f);
  }
  if (!handle_is_box(L, index)) return -1;
  const struct handle *h = handle_check_box(L, index);
  bool has_one = h != NULL && h->descriptor != NULL && !h->ended && !h->closing;
  return has_one ? h->descriptor(h) : -1;
}

static int check_open_file(lua_State *L, const char *name) {
  int fd = descriptor_at(L, lua_gettop(L));
  if (fd < 0)
    luaL_argerror(L, 2,
                  lua_pushfstring(L,
                                  "%s is \"pipe\", \"inherit\", \"null\" or "
                                  "an open file",
                                  name));
  return fd;
}

static int check_name(lua_State *L, int file, const char *name) {
  const char *text = lua_tostring(L, -1);
  if (strcmp(text, "pipe") == 0) return FILE_PIPE;
  if (strcmp(text, "inherit") == 0) return file;
  if (strcmp(text, "null") == 0) return LAUNCH_NULL;
  if (strcmp(text, "stdout") == 0 && file == STDERR_FILENO)
    return FILE_AS_OUTPUT;
  lua_pushfstring(L,
                  "%s is \"pipe\", \"inherit\", \"null\"%s or an open file, "
                  "not \"%s\"",
                  name, file == STDERR_FILENO ? ", \"stdout\"" : "", text);
  return luaL_argerror(L, 2, lua_tostring(L, -1));
}

void command_check_file(lua_State *L, struct launch *launch, int file,
                        const char *name, int otherwise) {
  launch->files[file] = otherwise;
  if (lua_isnil(L, 2)) return;
  int type = lua_getfield(L, 2, name);
  if (type == LUA_TSTRING)
    launch->files[file] = check_name(L, file, name);
  else if (type != LUA_TNIL)
    launch->files[file] = check_open_file(L, name);
  if (launch->files[file] == FILE_AS_OUTPUT &&
      launch->files[STDOUT_FILENO] >= LAUNCH_NULL)
    launch->files[file] = launch->files[STDOUT_FILENO];
  if (file == STDIN_FILENO) launch->shares = launch->files[file] == file;
}

int command_pipe(struct launch *launch, int file, int *theirs) {
  uv_file ends[2];
  bool reads = file == STDIN_FILENO; /* the child does */
  int status =
    uv_pipe(ends, reads ? 0 : UV_NONBLOCK_PIPE, reads ? UV_NONBLOCK_PIPE : 0);
  if (status < 0) return status;
  *theirs = launch->files[file] = reads ? ends[0] : ends[1];
  return reads ? ends[1] : ends[0];
}

int command_error(lua_State *L, int status, const char *what, bool cwd_failed) {
  luaL_checkstack(L, 10, NULL);
  lua_geti(L, 1, 1);
  if (cwd_failed) {
    lua_getfield(L, 2, "cwd");
    lua_pushfstring(L, "%s %s: cwd %s", what, lua_tostring(L, -2),
                    lua_tostring(L, -1));
  } else {
    lua_pushfstring(L, "%s %s", what, lua_tostring(L, -1));
  }
  return error_result(L, status, lua_tostring(L, -1));
}
