/* core.c - the functions that the Lua of the REPL is given, and those for its
 * history: a file that nobody else may read. */
#include "cli/repl/core.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/input.h"
#include "cli/repl/editor/editor.h"
#include "cli/repl/interrupt.h"
#include "host/embedded.h"

/* ---- the history file ---------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t count = write(fd, bytes, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= (size_t)count;
  }
  return true;
}

/* It may be a link to /dev/null, which belongs to everybody. */
static void keep_private(int fd) {
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) fchmod(fd, 0600);
}

/* Several programs may add to one file: each entry is one write at its end. */
static bool put(const char *path, int flags, const char *text, size_t size) {
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (fd < 0) return false;
  keep_private(fd);
  bool good = write_all(fd, text, size);
  return close(fd) == 0 && good;
}

static int append_text(lua_State *L) { /* path, text */
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  lua_pushboolean(L, put(luaL_checkstring(L, 1), O_APPEND, text, size));
  return 1;
}

static int replace_text(lua_State *L) { /* path, text */
  size_t size;
  const char *path = luaL_checkstring(L, 1);
  const char *text = luaL_checklstring(L, 2, &size);
  const char *other = lua_pushfstring(L, "%s.%d", path, (int)getpid());
  bool good =
    put(other, O_TRUNC | O_NOFOLLOW, text, size) && rename(other, path) == 0;
  if (!good) unlink(other);
  lua_pushboolean(L, good);
  return 1;
}

static int make_directory(lua_State *L) { /* path */
  const char *path = luaL_checkstring(L, 1);
  lua_pushboolean(L, mkdir(path, 0700) == 0 || errno == EEXIST);
  return 1;
}

/* ---- what is in the program ---------------------------------------------- */

static int load_part(lua_State *L) { /* path: its chunk */
  embedded_load(L, luaL_checkstring(L, 1));
  return 1;
}

static int list_stubs(lua_State *L) { /* { path = text } */
  static const char folder[] = "types/";
  lua_newtable(L);
  for (const struct embedded *file = embedded_files; file->name; file++) {
    if (strncmp(file->name, folder, strlen(folder)) != 0) continue;
    lua_pushlstring(L, file->source, file->size);
    lua_setfield(L, -2, file->name);
  }
  return 1;
}

static int is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
  return 1;
}

/* ---- the table ----------------------------------------------------------- */

static const luaL_Reg functions[] = {
  {"append_text", append_text},       {"interrupt_line", interrupt_line},
  {"interrupt_take", interrupt_take}, {"interrupt_wait", interrupt_wait},
  {"is_terminal", is_terminal},       {"list_stubs", list_stubs},
  {"load_part", load_part},           {"make_directory", make_directory},
#ifdef NEAP_HAS_LIBEDIT
  {"open_editor", editor_open},
#endif
  {"replace_text", replace_text},     {NULL, NULL},
};

void repl_push_core(lua_State *L) {
  luaL_newlib(L, functions);
  input_push(L);
  lua_setfield(L, -3, "read_input");
  lua_setfield(L, -2, "open_input");
}
