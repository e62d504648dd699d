/* mend.c - JSON that jansson does not take, though it is JSON: rewritten, only
 * where it has refused a text for that.
 *
 * An integer beyond 64 bits gets a ".0": so it becomes a float, as in Lua. And
 * "\u0000", which it does not allow in a key, becomes another character in all
 * strings, of which the text has none; it is put back when the strings are made.
 * That one is as long, so places change only by the ".0". The text may be wrong
 * in any way: what is wrong stays wrong, in its place. */
#include "modules/json/mend.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char fraction[] = ".0";
enum { FRACTION = 2, DIGITS_LEAST = 19 }; /* of an integer that does not fit */

/* ---- tokens: as much as tells strings and numbers from the rest ---------- */

static size_t end_of_string(const char *text, size_t size, size_t at) {
  for (at++; at < size && text[at] != '"'; at++)
    if (text[at] == '\\') at++;
  return at < size ? at + 1 : size;
}

static size_t token_end(const char *text, size_t size, size_t at) {
  if (text[at] == '"') return end_of_string(text, size, at);
  size_t end = at + strspn(text + at, "+-.0123456789eE");
  return end > at ? end : at + 1;
}

/* A Lua string ends with a zero byte. */
static bool is_big_integer(const char *text, size_t at, size_t end) {
  if (end - at < DIGITS_LEAST || text[at] == '"') return false;
  char *number_end;
  errno = 0;
  strtoll(text + at, &number_end, 10);
  return errno == ERANGE && number_end == text + end;
}

size_t mend_origin(const char *text, size_t size, size_t position) {
  size_t at = 0, mended = 0;
  while (at < size) {
    size_t end = token_end(text, size, at);
    if (mended + (end - at) >= position) return at + (position - mended);
    mended += end - at;
    if (is_big_integer(text, at, end)) mended += FRACTION;
    if (mended >= position) return end;
    at = end;
  }
  return size;
}

size_t mend_depth(const char *text, size_t size, int most) {
  int depth = 0;
  for (size_t at = 0; at < size; at = token_end(text, size, at)) {
    bool opens = text[at] == '[' || text[at] == '{';
    if (opens && ++depth > most) return at;
    if (text[at] == ']' || text[at] == '}') depth--;
  }
  return size;
}

/* ---- a character that stands for zero ------------------------------------ */

/* 256 of Unicode's private ones, from this one on. */
enum { STAND_IN = 0xe000, STAND_INS = 256 };

static void note(bool used[], unsigned long code) {
  if (code >= STAND_IN && code < STAND_IN + STAND_INS)
    used[code - STAND_IN] = true;
}

static void note_escape(bool used[], const char *text, size_t left) {
  char digits[5] = "";
  if (left < 6 || text[1] != 'u') return;
  memcpy(digits, text + 2, 4);
  note(used, strtoul(digits, NULL, 16));
}

static void note_character(bool used[], const char *text, size_t left) {
  const unsigned char *bytes = (const unsigned char *)text;
  if (left < 3) return;
  note(used,
       (bytes[0] & 0xfu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu));
}

/* 0: all of them are used. */
static unsigned find_stand_in(const char *text, size_t size) {
  bool used[STAND_INS] = {false};
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '\\') note_escape(used, text + i, size - i);
    if (text[i] == '\xee') note_character(used, text + i, size - i);
  }
  for (unsigned i = 0; i < STAND_INS; i++)
    if (!used[i]) return STAND_IN + i;
  return 0;
}

/* Of a mended string whose text lies there, with all its escapes. */
static void replace_zeros(char *string, size_t size, unsigned stand_in) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i + 6 <= size; i++) {
    if (string[i] != '\\') continue;
    if (memcmp(string + i, "\\u0000", 6) == 0)
      for (int d = 0; d < 4; d++)
        string[i + 2 + (size_t)d] = digits[stand_in >> (12 - 4 * d) & 15];
    i++; /* whatever is escaped, a backslash too */
  }
}

void mend_push(lua_State *L, const struct mended *mended, const char *string,
               size_t size) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  const char *end = string + size, *found;
  while ((found = strstr(string, mended->zero)) != NULL) {
    luaL_addlstring(&buffer, string, (size_t)(found - string));
    luaL_addchar(&buffer, '\0');
    string = found + strlen(mended->zero);
  }
  luaL_addlstring(&buffer, string, (size_t)(end - string));
  luaL_pushresult(&buffer);
}

/* ---- all of it ----------------------------------------------------------- */

static void choose_stand_in(struct mended *mended, unsigned code) {
  if (code == 0) return;
  mended->zero[0] = (char)(0xe0 | code >> 12);
  mended->zero[1] = (char)(0x80 | (code >> 6 & 0x3f));
  mended->zero[2] = (char)(0x80 | (code & 0x3f));
}

bool mend(struct mended *mended, const char *text, size_t size) {
  size_t room = size + FRACTION * (size / DIGITS_LEAST + 1);
  unsigned stand_in = find_stand_in(text, size);
  char *to = mended->text = malloc(room);
  if (to == NULL) return false;
  choose_stand_in(mended, stand_in);
  for (size_t at = 0, end; at < size; at = end) {
    end = token_end(text, size, at);
    memcpy(to, text + at, end - at);
    if (text[at] == '"' && stand_in != 0) replace_zeros(to, end - at, stand_in);
    to += end - at;
    if (!is_big_integer(text, at, end)) continue;
    memcpy(to, fraction, FRACTION);
    to += FRACTION;
  }
  mended->size = (size_t)(to - mended->text);
  return true;
}
