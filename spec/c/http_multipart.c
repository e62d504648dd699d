/* http_multipart.c - each row is run whole, byte by byte, and cut at every place
 * and at every pair of places: the outcome is the same each time. */
#include "spec/c/multipart_run.h"

struct row {
  const char *bytes;
  size_t size;
  const char *expected;
  size_t expected_size;
};

#define ROW(bytes, expected)                                                   \
  { bytes, sizeof(bytes) - 1, expected, sizeof(expected) - 1 }
#define HEAD "Content-Disposition: form-data; name="
#define PART(name, text) "--b\r\n" HEAD name "\r\n\r\n" text "\r\n"
#define END "--b--\r\n"

static const struct part_limits wide = {.header_size = 16384, .headers = 64};
static const struct part_limits narrow = {.header_size = 60, .headers = 2};

static const struct row rows[] = {
  /* what is usual */
  ROW(PART("a", "1") END, "[a:1]."),
  ROW(PART("a", "1") PART("b", "2") END, "[a:1][b:2]."),
  ROW(PART("\"a\"", "") END, "[a:]."),
  ROW(END, "."),
  ROW("--b--", "."),
  ROW("--b--  \r", "."),
  ROW("\r\n--b--", "."),
  ROW(PART("a", "1") "--b--", "[a:1]."),
  ROW("--b\r\n" HEAD "\"f\"; filename=\"x.txt\"\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n\r\nhi\r\n" END,
      "[f|x.txt|text/plain; charset=utf-8:hi]."),
  ROW("--b\r\ncontent-type:text/html\r\nX-Y: 1\r\nCONTENT-DISPOSITION:form-data"
      ";name=a\r\n\r\nhi\r\n" END,
      "[a|text/html:hi]."),
  /* before and behind */
  ROW("a preamble\r\n" PART("a", "1") END "an epilogue", "[a:1]."),
  ROW("no boundary --b\r\n\r\n" PART("a", "1") END "\r\n--b\r\nX", "[a:1]."),
  ROW("--bc\r\n" PART("a", "1") END, "[a:1]."),
  ROW("--b \t\r\n" HEAD "a\r\n\r\n1\r\n--b-- \r\n", "[a:1]."),
  /* an empty part needs no line of its own */
  ROW("--b\r\n" HEAD "a\r\n\r\n--b--", "[a:]."),
  ROW("--b\r\n" HEAD "a\r\n\r\n--b\r\n" HEAD "c\r\n\r\n\r\n--b--", "[a:][c:]."),
  /* what looks like a boundary */
  ROW(PART("a", "--b") END, "[a:]!"), /* it is one */
  ROW(PART("a", "\r\n--") END, "[a:\r\n--]."),
  ROW(PART("a", "\r\n--bc") END, "[a:\r\n--bc]."),
  ROW(PART("a", "\r\n--b-") END, "[a:\r\n--b-]."),
  ROW(PART("a", "\r\n--b--x") END, "[a:\r\n--b--x]."),
  ROW(PART("a", "\r\n--b \rx") END, "[a:\r\n--b \rx]."),
  ROW(PART("a", "\r\n--b \r") END, "[a:\r\n--b \r]."),
  ROW(PART("a", "\r\n--b--\r") END, "[a:\r\n--b--\r]."),
  ROW(PART("a", "\r\r\n--\r\n--\r\r\n") END, "[a:\r\r\n--\r\n--\r\r\n]."),
  ROW(PART("a", "\n--b\n--b--\n") END, "[a:\n--b\n--b--\n]."),
  ROW(PART("a", "\r\n--b\n") END, "[a:\r\n--b\n]."),
  ROW(PART("a", "--bx") END, "[a:--bx]."),
  ROW(PART("a", "--bx\r\n--b \t x\r\n--b\n") END,
      "[a:--bx\r\n--b \t x\r\n--b\n]."),
  ROW(PART("a", "\0\r\0\n") END, "[a:\0\r\0\n]."),
  ROW("--b\r\n" HEAD "a\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n"
      "--bb\r\nX: y\r\n\r\n1\r\n--bb--\r\n\r\n" END,
      "[a|multipart/mixed; boundary=bb:--bb\r\nX: y\r\n\r\n1\r\n--bb--\r\n]."),
  /* names */
  ROW(PART("\"a%22%0D%0Ab\"", "") END, "[a\"\r\nb:]."),
  ROW(PART("\"%0d%41%2\"", "") END, "[%0d%41%2:]."),
  ROW(PART("\"a\\\"b\"", "") END, "[a\"b:]."),
  ROW(PART("\"\\\\server\\x\"", "") END, "[\\\\server\\x:]."),
  ROW(PART("\"a\\\\\"", "") END, "[a\\:]."),
  ROW(PART("\"a\\\\\\\"b\"", "") END, "[a\\\"b:]."),
  ROW(PART("\"\"", "") END, "[:]."),
  ROW(PART("", "") END, "[:]."),
  ROW(PART("\"a;b=c\" ; x=\"y\" ;", "") END, "[a;b=c:]."),
  ROW(PART("\"\xc3\xa4\xff\"", "") END, "[\xc3\xa4\xff:]."),
  ROW(PART("a; FileName=\"../../etc/x\"", "") END, "[a|../../etc/x:]."),
  ROW(PART("a; filename=\"\"", "") END, "[a|:]."),
  ROW(PART("a; filename*=UTF-8''%c3%a4%20b", "") END, "[a|\xc3\xa4 b:]."),
  ROW(PART("a; filename=x; filename*=utf-8''y", "") END, "[a|x:]."),
  ROW(PART("a; filename*=utf-8''y; filename=x", "") END, "[a|x:]."),
  ROW(PART("a; filename*=latin9''y", "") END, "[a:]."),
  ROW(PART("a; filename*=utf-8''%00", "") END, "[a:]."),
  ROW(PART("a; filename*=utf-8''%4", "") END, "[a:]."),
  ROW(PART("a; filename*=utf-8'", "") END, "[a:]."),
  /* it is not whole */
  ROW("", "!"),
  ROW("\r\n", "!"),
  ROW("--b", "!"),
  ROW("--b-", "!"),
  ROW("--b\r\n", "!"),
  ROW("--b\r\n" HEAD "a\r\n", "!"),
  ROW("--b\r\n" HEAD "a\r\n\r\n", "[a:!"),
  ROW(PART("a", "1"), "[a:1!"),
  ROW(PART("a", "1") "--b", "[a:1!"),
  ROW(PART("a", "1") "--b-", "[a:1!"),
  ROW("--c\r\n" HEAD "a\r\n\r\n1\r\n--c--", "!"),
  /* it is none */
  ROW("--b\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\n" END, "!"),
  ROW("--b\r\nX: y\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\n" HEAD "a\n\n1\r\n" END, "!"),
  ROW("--b\r\n" HEAD "a\r\n b\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\n" HEAD "a\r\nX : y\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\n" HEAD "a\r\n: y\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\n" HEAD "a\r\nX: \0\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\n" HEAD "a\r\nX: a\rb\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\n" HEAD "\"a\0\"\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\n" HEAD "a\r\n" HEAD "b\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n" END, "!"),
  ROW("--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n" END, "!"),
  ROW(PART("a; name=b", "1") END, "!"),
  ROW(PART("a; filename=x; filename=y", "1") END, "!"),
  ROW(PART("a; filename*=x; FILENAME*=y", "1") END, "!"),
  ROW(PART("\"a", "1") END, "!"),
  ROW(PART("\"a\\\"", "1") END, "!"),
  ROW(PART("\"a\" b", "1") END, "!"),
  ROW(PART("a\"b\"", "1") END, "!"),
  ROW(PART("a; filename", "1") END, "!"),
  ROW(PART("a; =x", "1") END, "!"),
};

static const struct row narrow_rows[] = {
  ROW(PART("abcdefghijklmnopqrs", "1") END, "[abcdefghijklmnopqrs:1]."),
  ROW(PART("abcdefghijklmnopqrst", "1") END, "^"),
  ROW(PART("a\r\nX: y", "1") END, "[a:1]."),
  ROW(PART("a\r\nX:y\r\nX:y", "1") END, "^"),
  ROW(PART("a", "1") PART("abcdefghijklmnopqrs", "1") END,
      "[a:1][abcdefghijklmnopqrs:1]."),
};

static int failures, runs;

static void show(const char *what, const char *bytes, size_t size) {
  fprintf(stderr, "  %s \"", what);
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c == '\r' || c == '\n')
      fputs(c == '\r' ? "\\r" : "\\n", stderr);
    else
      fprintf(stderr, c < ' ' || c > 0x7e ? "\\x%02x" : "%c", c);
  }
  fputs("\"\n", stderr);
}

/* Cut at two places, or into single bytes. True: as expected. */
static bool check(const struct row *row, const struct part_limits *limits,
                  size_t one, size_t two, bool single) {
  struct run run;
  run_begin(&run, "b", limits);
  if (single) {
    for (size_t i = 0; i < row->size; i++) run_piece(&run, row->bytes + i, 1);
  } else {
    run_piece(&run, row->bytes, one);
    run_piece(&run, row->bytes + one, two - one);
    run_piece(&run, row->bytes + two, row->size - two);
  }
  struct outcome outcome = run_finish(&run);
  bool right = outcome.size == row->expected_size &&
               memcmp(outcome.text, row->expected, outcome.size) == 0;
  if (!right) {
    fprintf(stderr, "cut at %zu and %zu%s\n", one, two, single ? ", all" : "");
    show("of      ", row->bytes, row->size);
    show("expected", row->expected, row->expected_size);
    show("got     ", outcome.text, outcome.size);
    failures++;
  }
  free(outcome.text);
  runs++;
  return right;
}

static void check_row(const struct row *row, const struct part_limits *limits) {
  size_t size = row->size;
  if (!check(row, limits, size, size, false)) return;
  if (!check(row, limits, 0, 0, true)) return;
  for (size_t one = 0; one < size; one++)
    for (size_t two = one; two < size; two++)
      if (!check(row, limits, one, two, false)) return;
}

/* ---- boundaries ---------------------------------------------------------- */

struct type {
  const char *text, *boundary; /* NULL: none */
};

static const struct type types[] = {
  {"multipart/form-data; boundary=abc", "abc"},
  {"Multipart/Form-Data;Boundary=abc", "abc"},
  {"multipart/form-data; boundary=\"a b\"", "a b"},
  {"multipart/form-data; charset=utf-8; boundary=\"=_x.?\"", "=_x.?"},
  {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
   "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
  {"multipart/form-data; boundary=a--", "a--"},
  {"multipart/form-data; boundary=x=/:,()+_'?", "x=/:,()+_'?"},
  {"multipart/form-data", NULL},
  {"multipart/form-data; boundary", NULL},
  {"multipart/form-data; boundary=", NULL},
  {"multipart/form-data; boundary=\"\"", NULL},
  {"multipart/form-data; boundary=\"a \"", NULL},
  {"multipart/form-data; boundary=\"a", NULL},
  {"multipart/form-data; boundary=a; boundary=b", NULL},
  {"multipart/form-data; boundary=\"a\\\"b\"", NULL},
  {"multipart/form-data; boundary=\xc3\xa4", NULL},
  {"multipart/form-data; boundary=a, multipart/form-data; boundary=b", NULL},
  {"multipart/form-data; boundary="
   "0123456789012345678901234567890123456789012345678901234567890123456789",
   "0123456789012345678901234567890123456789012345678901234567890123456789"},
  {"multipart/form-data; boundary="
   "01234567890123456789012345678901234567890123456789012345678901234567890",
   NULL},
};

static void check_type(const struct type *type) {
  struct slice text = {type->text, strlen(type->text)};
  struct slice boundary = content_type_boundary(text);
  assert(content_type_is(text, "multipart/form-data"));
  assert(!content_type_is(text, "multipart/form"));
  bool right = type->boundary == NULL
                 ? boundary.bytes == NULL
                 : boundary.size == strlen(type->boundary) &&
                     memcmp(boundary.bytes, type->boundary, boundary.size) == 0;
  if (right) return;
  failures++;
  show("boundary of", type->text, strlen(type->text));
}

int main(void) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_row(&rows[i], &wide);
  for (size_t i = 0; i < sizeof narrow_rows / sizeof *narrow_rows; i++)
    check_row(&narrow_rows[i], &narrow);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    check_type(&types[i]);
  printf("%d runs, %d failures\n", runs, failures);
  return failures == 0 ? 0 : 1;
}
