/* http_intake.c - the rows of http_intake_rows.h: each is run whole, byte by
 * byte, cut in two at every place, and cut in three at every pair of places
 * if it is short. The outcome is the same each time. */
#include "spec/c/http_intake_rows.h"
#include "spec/c/intake_run.h"

enum { SHORT = 90 };

static const struct intake_limits wide = {
  .header_size = 16384, .target_size = 8192, .headers = 100};
static const struct intake_limits narrow = {
  .header_size = 200, .target_size = 20, .headers = 3};

static int failures, runs;
static const struct row *complained; /* once a row is enough */

static void complain(const struct row *row, const char *what,
                     const char *outcome, const char *why) {
  if (row == complained) return;
  complained = row;
  failures++;
  fprintf(stderr, "%s: \"", what);
  for (size_t i = 0; i < row->size; i++) {
    unsigned char c = (unsigned char)row->bytes[i];
    if (c == '\r' || c == '\n')
      fputs(c == '\r' ? "\\r" : "\\n", stderr);
    else
      fprintf(stderr, c < ' ' || c > 0x7e ? "\\x%02x" : "%c", c);
  }
  fprintf(stderr, "\"\n  expected %s\n  got      %s (%s)\n", row->expected,
          outcome, why == NULL ? "" : why);
}

/* Cut at two places, or into single bytes. */
static void check(const struct row *row, const struct intake_limits *limits,
                  size_t one, size_t two, bool single) {
  struct run run;
  run_begin(&run, limits);
  if (single) {
    for (size_t i = 0; i < row->size; i++) run_piece(&run, row->bytes + i, 1);
  } else {
    run_piece(&run, row->bytes, one);
    run_piece(&run, row->bytes + one, two - one);
    run_piece(&run, row->bytes + two, row->size - two);
  }
  struct outcome outcome = run_finish(&run);
  if (strcmp(outcome.text, row->expected) != 0) {
    char what[64];
    snprintf(what, sizeof what, single ? "byte by byte" : "cut at %zu and %zu",
             one, two);
    complain(row, what, outcome.text, outcome.why);
  }
  free(outcome.text);
  runs++;
}

static int on_end(llhttp_t *parser) {
  ++*(int *)parser->data;
  return 0;
}

/* Would llhttp have taken it for a request? */
static void check_lets(const struct row *row) {
#if LLHTTP_VERSION_MAJOR == 8
  static const llhttp_settings_t settings = {.on_message_complete = on_end};
  llhttp_t parser;
  int ended = 0;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &ended;
  llhttp_execute(&parser, row->bytes, row->size);
  bool refused = strspn(row->expected, "0123456789") == 3;
  if (refused && (ended > 0) != row->lets)
    complain(row, ended > 0 ? "llhttp lets it through" : "llhttp refuses it",
             "", NULL);
#else
  (void)row;
  (void)on_end;
#endif
}

static void check_row(const struct row *row,
                      const struct intake_limits *limits) {
  check(row, limits, row->size, row->size, false);
  check(row, limits, 0, 0, true);
  for (size_t one = 1; one < row->size; one++) {
    check(row, limits, one, row->size, false);
    if (row->size > SHORT) continue;
    for (size_t two = one + 1; two < row->size; two++)
      check(row, limits, one, two, false);
  }
}

static void check_rows(const struct row *rows, size_t count,
                       const struct intake_limits *limits) {
  for (size_t i = 0; i < count; i++) {
    check_row(&rows[i], limits);
    if (limits == &wide) check_lets(&rows[i]);
  }
}

/* Every byte there is, in each place where most bytes may be. */
static void check_bytes(void) {
  static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                              "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int byte = 0; byte < 256; byte++) {
    bool visible = byte > ' ' && byte < 0x7f;
    char c = (char)byte, text[64], expected[64];
    struct row row = {text, 0, expected, false};
    row.size = (size_t)sprintf(text, "GET /x%cy HTTP/1.0\r\n\r\n", c);
    sprintf(expected, visible && c != '#' ? "GET /x%cy 1.0 close" : "400", c);
    check_row(&row, &wide);
    row.size = (size_t)sprintf(text, "GET / HTTP/1.0\r\nX%cY: z\r\n\r\n", c);
    if (c == ':')
      sprintf(expected, "GET / 1.0 close; X: Y: z");
    else
      sprintf(
        expected,
        c != '\0' && strchr(token, c) ? "GET / 1.0 close; X%cY: z" : "400", c);
    check_row(&row, &wide);
    row.size = (size_t)sprintf(text, "GET / HTTP/1.0\r\nX: y%cz\r\n\r\n", c);
    sprintf(expected,
            visible || byte >= 0x80 || c == ' ' || c == '\t'
              ? "GET / 1.0 close; X: y%cz"
              : "400",
            c);
    check_row(&row, &wide);
  }
}

static void add_extensions(struct run *run, int count) {
  static const char chunk[] = "1;" BYTES100 BYTES100 BYTES50 "\r\nx\r\n";
  run_piece(run, CHUNKED, sizeof CHUNKED - 1);
  for (int i = 0; i < count; i++) run_piece(run, chunk, sizeof chunk - 1);
  run_piece(run, "0\r\n\r\n", 5);
}

/* More of them than a request may have, each within its own limit. */
static void check_extensions(void) {
  static const char most[] = GOT_CHUNKS "xxxxxxxxxxxxxxxx";
  static const char expected[] = GOT_CHUNKS "xxxxxxxxxxxxxxxx || 400";
  struct run run;
  run_begin(&run, &wide);
  add_extensions(&run, 16);
  assert(strcmp(run.outcome.text, most) == 0);
  add_extensions(&run, 17);
  struct outcome outcome = run_finish(&run);
  assert(strcmp(outcome.text, expected) == 0);
  free(outcome.text);
  run_begin(&run, &wide);
  add_extensions(&run, 16);
  add_extensions(&run, 16);
  outcome = run_finish(&run);
  assert(strcmp(outcome.text + sizeof most + 3, most) == 0);
  free(outcome.text);
}

static void check_find(void) {
  static const char bytes[] = POST "Cookie: a\r\nX-Y: 1\r\nCOOKIE: b\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n";
  char rest[] = "0\r\nX-y: 2\r\n\r\n";
  struct head *spare = NULL;
  struct intake intake;
  intake_init(&intake, &wide, &spare);
  assert(intake_is_between(&intake));
  assert(intake_head(&intake, bytes, sizeof bytes - 1) == sizeof bytes - 1);
  assert(intake.state == INTAKE_BODY && intake.chunked && intake.has_body);
  size_t decoded, size;
  assert(intake_body(&intake, rest, sizeof rest - 1, &decoded) ==
         sizeof rest - 1);
  assert(intake.state == INTAKE_END && decoded == 0);
  const struct head *head = intake.head;
  unsigned from = 0;
  assert(*head_find(head, "cookie", 6, &from, &size) == 'a' && size == 1);
  assert(*head_find(head, "cookie", 6, &from, &size) == 'b' && size == 1);
  assert(head_find(head, "cookie", 6, &from, &size) == NULL);
  assert(head_find(head, "cookie", 6, &from, &size) == NULL);
  from = 0;
  assert(*head_find(head, "x-Y", 3, &from, &size) == '1');
  assert(head_find(head, "x-Y", 3, &from, &size) == NULL);
  from = 0;
  assert(head_find(head, "a", 1, &from, &size) == NULL);
  from = 0;
  assert(*head_find_trailer(head, "X-Y", 3, &from, &size) == '2');
  assert(head_find_trailer(head, "X-Y", 3, &from, &size) == NULL);
  head_give_back(intake.head, &spare);
  intake_next(&intake);
  head_free(spare);
}

/* A head that was made for fewer headers is of no use to who allows more. */
static void check_spare(void) {
  static const char bytes[] = GET "A:\r\nB:\r\nC:\r\nD:\r\n\r\n";
  struct head *spare = head_new(narrow.headers), *first;
  struct intake intake;
  intake_init(&intake, &wide, &spare);
  for (int i = 0; i < 2; i++) {
    first = spare;
    assert(intake_head(&intake, bytes, sizeof bytes - 1) == sizeof bytes - 1);
    assert(spare == NULL && intake.state == INTAKE_END);
    assert(!intake.has_body && intake.keep_alive && intake.head->count == 11);
    assert(intake_head(&intake, bytes, sizeof bytes - 1) == 0); /* not yet */
    assert(i == 0 || intake.head == first);
    head_give_back(intake.head, &spare);
    intake_next(&intake);
  }
  for (int i = 0; i < 100; i++) head_give_back(head_new(1), &spare);
  assert(spare->depth < 100); /* some are kept, not all */
  head_free(spare);
  spare = NULL;
  static const char large[1 << 20];
  for (int i = 0; i < 2; i++) {
    first = head_new(1);
    assert(head_append(first, large, i == 0 ? 16384 : sizeof large));
    head_give_back(first, &spare);
  }
  assert(spare != NULL && spare->below == NULL); /* nor much memory */
  head_give_back(NULL, &spare);
  head_free(spare);
}

#define CHECK(rows, limits)                                                    \
  check_rows(rows, sizeof rows / sizeof rows[0], limits)

int main(void) {
  assert(sizeof(struct intake) <= 160);
  CHECK(request_lines, &wide);
  CHECK(line_ends, &wide);
  CHECK(header_lines, &wide);
  CHECK(hosts, &wide);
  CHECK(lengths, &wide);
  CHECK(encodings, &wide);
  CHECK(chunks, &wide);
  CHECK(connections, &wide);
  CHECK(limited, &narrow);
  check_bytes();
  check_extensions();
  check_find();
  check_spare();
  printf("http_intake: %d runs, %d failures\n", runs, failures);
  return failures == 0 ? 0 : 1;
}
