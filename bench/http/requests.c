/* requests - see requests.h. */
#include "requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS = 4096, LINE = 1024, MOST = 10000 };

static char headers[HEADERS];
static struct request *list;
static size_t count, next;

static void *check(void *memory) {
  if (memory == NULL) answer_fail("no memory");
  return memory;
}

void requests_add_header(const char *header) {
  size_t had = strlen(headers);
  int size = snprintf(headers + had, HEADERS - had, "%s\r\n", header);
  if ((size_t)size >= HEADERS - had) answer_fail("too many headers");
}

static bool is_one_of(const char *word, const char *words[]) {
  for (; *words != NULL; words++)
    if (strcmp(word, *words) == 0) return true;
  return false;
}

/* The head and its body, or the same head again and again. */
static void make(struct request *request, const char *method, const char *path,
                 const struct requests_options *options, const char *port) {
  static const char *with_body[] = {"POST", "PUT", "PATCH", NULL};
  char head[HEADERS + LINE + 512];
  int size =
    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n%s",
             method, path, port, headers);
  if (is_one_of(method, with_body))
    size += snprintf(head + size, sizeof head - (size_t)size,
                     "Content-Length: %zu\r\n", options->upload);
  size += snprintf(head + size, sizeof head - (size_t)size, "\r\n");
  size_t one = (size_t)size + options->upload;
  request->size = one * options->depth;
  request->bytes = check(malloc(request->size));
  memset(request->bytes, '.', request->size);
  for (unsigned i = 0; i < options->depth; i++)
    memcpy(request->bytes + i * one, head, (size_t)size);
}

static void make_one(char *line, const struct requests_options *options,
                     const char *port) {
  char *rest;
  const char *method = strtok_r(line, " ", &rest);
  const char *path = strtok_r(NULL, " ", &rest);
  const char *text = strtok_r(NULL, "\n", &rest);
  if (text == NULL || count == MOST) answer_fail("a list that is wrong");
  struct request *request = &list[count++];
  request->expected.text = check(strdup(text));
  request->expected.length = strlen(text);
  make(request, method, path, options, port);
}

static void make_list(const struct requests_options *options,
                      const char *port) {
  char line[LINE];
  FILE *file = fopen(options->list, "r");
  if (file == NULL) answer_fail("%s: %s", options->list, strerror(errno));
  list = check(calloc(MOST, sizeof *list));
  while (fgets(line, sizeof line, file) != NULL) make_one(line, options, port);
  fclose(file);
  if (count == 0) answer_fail("a list without requests");
}

void requests_make(const struct requests_options *options, const char *port,
                   const struct expected *expected) {
  if (options->list != NULL) {
    make_list(options, port);
    return;
  }
  list = check(calloc(1, sizeof *list));
  list->expected = *expected;
  count = 1;
  make(list, options->upload > 0 ? "PUT" : "GET", options->path, options, port);
}

struct request *requests_next(void) {
  struct request *request = &list[next];
  next = (next + 1) % count;
  return request;
}
