/* name.c - judges names, and makes one of a path. Bytes above ASCII belong to
 * letters of UTF-8, and pass. */
#include "cli/name.h"

#include <stdbool.h>
#include <string.h>

static bool is_shown(char byte) {
  unsigned char c = (unsigned char)byte;
  return c >= ' ' && c != 0x7f;
}

const char *name_problem(const char *name) {
  size_t size = strlen(name);
  if (size == 0) return "is empty";
  if (size > NAME_MOST) return "is longer than 64 bytes";
  if (strchr(name, '/') != NULL) return "holds a '/'";
  if (strspn(name, "0123456789") == size) return "is a number, like a PID";
  if (name[0] == '-') return "looks like an option";
  for (size_t i = 0; i < size; i++)
    if (!is_shown(name[i])) return "holds what cannot be printed";
  return NULL;
}

/* A letter of UTF-8 is not cut in two. */
static size_t shortened(const char *text, size_t size) {
  if (size <= NAME_MOST) return size;
  size = NAME_MOST;
  while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) size--;
  return size;
}

void name_of_script(const char *path, char name[NAME_MOST + 1]) {
  const char *slash = strrchr(path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  size_t size = strlen(base);
  if (size > 4 && strcmp(base + size - 4, ".lua") == 0) size -= 4;
  size = shortened(base, size);
  for (size_t i = 0; i < size; i++) name[i] = is_shown(base[i]) ? base[i] : '?';
  name[size] = '\0';
}
