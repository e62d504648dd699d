/* coverage.c - counts how often each line of Lua is run.
 *
 * Only once it has been asked for: then every coroutine has a hook, those that
 * tasks are given (pool.h) and those that scripts make, which have their maker's.
 * The counts are kept by the name of the file: it is the same in all versions of
 * a module. */
#include <lauxlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/test/core.h"
#include "host/host.h"
#include "host/pool.h"

struct file {
  struct file *next;
  char *name;
  uint32_t *counts; /* of line i + 1 */
  int size;
};

static struct file *files; /* what was used last comes first */

static struct file *new_file(const char *name) {
  struct file *file = calloc(1, sizeof *file);
  if (file == NULL) return NULL;
  file->name = strdup(name);
  if (file->name == NULL) {
    free(file);
    return NULL;
  }
  return file;
}

static struct file *find(const char *name) {
  struct file **link = &files;
  if (*link != NULL && strcmp((*link)->name, name) == 0) return *link;
  while (*link != NULL && strcmp((*link)->name, name) != 0)
    link = &(*link)->next;
  struct file *file = *link;
  if (file != NULL)
    *link = file->next;
  else
    file = new_file(name);
  if (file == NULL) return NULL;
  file->next = files;
  files = file;
  return file;
}

static bool has_line(struct file *file, int line) {
  if (line <= file->size) return true;
  int size = line * 2 + 64;
  uint32_t *counts = realloc(file->counts, (size_t)size * sizeof *counts);
  if (counts == NULL) return false;
  memset(counts + file->size, 0, (size_t)(size - file->size) * sizeof *counts);
  file->counts = counts;
  file->size = size;
  return true;
}

static void on_line(lua_State *L, lua_Debug *ar) {
  int line = ar->currentline;
  lua_getinfo(L, "S", ar);
  if (ar->source[0] != '@' || line <= 0) return;
  struct file *file = find(ar->source + 1);
  if (file != NULL && has_line(file, line) &&
      file->counts[line - 1] < UINT32_MAX)
    file->counts[line - 1]++;
}

/* cover(): from now on */
static int cover(lua_State *L) {
  pool_set_hook(&host_of(L)->pool, on_line, LUA_MASKLINE);
  lua_sethook(L, on_line, LUA_MASKLINE, 0);
  return 0;
}

/* covered() -> { [path] = { [line] = count } } */
static int covered(lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
  lua_newtable(L);
  for (const struct file *file = files; file != NULL; file = file->next) {
    lua_newtable(L);
    for (int i = 0; i < file->size; i++) {
      if (file->counts[i] == 0) continue;
      lua_pushinteger(L, file->counts[i]);
      lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, file->name);
  }
  return 1;
}

static const luaL_Reg functions[] = {
  {"cover", cover},
  {"covered", covered},
  {NULL, NULL},
};

void test_add_coverage(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
