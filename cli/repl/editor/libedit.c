/* libedit.c - finds the functions of the library by their names. */
#include "cli/repl/editor/libedit.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

static struct libedit functions;

static const struct {
  const char *name;
  size_t offset;
} names[] = {
  {"el_init", offsetof(struct libedit, init)},
  {"el_end", offsetof(struct libedit, end)},
  {"el_gets", offsetof(struct libedit, gets)},
  {"el_set", offsetof(struct libedit, set)},
  {"el_wset", offsetof(struct libedit, wset)},
  {"el_source", offsetof(struct libedit, source)},
  {"el_resize", offsetof(struct libedit, resize)},
  {"el_line", offsetof(struct libedit, line)},
  {"el_wline", offsetof(struct libedit, wline)},
  {"el_insertstr", offsetof(struct libedit, insertstr)},
  {"history", offsetof(struct libedit, history)},
  {"history_init", offsetof(struct libedit, history_init)},
  {"history_end", offsetof(struct libedit, history_end)},
};

/* It stays loaded: the program is about to read lines until it ends. */
const struct libedit *libedit_load(const char **why) {
  static bool loaded;
  if (loaded) return &functions;
  void *library = dlopen(NEAP_LIBEDIT, RTLD_LAZY | RTLD_LOCAL);
  if (library == NULL) {
    *why = "no " NEAP_LIBEDIT " here";
    return NULL;
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *symbol = dlsym(library, names[i].name);
    if (symbol == NULL) {
      *why = "this " NEAP_LIBEDIT " is too old";
      return NULL;
    }
    *(void **)((char *)&functions + names[i].offset) = symbol;
  }
  loaded = true;
  return &functions;
}
