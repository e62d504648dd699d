/* origin.c - finds a script's line, and keeps the names of files. */
#include "host/origin.h"

#include <stdlib.h>
#include <string.h>

#include "host/host.h"

enum { LEVELS_MOST = 16 }; /* C functions between us and a line of Lua */

struct source {
  struct source *next;
  char name[LUA_IDSIZE];
};

/* The last one found comes first: nearly always it is asked for again. */
static const char *keep(struct host *host, const char *name) {
  struct source **link = &host->sources;
  if (*link != NULL && strcmp((*link)->name, name) == 0) return (*link)->name;
  while (*link != NULL && strcmp((*link)->name, name) != 0)
    link = &(*link)->next;
  struct source *source = *link;
  if (source == NULL) {
    source = malloc(sizeof *source);
    if (source == NULL) return NULL;
    strncpy(source->name, name, sizeof source->name - 1);
    source->name[sizeof source->name - 1] = '\0';
  } else {
    *link = source->next;
  }
  source->next = host->sources;
  host->sources = source;
  return source->name;
}

/* What is compiled into the program is named so: see embedded_load. */
static bool is_ours(const lua_Debug *ar) {
  return strncmp(ar->source, "@neap:", 6) == 0;
}

static struct origin find(struct host *host, lua_State *L, int level,
                          bool skips) {
  lua_Debug ar;
  for (int end = level + LEVELS_MOST; level < end; level++) {
    if (!lua_getstack(L, level, &ar)) break;
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0 && !(skips && is_ours(&ar)))
      return (struct origin){keep(host, ar.short_src), ar.currentline};
  }
  return (struct origin){NULL, 0};
}

struct origin origin_here(lua_State *L) {
  return find(host_of(L), L, 1, false);
}

struct origin origin_of_script(lua_State *L) {
  return find(host_of(L), L, 1, true);
}

struct origin origin_of(struct host *host, lua_State *co) {
  return find(host, co, 0, false);
}

struct origin origin_of_function(lua_State *L, int index) {
  lua_Debug ar;
  struct origin none = {NULL, 0};
  if (!lua_isfunction(L, index) || lua_iscfunction(L, index)) return none;
  lua_pushvalue(L, index);
  lua_getinfo(L, ">S", &ar);
  return (struct origin){keep(host_of(L), ar.short_src), ar.linedefined};
}

void origin_free_all(struct host *host) {
  while (host->sources != NULL) {
    struct source *source = host->sources;
    host->sources = source->next;
    free(source);
  }
}
