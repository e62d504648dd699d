/* judge.c - files_judge(request, etag, modified, size): what the request still
 * wants, by its conditions and its ranges.
 *
 *   304 | 412 | 416 | 200
 *   206, { first, last, first, last ... }    counted from 0, both included */
#include <lauxlib.h>
#include <llhttp.h>
#include <string.h>

#include "host/clock.h"
#include "host/host.h"
#include "modules/http/files/files.h"
#include "modules/http/headers.h"
#include "modules/http/request.h"
#include "modules/http/values/conditions.h"
#include "modules/http/values/ranges.h"

enum { AT_REQUEST = 1, AT_ETAG, AT_MODIFIED, AT_SIZE, ARGUMENTS = AT_SIZE };

/* The text stays on the stack. */
static struct value header(lua_State *L, const char *name) {
  struct value value = {NULL, 0};
  const struct request *request = lua_touserdata(L, AT_REQUEST);
  if (headers_push_one(L, request, name, strlen(name)))
    value.text = lua_tolstring(L, -1, &value.size);
  return value;
}

static int push_ranges(lua_State *L, const struct ranges *ranges) {
  lua_pushinteger(L, 206);
  lua_createtable(L, 2 * ranges->count, 0);
  for (int i = 0; i < ranges->count; i++) {
    lua_pushinteger(L, (lua_Integer)ranges->list[i].first);
    lua_rawseti(L, -2, 2 * i + 1);
    lua_pushinteger(L, (lua_Integer)ranges->list[i].last);
    lua_rawseti(L, -2, 2 * i + 2);
  }
  return 2;
}

/* RFC 9110, 14.2: only GET has ranges. */
static int judge_range(lua_State *L, const struct conditions *conditions,
                       const struct validators *validators) {
  struct ranges ranges;
  enum ranges_result result = RANGES_NONE;
  struct value range = header(L, "range");
  uint64_t size = (uint64_t)luaL_checkinteger(L, AT_SIZE);
  const struct request *request = lua_touserdata(L, AT_REQUEST);
  if (range.text != NULL && request->method == HTTP_GET &&
      conditions_allow_range(conditions, validators))
    result = ranges_parse(range.text, range.size, size, &ranges);
  if (result == RANGES_SOME) return push_ranges(L, &ranges);
  lua_pushinteger(L, result == RANGES_UNSATISFIABLE ? 416 : 200);
  return 1;
}

int files_judge(lua_State *L) {
  struct validators validators = {.has_modified = true};
  request_check(L);
  luaL_checkstack(L, 2 * LUA_MINSTACK, "no room for headers");
  lua_settop(L, ARGUMENTS);
  if (!lua_isnil(L, AT_ETAG)) {
    validators.etag.text = luaL_checklstring(L, AT_ETAG, &validators.etag.size);
  }
  validators.modified = luaL_checkinteger(L, AT_MODIFIED);
  validators.now = (int64_t)clock_wall(&host_of(L)->clock);
  struct conditions conditions = {
    .match = header(L, "if-match"),
    .none_match = header(L, "if-none-match"),
    .modified_since = header(L, "if-modified-since"),
    .unmodified_since = header(L, "if-unmodified-since"),
    .range = header(L, "if-range"),
    .reads = true,
  };
  enum verdict verdict = conditions_judge(&conditions, &validators);
  if (verdict == VERDICT_GO) return judge_range(L, &conditions, &validators);
  lua_pushinteger(L, verdict == VERDICT_FAILED ? 412 : 304);
  return 1;
}
