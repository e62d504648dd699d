/* multipart_run.h - a body goes through a multipart parser in the pieces that the
 * test wants, and what comes out is written down as text, to be compared.
 *
 *   [name|filename|text/plain:what is in it]      a part
 *   [name:what has come of it                     one that is not whole
 *   .   the end      ! bad      ^ too large       and nothing: it wants more
 *
 * Each piece is memory of its own, so that a sanitizer sees a step outside. */
#ifndef SPEC_MULTIPART_RUN_H
#define SPEC_MULTIPART_RUN_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/http/forms/multipart.h"
#include "spec/c/outcome.h"

struct run {
  struct multipart parser;
  struct outcome outcome;
  size_t given;   /* bytes that went in */
  size_t carried; /* that came out as data */
  bool in_part, over;
};

static void say_decoded(struct run *run, struct slice sent,
                        size_t decode(const struct disposition *, char *)) {
  char *to = malloc(sent.size + 1); /* + 1: malloc(0) may be NULL */
  assert(to != NULL);
  size_t size = decode(&run->parser.head.disposition, to);
  assert(size <= sent.size);
  say(&run->outcome, to, size);
  free(to);
}

/* A head that was let through is within its limits, and has no control byte. */
static void check_head(const struct run *run) {
  const struct part_head *head = &run->parser.head;
  assert(head->size <= run->parser.limits.header_size);
  assert(head->count >= 1 && head->count <= run->parser.limits.headers);
  for (unsigned i = 0; i < head->count; i++) {
    const struct part_header *header = &head->headers[i];
    assert(header->name_size > 0);
    assert(header->name + header->name_size < header->value + 1);
    assert(header->value + header->value_size <= head->size);
    for (uint32_t k = 0; k < header->value_size; k++) {
      unsigned char c = (unsigned char)head->bytes[header->value + k];
      assert((c >= ' ' || c == '\t') && c != 0x7f);
    }
  }
}

static void say_head(struct run *run) {
  const struct part_head *head = &run->parser.head;
  const struct disposition *disposition = &head->disposition;
  struct slice type = part_head_find(head, "content-type");
  check_head(run);
  assert(disposition->name.bytes != NULL);
  say(&run->outcome, "[", 1);
  say_decoded(run, disposition->name, disposition_name);
  if (disposition->filename.bytes != NULL) {
    say(&run->outcome, "|", 1);
    say_decoded(run, disposition->filename, disposition_filename);
  }
  if (type.bytes != NULL) {
    say(&run->outcome, "|", 1);
    say(&run->outcome, type.bytes, type.size);
  }
  say(&run->outcome, ":", 1);
}

static void take_event(struct run *run, enum multipart_event event) {
  const struct multipart *parser = &run->parser;
  switch (event) {
    case MULTIPART_PART:
      assert(!run->in_part);
      run->in_part = true;
      say_head(run);
      break;
    case MULTIPART_DATA:
      assert(run->in_part && parser->data.size > 0);
      run->carried += parser->data.size;
      say(&run->outcome, parser->data.bytes, parser->data.size);
      break;
    case MULTIPART_PART_END:
      assert(run->in_part);
      run->in_part = false;
      say(&run->outcome, "]", 1);
      break;
    case MULTIPART_END:
      assert(!run->in_part);
      say(&run->outcome, ".", 1);
      run->over = true;
      break;
    default:
      assert(parser->why != NULL && parser->fault != MULTIPART_FINE);
      assert(parser->fault != MULTIPART_NO_MEMORY);
      say(&run->outcome, parser->fault == MULTIPART_BAD ? "!" : "^", 1);
      run->outcome.why = parser->why;
      run->over = true;
  }
}

static void run_begin(struct run *run, const char *boundary,
                      const struct part_limits *limits) {
  memset(run, 0, sizeof *run);
  multipart_init(&run->parser, (struct slice){boundary, strlen(boundary)},
                 limits);
  say(&run->outcome, "", 0);
}

static void run_events(struct run *run, const char *bytes, size_t size) {
  enum multipart_event event = MULTIPART_MORE;
  while (!run->over && (event = multipart_next(&run->parser, &bytes, &size)) !=
                         MULTIPART_MORE)
    take_event(run, event);
  if (event == MULTIPART_MORE && !run->over) assert(size == 0);
}

static void run_piece(struct run *run, const char *bytes, size_t size) {
  char *copy = malloc(size == 0 ? 1 : size);
  assert(copy != NULL);
  memcpy(copy, bytes, size);
  run->given += size;
  run_events(run, copy, size);
  free(copy);
  assert(run->carried <= run->given);
}

/* Its text is the caller's. */
static struct outcome run_finish(struct run *run) {
  multipart_finish(&run->parser);
  run_events(run, "", 0);
  assert(run->over);
  multipart_free(&run->parser);
  return run->outcome;
}

#endif
