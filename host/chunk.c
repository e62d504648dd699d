/* chunk.c - what is loaded is what was noted: a file is read once, as a whole. */
#include "host/chunk.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/fingerprint.h"
#include "host/generation.h"
#include "host/host.h"

/* ---- notes --------------------------------------------------------------- */

/* notes[list][path] = the value on top, which it pops. */
static void note(lua_State *L, const char *list, const char *path) {
  struct generation *generation = generation_here(L);
  if (generation != generation->host->root) {
    generation_push_notes(L, generation);
    luaL_getsubtable(L, -1, list);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, path);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

static void push_fingerprint(lua_State *L, struct fingerprint print) {
  char text[FINGERPRINT_TEXT];
  fingerprint_format(&print, text);
  lua_pushstring(L, text);
}

/* Somebody watches the files of this generation. */
static void tell(lua_State *L, const char *path) {
  generation_push_notes(L, generation_here(L));
  if (lua_getfield(L, -1, "on_file") == LUA_TFUNCTION) {
    lua_pushstring(L, path);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
  } else {
    lua_pop(L, 2);
  }
}

void chunk_note_file(lua_State *L, const char *path, const char *notes) {
  struct fingerprint print;
  if (fingerprint_file(path, &print))
    push_fingerprint(L, print);
  else
    lua_pushboolean(L, 0);
  note(L, notes, path);
  tell(L, path);
}

/* ---- the file ------------------------------------------------------------ */

struct text {
  char *bytes;
  size_t size, room;
};

static bool grow(struct text *text) {
  size_t room = text->room == 0 ? 16384 : text->room * 2;
  char *bytes = realloc(text->bytes, room);
  if (bytes == NULL) return false;
  text->bytes = bytes;
  text->room = room;
  return true;
}

/* 0, or errno. No Lua, so that nothing can be raised while it is open. */
static int read_all(const char *path, struct text *text) {
  int error = 0;
  FILE *file = fopen(path, "rb");
  if (file == NULL) return errno;
  while (error == 0 && !feof(file)) {
    if (text->size == text->room && !grow(text)) {
      error = ENOMEM;
    } else {
      text->size +=
        fread(text->bytes + text->size, 1, text->room - text->size, file);
      if (ferror(file)) error = errno;
    }
  }
  fclose(file);
  return error;
}

/* A mark of UTF-8 is left out, and a first line that begins with '#', but for
 * its end: so the others keep their numbers. */
static size_t skip(const struct text *text) {
  const char *bytes = text->bytes;
  size_t at = 0;
  if (text->size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) at = 3;
  if (at == text->size || bytes[at] != '#') return at;
  const char *end = memchr(bytes + at, '\n', text->size - at);
  if (end == NULL) return text->size;
  at = (size_t)(end - bytes);
  bool binary = at + 1 < text->size && bytes[at + 1] == LUA_SIGNATURE[0];
  return binary ? at + 1 : at;
}

static int load(lua_State *L, const struct text *text, const char *name) {
  size_t at = skip(text);
  return luaL_loadbuffer(L, text->bytes + at, text->size - at, name);
}

static int file_error(lua_State *L, const char *path, int error) {
  lua_pushfstring(L, "cannot %s %s: %s", error == EISDIR ? "read" : "open",
                  path, strerror(error));
  return LUA_ERRFILE;
}

int chunk_load(lua_State *L, const char *path, const char *module) {
  struct text text = {NULL, 0, 0};
  struct fingerprint print = {0, 0};
  const char *name = lua_pushfstring(L, "@%s", path);
  int status, error = read_all(path, &text);
  if (error == 0) {
    print = fingerprint_bytes(text.bytes, text.size);
    status = load(L, &text, name);
  } else {
    status = file_error(L, path, error);
  }
  free(text.bytes);
  lua_remove(L, -2); /* the name */
  if (error == 0)
    push_fingerprint(L, print);
  else
    lua_pushboolean(L, 0);
  note(L, "files", path);
  if (module != NULL) {
    lua_pushstring(L, module);
    note(L, "modules", path);
  }
  tell(L, path);
  return status;
}
