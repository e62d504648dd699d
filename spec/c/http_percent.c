/* http_percent.c - percent.h: each byte there and back, and the paths that a
 * request may not name. */
#include "modules/http/values/percent.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_each_byte(void) {
  char plain[256], encoded[3 * 256], decoded[3 * 256];
  for (int i = 0; i < 256; i++) plain[i] = (char)i;
  size_t size = percent_encode(encoded, plain, sizeof plain);
  assert(percent_is_valid(encoded, size));
  for (size_t i = 0; i < size; i++)
    assert(strchr("\"'<>&/?#+ ", encoded[i]) == NULL);
  assert(percent_decode(decoded, encoded, size, true) == sizeof plain);
  assert(memcmp(plain, decoded, sizeof plain) == 0);
}

static void check_decoded(const char *text, bool plus, const char *expected) {
  char to[64];
  size_t size = percent_decode(to, text, strlen(text), plus);
  assert(size == strlen(expected) && memcmp(to, expected, size) == 0);
  char same[64];
  strcpy(same, text);
  assert(percent_decode(same, same, strlen(text), plus) == size);
  assert(memcmp(same, expected, size) == 0);
}

static void test_decode(void) {
  check_decoded("", false, "");
  check_decoded("a%20b", false, "a b");
  check_decoded("%41%6a%6A", false, "Ajj");
  check_decoded("a+b", false, "a+b");
  check_decoded("a+b%2b", true, "a b+");
  check_decoded("%", false, "%");
  check_decoded("%4", false, "%4");
  check_decoded("%4g%g4%%41", false, "%4g%g4%A");
  check_decoded("%252e", false, "%2e");
  assert(percent_is_valid("%41", 3) && percent_is_valid("", 0));
  assert(!percent_is_valid("%4", 2) && !percent_is_valid("a%", 2));
  assert(!percent_is_valid("%4g", 3));
}

struct row {
  const char *path, *name; /* NULL: refused */
  bool is_directory, is_hidden;
  enum path_fault fault;
};

static const struct row rows[] = {
  {"/", "", true, false, PATH_OK},
  {"///", "", true, false, PATH_OK},
  {"/a", "a", false, false, PATH_OK},
  {"/a/", "a", true, false, PATH_OK},
  {"//a///b//", "a/b", true, false, PATH_OK},
  {"/a%20b/c%25", "a b/c%", false, false, PATH_OK},
  {"/%252e%252e/x", "%2e%2e/x", false, false, PATH_OK},
  {"/...", "...", false, true, PATH_OK},
  {"/..a/b", "..a/b", false, true, PATH_OK},
  {"/a../b", "a../b", false, false, PATH_OK},
  {"/.git/x", ".git/x", false, true, PATH_OK},
  {"/a/%2egit", "a/.git", false, true, PATH_OK},
  {"/a%5cb", "a\\b", false, false, PATH_OK},
  {"/%01%ff", "\x01\xff", false, false, PATH_OK},
  {"/C:/x", "C:/x", false, false, PATH_OK},

  {"", NULL, false, false, PATH_MALFORMED},
  {"a", NULL, false, false, PATH_MALFORMED},
  {"../a", NULL, false, false, PATH_MALFORMED},
  {"/%", NULL, false, false, PATH_MALFORMED},
  {"/%2", NULL, false, false, PATH_MALFORMED},
  {"/%zz", NULL, false, false, PATH_MALFORMED},
  {"/a%00b", NULL, false, false, PATH_MALFORMED},
  {"/%00", NULL, false, false, PATH_MALFORMED},

  {"/.", NULL, false, false, PATH_OUTSIDE},
  {"/..", NULL, false, false, PATH_OUTSIDE},
  {"/../etc/passwd", NULL, false, false, PATH_OUTSIDE},
  {"/a/../b", NULL, false, false, PATH_OUTSIDE},
  {"/a/./b", NULL, false, false, PATH_OUTSIDE},
  {"/a/..", NULL, false, false, PATH_OUTSIDE},
  {"/a/../", NULL, false, false, PATH_OUTSIDE},
  {"/%2e%2e/x", NULL, false, false, PATH_OUTSIDE},
  {"/%2E./x", NULL, false, false, PATH_OUTSIDE},
  {"/.%2e/x", NULL, false, false, PATH_OUTSIDE},
  {"/%2e/x", NULL, false, false, PATH_OUTSIDE},
  {"/..%2fx", NULL, false, false, PATH_OUTSIDE},
  {"/a%2f..%2f..%2fx", NULL, false, false, PATH_OUTSIDE},
  {"/%2f", NULL, false, false, PATH_OUTSIDE},
  {"/%2Fetc/passwd", NULL, false, false, PATH_OUTSIDE},
  {"/..\\x", NULL, false, false, PATH_OUTSIDE},
  {"/a\\b", NULL, false, false, PATH_OUTSIDE},
  {"/..%5cx", NULL, false, false, PATH_OUTSIDE},
  {"/a%5c..%5cx", NULL, false, false, PATH_OUTSIDE},
  {"/%2e%2e%5cx", NULL, false, false, PATH_OUTSIDE},
  {"/a%5c..", NULL, false, false, PATH_OUTSIDE},
  {"/a%5C.%5Cx", NULL, false, false, PATH_OUTSIDE},
};

static void test_paths(void) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct row *row = &rows[i];
    size_t size = strlen(row->path);
    char *to = malloc(size == 0 ? 1 : size); /* not a byte more */
    struct path_name name;
    enum path_fault fault = path_normalize(to, row->path, size, &name);
    if (fault != row->fault) fprintf(stderr, "%s: %d\n", row->path, fault);
    assert(fault == row->fault);
    if (fault == PATH_OK) {
      assert(name.size == strlen(row->name));
      assert(memcmp(to, row->name, name.size) == 0);
      assert(name.is_directory == row->is_directory);
      assert(name.is_hidden == row->is_hidden);
    }
    free(to);
  }
}

int main(void) {
  test_each_byte();
  test_decode();
  test_paths();
  return 0;
}
