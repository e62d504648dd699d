/* cookies.c - rows of Cookie headers, and what they say: "name=value|", with the
 * value decoded. What a fuzzer has found becomes a row. */
#include "modules/http/values/cookies.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *header, *pairs;
} rows[] = {
  {"", ""},
  {"a=1", "a=1|"},
  {"a=1; b=2", "a=1|b=2|"},
  {"a=1;b=2;", "a=1|b=2|"},
  {" \ta\t=\t1 ; ", "a=1|"},
  {"a", ""},
  {"=a", ""},
  {" = a", ""},
  {";", ""},
  {"=", ""},
  {"a=", "a=|"},
  {"a==", "a==|"},
  {"a=\"\"", "a=|"},
  {"a=\"", "a=\"|"},
  {"a=\"b c\"", "a=b c|"},
  {"a= \"b\" ", "a=b|"},
  {"a=\"b;c\"", "a=\"b|"}, /* a semicolon ends it, quotes or not */
  {"a=%41%zz%4", "a=A%zz%4|"},
  {"%41=1", "%41=1|"},
  {"a=%", "a=%|"},
};

static void read_all(const char *header, size_t size, char *text) {
  struct cookie cookie;
  while (cookies_next(&header, &size, &cookie)) {
    memcpy(text, cookie.name, cookie.name_size);
    text += cookie.name_size;
    *text++ = '=';
    text += cookies_decode(text, cookie.value, cookie.value_size);
    *text++ = '|';
  }
  *text = '\0';
}

int main(void) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[100];
    size_t size = strlen(rows[i].header);
    char *header = malloc(size > 0 ? size : 1); /* no byte more */
    assert(header != NULL);
    memcpy(header, rows[i].header, size);
    read_all(header, size, text);
    free(header);
    if (strcmp(text, rows[i].pairs) == 0) continue;
    fprintf(stderr, "%s: %s, not %s\n", rows[i].header, text, rows[i].pairs);
    return 1;
  }
  return 0;
}
