/* inbox.c - what is read from bytes must not depend on how they arrive: each
 * text is given whole and cut at every place, and numerals are compared with
 * what Lua's own io.read makes of them. */
#include "host/stream/inbox.h"

#include <assert.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct want want_of(const char *letters) {
  struct want want = {0, {{FORMAT_SOME, 0}}, false};
  for (; *letters != '\0'; letters++) {
    struct format *format = &want.formats[want.count++];
    switch (*letters) {
      case 'l': format->kind = FORMAT_LINE; break;
      case 'L': format->kind = FORMAT_LINE_KEPT; break;
      case 'a': format->kind = FORMAT_ALL; break;
      case 'n': format->kind = FORMAT_NUMBER; break;
      case 's': format->kind = FORMAT_SOME; break;
      default:
        format->kind = FORMAT_COUNT;
        format->count = (uint32_t)(*letters - '0');
    }
  }
  return want;
}

/* "one|two|-": the results in a row, '-' is nil, and the rest after a '~'. */
static void describe(struct inbox *inbox, const struct result *result,
                     char *out) {
  for (int i = 0; i < result->count; i++) {
    const struct span *span = &result->spans[i];
    assert(span->start + span->size <= inbox->size);
    assert(result->size <= inbox->size);
    if (span->found)
      out += sprintf(out, "%.*s|", (int)span->size, inbox->bytes + span->start);
    else
      out += sprintf(out, "-|");
  }
  out += sprintf(out, "~%.*s", (int)(inbox->size - result->size),
                 inbox->size > 0 ? inbox->bytes + result->size : "");
}

/* The text in two parts, then the end; scanned as soon as it can be. */
static void read_cut(const char *letters, const char *text, size_t cut,
                     bool twice, char *out) {
  struct inbox inbox = {.buffer = NULL};
  struct want want = want_of(letters);
  struct result result;
  size_t size = strlen(text);
  assert(inbox_scan(&inbox, &want, false, &result) == SCAN_MORE);
  assert(inbox_add(&inbox, text, cut));
  enum scan first = inbox_scan(&inbox, &want, false, &result);
  if (twice && first == SCAN_MORE) /* one byte more at a time */
    for (; cut < size; cut++) {
      assert(inbox_add(&inbox, text + cut, 1));
      if (inbox_scan(&inbox, &want, false, &result) != SCAN_MORE) {
        cut++;
        break;
      }
    }
  if (cut < size) assert(inbox_add(&inbox, text + cut, size - cut));
  enum scan scan = inbox_scan(&inbox, &want, true, &result);
  assert(scan == SCAN_DONE);
  describe(&inbox, &result, out);
  if (result.size > 0) inbox_consume(&inbox, result.size);
  inbox_free(&inbox);
}

static void expect(const char *letters, const char *text,
                   const char *expected) {
  char out[1000];
  for (size_t cut = 0; cut <= strlen(text); cut++) {
    for (int twice = 0; twice <= 1; twice++) {
      read_cut(letters, text, cut, twice, out);
      if (strcmp(out, expected) != 0)
        fprintf(stderr, "'%s' of '%s' cut at %zu: %s\n", letters, text, cut,
                out);
      assert(strcmp(out, expected) == 0);
    }
  }
}

static void test_formats(void) {
  expect("l", "one\ntwo\n", "one|~two\n");
  expect("L", "one\ntwo\n", "one\n|~two\n");
  expect("l", "one", "one|~");
  expect("L", "one", "one|~");
  expect("l", "\n\n", "|~\n");
  expect("L", "\n\n", "\n|~\n");
  expect("l", "", "-|~");
  expect("L", "", "-|~");
  expect("ll", "one\ntwo\nthree", "one|two|~three");
  expect("ll", "one\n", "one|-|~");
  expect("lll", "one\n", "one|-|~"); /* as io.read: nothing after a nil */
  expect("l", "cr\r\nlf\n", "cr\r|~lf\n");
  expect("a", "all\nof it", "all\nof it|~");
  expect("a", "", "|~");
  expect("la", "one\ntwo\nthree", "one|two\nthree|~");
  expect("aa", "all", "all||~");
  expect("al", "all", "all|-|~");
  expect("3", "abcde", "abc|~de");
  expect("3", "ab", "ab|~");
  expect("3", "", "-|~");
  expect("0", "a", "|~a");
  expect("0", "", "-|~");
  expect("22", "abc", "ab|c|~");
  expect("22", "ab", "ab|-|~");
  expect("1l1", "ab\ncd", "a|b|c|~d");
  expect("n", "12 34", "12|~ 34");
  expect("nn", "12 34", "12|34|~");
  expect("nl", "12 rest\nmore", "12| rest|~more");
  expect("n", "  \n 7", "7|~");
  expect("n", "x", "-|~x");
  expect("nn", "1 x 2", "1|-|~x 2");
  expect("n", "", "-|~");
  expect("n", "   ", "-|~");
  expect("s", "abc", "abc|~");
  expect("s", "", "-|~");
}

/* Whatever is there, in pieces. */
static void test_some(void) {
  struct inbox inbox = {.buffer = NULL};
  struct want want = want_of("s");
  struct result result;
  assert(inbox_scan(&inbox, &want, false, &result) == SCAN_MORE);
  assert(inbox_add(&inbox, "ab", 2));
  assert(inbox_scan(&inbox, &want, false, &result) == SCAN_DONE);
  assert(result.count == 1 && result.size == 2);
  inbox_consume(&inbox, 2);
  assert(inbox_scan(&inbox, &want, false, &result) == SCAN_MORE);
  assert(inbox_scan(&inbox, &want, true, &result) == SCAN_DONE);
  assert(result.count == 1 && !result.spans[0].found && result.size == 0);
}

/* ---- numerals ------------------------------------------------------------ */

static int close_file(lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  fclose(stream->f);
  return 0;
}

/* read("n", "a") of a file with this text, as a string: "kind value~rest". */
static int read_numeral(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  FILE *file = tmpfile();
  fwrite(text, 1, size, file);
  rewind(file);
  luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
  stream->f = file;
  stream->closef = close_file;
  luaL_setmetatable(L, LUA_FILEHANDLE);
  lua_getfield(L, -1, "read");
  lua_pushvalue(L, -2);
  lua_pushliteral(L, "n");
  lua_call(L, 2, 1);
  lua_getfield(L, -2, "read");
  lua_pushvalue(L, -3);
  lua_pushliteral(L, "a");
  lua_call(L, 2, 1);
  lua_getfield(L, -3, "close");
  lua_pushvalue(L, -4);
  lua_call(L, 1, 0);
  return 2;
}

/* What is read, and the same from the inbox as read.c does it. */
static void compare(lua_State *L, const char *text, size_t size, size_t cut) {
  struct inbox inbox = {.buffer = NULL};
  struct want want = want_of("n");
  struct result result;
  if (cut > 0) {
    assert(inbox_add(&inbox, text, cut));
    inbox_scan(&inbox, &want, false, &result);
  }
  if (cut < size) assert(inbox_add(&inbox, text + cut, size - cut));
  assert(inbox_scan(&inbox, &want, true, &result) == SCAN_DONE);
  lua_pushcfunction(L, read_numeral);
  lua_pushlstring(L, text, size);
  lua_call(L, 1, 2);
  const struct span *span = &result.spans[0];
  lua_pushnil(L);
  if (span->found) {
    lua_pushlstring(L, inbox.bytes + span->start, span->size);
    if (lua_stringtonumber(L, lua_tostring(L, -1)) != 0) lua_replace(L, -3);
    lua_pop(L, 1);
  }
  size_t rest_size;
  const char *rest = lua_tolstring(L, -2, &rest_size);
  bool same = lua_rawequal(L, -1, -3) ||
              (lua_tonumber(L, -1) != lua_tonumber(L, -1)); /* nan: none */
  same = same && lua_isinteger(L, -1) == lua_isinteger(L, -3);
  same =
    same && rest_size == inbox.size - result.size &&
    (rest_size == 0 || memcmp(rest, inbox.bytes + result.size, rest_size) == 0);
  if (!same)
    fprintf(stderr, "'%.*s' cut at %zu: %s, rest %zu; in Lua %s, rest %zu\n",
            (int)size, text, cut, luaL_tolstring(L, -1, NULL),
            inbox.size - result.size, luaL_tolstring(L, -4, NULL), rest_size);
  assert(same);
  inbox_free(&inbox);
  lua_settop(L, 0);
}

static void compare_all(lua_State *L, const char *text) {
  for (size_t cut = 0; cut <= strlen(text); cut++)
    compare(L, text, strlen(text), cut);
}

static void test_numerals(lua_State *L) {
  static const char *const texts[] = {
    "",
    " ",
    "0",
    "1",
    "-1",
    "+1",
    "12345",
    "1.5",
    ".5",
    "5.",
    ".",
    "-.5",
    "+.5e3",
    "1e10",
    "1E+10",
    "1e-3",
    "1e",
    "1e+",
    "1ex",
    "e5",
    "-",
    "+",
    "--1",
    "0x10",
    "0XfF",
    "0x",
    "0xg",
    "0x.8",
    "0x1p4",
    "0x1P-2",
    "0x1p",
    "-0x1",
    "0x1.8p1x",
    "00",
    "007",
    "0.0",
    "1.2.3",
    "1,5",
    "1 2",
    "1\n2",
    "\t\n\v\f\r 1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "0xffffffffffffffff",
    "0x1ffffffffffffffff",
    "1e308",
    "1e400",
    "-1e400",
    "nan",
    "inf",
    "0b1",
    "1_000",
    "1a",
    "12abc",
    "0x1g",
    "- 1",
    "+-1",
    "1-2",
    "1e5.5",
    "1\0002",
    "123 ",
    "123\n",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    compare_all(L, texts[i]);
  compare(L, "1\0002", 3, 0);
  compare(L, "\0001", 2, 1);
}

/* Every text of up to five of these letters. */
static void test_many_numerals(lua_State *L) {
  static const char letters[] = "0x1.e-p \n";
  enum { LETTERS = sizeof letters - 1, LONGEST = 4 };
  char text[LONGEST + 1];
  for (int length = 1; length <= LONGEST; length++) {
    int count = 1;
    for (int i = 0; i < length; i++) count *= LETTERS;
    for (int n = 0; n < count; n++) {
      for (int i = 0, rest = n; i < length; i++, rest /= LETTERS)
        text[i] = letters[rest % LETTERS];
      text[length] = '\0';
      compare(L, text, (size_t)length, (size_t)n % (size_t)length);
    }
  }
}

static void test_long_numerals(lua_State *L) {
  char text[600];
  for (size_t size = 190; size < 215; size++) {
    memset(text, '1', size);
    strcpy(text + size, " rest");
    compare(L, text, size + 5, size / 2);
    memset(text, '0', size);
    memcpy(text, "0x", 2);
    compare(L, text, size + 5, size / 2);
    memset(text, '7', size);
    text[0] = '-';
    text[100] = '.';
    compare(L, text, size + 5, size / 2);
    memset(text, ' ', size);
    text[size - 1] = '8';
    compare(L, text, size + 5, size / 2);
  }
}

/* ---- limits -------------------------------------------------------------- */

static void test_limits(void) {
  struct inbox inbox = {.buffer = NULL};
  struct result result;
  struct want line = want_of("l"), number = want_of("n"), all = want_of("a");
  char *block = malloc(LINE_MOST + 1);
  memset(block, 'x', LINE_MOST + 1);
  assert(inbox_add(&inbox, block, LINE_MOST));
  assert(inbox_scan(&inbox, &line, false, &result) == SCAN_MORE);
  assert(inbox_add(&inbox, "\n", 1)); /* just so */
  assert(inbox_scan(&inbox, &line, false, &result) == SCAN_DONE);
  assert(result.spans[0].size == LINE_MOST);
  inbox_free(&inbox);
  assert(inbox_add(&inbox, block, LINE_MOST + 1));
  assert(inbox_scan(&inbox, &line, false, &result) == SCAN_TOO_LONG);
  assert(inbox_scan(&inbox, &all, false, &result) == SCAN_MORE);
  assert(inbox_scan(&inbox, &line, true, &result) == SCAN_DONE);
  inbox_free(&inbox);
  memset(block, ' ', LINE_MOST + 1);
  assert(inbox_add(&inbox, block, LINE_MOST + 1));
  assert(inbox_scan(&inbox, &number, false, &result) == SCAN_TOO_LONG);
  inbox_free(&inbox);
  free(block);
}

/* ---- bytes --------------------------------------------------------------- */

/* Against a plain stream of numbers: what goes in comes out. */
static void test_bytes(void) {
  struct inbox inbox = {.buffer = NULL};
  char bytes[300], lent[300];
  unsigned char in = 0, out = 0;
  for (unsigned round = 0; round < 20000; round++) {
    size_t more = round * 7 % 300;
    for (size_t i = 0; i < more; i++) bytes[i] = (char)in++;
    if (inbox.size == 0 && round % 3 == 0) {
      memcpy(lent, bytes, more);
      inbox_lend(&inbox, lent, more);
    } else {
      assert(inbox_add(&inbox, bytes, more));
    }
    size_t less = round * 11 % 310;
    if (less > inbox.size) less = inbox.size;
    for (size_t i = 0; i < less; i++)
      assert((unsigned char)inbox.bytes[i] == out++);
    inbox_consume(&inbox, less);
    assert(inbox_keep(&inbox));
    memset(lent, 'z', sizeof lent); /* lent for this turn only */
    if (inbox.size == 0) assert(inbox.buffer == NULL);
  }
  inbox_free(&inbox);
  assert(inbox.size == 0 && inbox.buffer == NULL);
}

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  test_formats();
  test_some();
  test_numerals(L);
  test_many_numerals(L);
  test_long_numerals(L);
  test_limits();
  test_bytes();
  lua_close(L);
  puts("inbox: ok");
  return 0;
}
