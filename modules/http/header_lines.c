/* header_lines.c - RFC 9110, section 5, for what we send. */
#include "modules/http/header_lines.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "modules/http/bytes.h"
#include "modules/http/fields.h"
#include "modules/http/response.h"

struct text {
  const char *bytes;
  size_t size;
};

/* ---- what cannot be sent ------------------------------------------------- */

static bool is_clean(struct text text) {
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.bytes[i];
    if ((c < ' ' && c != '\t') || c == 127) return false;
  }
  return true;
}

/* Whose they are, for errors: the handler lies at this index, or 0. */
struct script {
  lua_State *L;
  int handler;
};

static void refuse_with(const struct script *by, const char *format, ...) {
  lua_State *L = by->L;
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  if (by->handler != 0) {
    lua_pushliteral(L, ", returned by the handler");
    response_push_place(L, by->handler);
    lua_concat(L, 3);
  }
  lua_error(L);
}

static struct text check_name(const struct script *by, int index) {
  lua_State *L = by->L;
  struct text name;
  if (lua_type(L, index) != LUA_TSTRING)
    refuse_with(by, "a response header has a name that is a %s",
                luaL_typename(L, index));
  name.bytes = lua_tolstring(L, index, &name.size);
  if (!fields_is_token(name.bytes, name.size))
    refuse_with(by, "'%s' cannot be the name of a response header", name.bytes);
  return name;
}

static struct text check_value(const struct script *by, int index,
                               const char *name) {
  lua_State *L = by->L;
  struct text value;
  int type = lua_type(L, index);
  if (type != LUA_TSTRING && type != LUA_TNUMBER)
    refuse_with(by, "response header '%s' is a %s, not a string", name,
                luaL_typename(L, index));
  value.bytes = lua_tolstring(L, index, &value.size);
  if (!is_clean(value))
    refuse_with(by,
                "response header '%s' has a line break or another control"
                " byte in it",
                name);
  return value;
}

/* ---- the lines that frame a message -------------------------------------- */

enum rule {
  RULE_PLAIN,
  RULE_OURS,
  RULE_LENGTH,
  RULE_CLOSE,
  RULE_TYPE,
  RULE_DATE,
  RULE_MISSPELT /* a key of Lua that needs no quotes; nobody means it */
};

static enum rule rule_of(struct text name) {
  static const struct {
    const char *name;
    enum rule rule;
  } rules[] = {
    {"connection", RULE_CLOSE},        {"content-length", RULE_LENGTH},
    {"content-type", RULE_TYPE},       {"date", RULE_DATE},
    {"keep-alive", RULE_OURS},         {"proxy-connection", RULE_OURS},
    {"transfer-encoding", RULE_OURS},  {"upgrade", RULE_OURS},
    {"cache_control", RULE_MISSPELT},  {"content_disposition", RULE_MISSPELT},
    {"content_length", RULE_MISSPELT}, {"content_type", RULE_MISSPELT},
    {"set_cookie", RULE_MISSPELT},
  };
  char first = (char)(name.bytes[0] | 32);
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (rules[i].name[0] == first && strcasecmp(rules[i].name, name.bytes) == 0)
      return rules[i].rule;
  return RULE_PLAIN;
}

static int64_t check_length(const struct script *by, struct text value) {
  int64_t length = 0;
  bool good = value.size > 0 && value.size <= 18;
  for (size_t i = 0; good && i < value.size; i++) {
    good = value.bytes[i] >= '0' && value.bytes[i] <= '9';
    length = 10 * length + (value.bytes[i] - '0');
  }
  if (!good)
    refuse_with(by,
                "response header 'content-length' is '%s', no number of bytes",
                value.bytes);
  return length;
}

/* Names that differ in case are one. */
static void check_once(const struct script *by, bool seen, struct text name) {
  if (seen)
    refuse_with(by,
                "response header '%s' can only be there once, in capitals or"
                " not",
                name.bytes);
}

/* True: the line is to be written as it is. */
static bool obey(const struct script *by, enum rule rule, struct text name,
                 struct text value, struct header_lines *lines) {
  switch (rule) {
    case RULE_OURS:
      refuse_with(by, "response header '%s' is not for a script to set",
                  name.bytes);
      return false;
    case RULE_MISSPELT:
      refuse_with(by,
                  "response header '%s' is to be written with '-', as"
                  " [\"content-type\"]",
                  name.bytes);
      return false;
    case RULE_LENGTH:
      check_once(by, lines->length >= 0, name);
      lines->length = check_length(by, value);
      return false;
    case RULE_CLOSE:
      if (strcasecmp(value.bytes, "close") != 0)
        refuse_with(by, "response header 'connection' can only be 'close'");
      lines->close = true;
      return false;
    case RULE_TYPE:
      check_once(by, lines->type, name);
      lines->type = true;
      return true;
    case RULE_DATE:
      check_once(by, lines->date, name);
      lines->date = true;
      return true;
    default: return true;
  }
}

/* ---- writing them -------------------------------------------------------- */

static void add_line(struct bytes *bytes, struct text name, struct text value) {
  bytes_add(bytes, name.bytes, name.size);
  bytes_add_literal(bytes, ": ");
  bytes_add(bytes, value.bytes, value.size);
  bytes_add_literal(bytes, "\r\n");
}

/* The value on top: one line, or one for each of a list. */
static void add_value(const struct script *by, struct bytes *bytes,
                      struct text name, struct header_lines *lines) {
  lua_State *L = by->L;
  enum rule rule = rule_of(name);
  if (!lua_istable(L, -1)) {
    struct text value = check_value(by, -1, name.bytes);
    if (obey(by, rule, name, value, lines)) add_line(bytes, name, value);
    return;
  }
  lua_Integer count = luaL_len(L, -1);
  check_once(by, count > 1 && rule != RULE_PLAIN, name);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, -1, i);
    struct text value = check_value(by, -1, name.bytes);
    if (obey(by, rule, name, value, lines)) add_line(bytes, name, value);
    lua_pop(L, 1);
  }
}

struct header_lines header_lines_add(lua_State *L, struct bytes *bytes,
                                     int index, int handler) {
  const struct script by = {L, handler};
  struct header_lines lines = {.length = -1};
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    add_value(&by, bytes, check_name(&by, -2), &lines);
    lua_pop(L, 1);
  }
  return lines;
}

/* RFC 9110, section 6.5.1: what says how to read the message comes too late. */
void header_lines_add_trailers(lua_State *L, struct bytes *bytes, int index) {
  const struct script by = {L, 0};
  struct header_lines lines = {.length = -1};
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    struct text name = check_name(&by, -2);
    if (rule_of(name) != RULE_PLAIN)
      refuse_with(&by, "header '%s' cannot be a trailer", name.bytes);
    add_value(&by, bytes, name, &lines);
    lua_pop(L, 1);
  }
}
