/* intake_run.h - bytes go through an intake in the pieces that the test wants,
 * and what comes out is written down as text, to be compared.
 *
 *   "GET / 1.1; Host: a"                       a request
 *   "POST / 1.1; Host: a; ... | hello | X: 1"  with a body, and trailers
 *   "GET / 1.0 close"                          and `continue`
 *   "400"                                      a refusal, which is the last
 *   "..."                                      a request that is not whole
 *
 * Each piece is memory of its own, so that a sanitizer sees a step outside. */
#ifndef SPEC_INTAKE_RUN_H
#define SPEC_INTAKE_RUN_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/http/intake.h"
#include "spec/c/outcome.h"

struct run {
  struct intake intake;
  struct head *spare;
  struct outcome outcome;
  struct outcome body; /* of the request that is read */
};

static void say_text(struct outcome *outcome, const char *text) {
  say(outcome, text, strlen(text));
}

static void say_pieces(struct outcome *outcome, const struct head *head,
                       unsigned from, unsigned end) {
  for (unsigned i = from; i < end; i++) {
    size_t size;
    const char *piece = head_piece(head, i, &size);
    assert(head->pieces[i].at + size <= head->size);
    say_text(outcome,
             (i - from) % 2 == 0 ? (i > from || i == 1 ? "; " : "") : ": ");
    say(outcome, piece, size);
  }
}

static bool is_in(const char *bytes, size_t size, const char *set) {
  for (size_t i = 0; i < size; i++)
    if (bytes[i] == '\0' || strchr(set, bytes[i]) == NULL) return false;
  return true;
}

static bool is_clean(const char *bytes, size_t size, unsigned char least) {
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if ((c < least && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

/* The lines are what their pieces say, and nothing is between them. */
static uint32_t check_lines(const struct head *head, unsigned from,
                            unsigned end, uint32_t at) {
  static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                              "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (unsigned i = from; i < end; i += 2) {
    struct head_piece name = head->pieces[i], value = head->pieces[i + 1];
    assert(name.at == at && name.size > 0);
    assert(is_in(head->data + at, name.size, token));
    at += name.size;
    assert(head->data[at] == ':' && value.at > at);
    at++;
    assert(is_in(head->data + at, value.at - at, " \t"));
    assert(is_clean(head->data + value.at, value.size, ' '));
    for (at = value.at + value.size; head->data[at] != '\r'; at++)
      assert(head->data[at] == ' ' || head->data[at] == '\t');
    assert(head->data[at + 1] == '\n');
    at += 2;
  }
  assert(memcmp(head->data + at, "\r\n", 2) == 0);
  return at + 2;
}

static unsigned count(const struct head *head, const char *name) {
  unsigned from = 0, found = 0;
  size_t size;
  while (head_find(head, name, strlen(name), &from, &size) != NULL) found++;
  return found;
}

/* A target that names a host names the one of Host. */
static void check_host(const struct head *head) {
  size_t size, host_size;
  unsigned from = 0;
  const char *target = head_piece(head, 0, &size);
  const char *host = head_find(head, "host", 4, &from, &host_size);
  if (target[0] == '/' || target[0] == '*' || host == NULL) return;
  const char *end = target + size;
  while (*target != '/') target++;
  target += 2;
  assert((size_t)(end - target) >= host_size);
  assert(head_alike(target, host, host_size));
  target += host_size;
  assert(target == end || *target == '/' || *target == '?');
}

/* What holds of every request, checked in another way than it was read. */
static void check_head(const struct intake *intake) {
  const struct head *head = intake->head;
  struct head_piece target = head->pieces[0];
  assert(head != NULL && head->count % 2 == 1 && head->trailers % 2 == 1);
  assert(head->trailers <= head->count && head->count <= head->room);
  assert((head->trailers - 1) / 2 <= intake->limits->headers);
  assert((head->count - head->trailers) / 2 <= intake->limits->headers);
  size_t method = strlen(head_method(head));
  assert(memcmp(head->data, head_method(head), method) == 0);
  assert(head->data[method] == ' ' && target.at == method + 1);
  assert(target.size > 0 && target.size <= intake->limits->target_size);
  assert(is_clean(head->data + target.at, target.size, '!'));
  assert(memchr(head->data + target.at, '\t', target.size) == NULL);
  uint32_t at = target.at + target.size;
  assert(memcmp(head->data + at, " HTTP/1.", 8) == 0);
  assert(memcmp(head->data + at + 9, "\r\n", 2) == 0);
  at = check_lines(head, 1, head->trailers, at + 11);
  check_host(head);
  assert(at <= intake->limits->header_size);
  if (at < head->size) {
    assert(intake->chunked);
    uint32_t end = check_lines(head, head->trailers, head->count, at);
    assert(end - at <= intake->limits->header_size);
    at = end;
  }
  assert(at == head->size);
  unsigned host = count(head, "host"), length = count(head, "content-length");
  unsigned encoding = count(head, "transfer-encoding");
  assert(host == 1 || (host == 0 && head->minor == 0));
  assert(length + encoding <= 1);
  assert(intake->chunked == (encoding == 1));
  assert(head->minor == 1 || !intake->chunked);
}

/* A request has ended: it is written down, and the next may come. */
static void run_end(struct run *run) {
  struct intake *intake = &run->intake;
  struct outcome *outcome = &run->outcome;
  struct head *head = intake->head;
  check_head(intake);
  assert(!intake->has_body || intake->chunked ||
         run->body.size == intake->length);
  assert(intake->has_body || run->body.size == 0);
  if (outcome->size > 0) say_text(outcome, " || ");
  say_text(outcome, head_method(head));
  say_text(outcome, " ");
  say_pieces(outcome, head, 0, 1);
  say_text(outcome, head->minor == 1 ? " 1.1" : " 1.0");
  if (!intake->keep_alive) say_text(outcome, " close");
  if (intake->expects_continue) say_text(outcome, " continue");
  say_pieces(outcome, head, 1, head->trailers);
  if (intake->has_body) {
    say_text(outcome, " | ");
    say(outcome, run->body.text, run->body.size);
  }
  if (head->count > head->trailers) {
    say_text(outcome, " | ");
    say_pieces(outcome, head, head->trailers, head->count);
  }
  run->body.size = 0;
  head_give_back(head, &run->spare);
  intake_next(intake);
  assert(intake_is_between(intake));
}

static size_t run_body(struct run *run, char *bytes, size_t size) {
  size_t decoded;
  size_t taken = intake_body(&run->intake, bytes, size, &decoded);
  assert(taken <= size && decoded <= taken);
  say(&run->body, bytes, decoded);
  assert(run->intake.chunked || run->body.size <= run->intake.length);
  return taken;
}

/* One piece; what it holds may be many requests. */
static void run_piece(struct run *run, const char *piece, size_t size) {
  struct intake *intake = &run->intake;
  char *bytes = malloc(size > 0 ? size : 1);
  assert(bytes != NULL);
  if (size > 0) memcpy(bytes, piece, size);
  size_t at = 0;
  while (at < size && intake->state != INTAKE_REFUSED) {
    size_t taken = intake->state == INTAKE_HEAD
                     ? intake_head(intake, bytes + at, size - at)
                     : run_body(run, bytes + at, size - at);
    assert(taken <= size - at);
    at += taken;
    assert(at == size || intake->state == INTAKE_END ||
           intake->state == INTAKE_BODY);
    if (intake->state == INTAKE_END) run_end(run);
  }
  free(bytes);
}

static void run_begin(struct run *run, const struct intake_limits *limits) {
  memset(run, 0, sizeof *run);
  intake_init(&run->intake, limits, &run->spare);
  say(&run->outcome, "", 0);
  say(&run->body, "", 0);
}

/* The text is the caller's to free. */
static struct outcome run_finish(struct run *run) {
  struct intake *intake = &run->intake;
  struct outcome *outcome = &run->outcome;
  if (intake->state == INTAKE_REFUSED) {
    char status[16];
    snprintf(status, sizeof status, "%d", intake->refusal);
    assert(intake->why != NULL);
    outcome->why = intake->why;
    if (outcome->size > 0) say_text(outcome, " || ");
    say_text(outcome, status);
  } else if (!intake_is_between(intake)) {
    if (outcome->size > 0) say_text(outcome, " || ");
    say_text(outcome, "...");
  }
  head_give_back(intake->head, &run->spare);
  head_free(run->spare);
  free(run->body.text);
  return *outcome;
}

#endif
