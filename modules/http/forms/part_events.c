/* part_events.c - a parser in a box that anchors the string it reads. */
#include "modules/http/forms/part_events.h"

#include <string.h>

#include "host/class.h"
#include "modules/http/forms/multipart.h"
#include "modules/http/headers.h"

static const char class_name[] = "neap http multipart parser";

struct box {
  struct multipart parser; /* first member */
  const char *bytes;       /* what is left of the string */
  size_t size;
};

static struct box *box_at(lua_State *L) {
  return class_check(L, 1, class_name);
}

static int new_parser(lua_State *L) {
  struct slice boundary;
  boundary.bytes = luaL_checklstring(L, 1, &boundary.size);
  luaL_argcheck(L, boundary.size > 0 && boundary.size <= BOUNDARY_MOST, 1,
                "no boundary");
  const struct part_limits limits = {
    .header_size = (uint32_t)luaL_checkinteger(L, 2),
    .headers = (uint32_t)luaL_checkinteger(L, 3)};
  struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
  multipart_init(&box->parser, boundary, &limits);
  box->bytes = "";
  box->size = 0;
  class_set(L, class_name);
  return 1;
}

static int collect(lua_State *L) {
  multipart_free(&((struct box *)lua_touserdata(L, 1))->parser);
  return 0;
}

static int feed(lua_State *L) {
  struct box *box = box_at(L);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    multipart_finish(&box->parser);
    return 0;
  }
  box->bytes = luaL_checklstring(L, 2, &box->size);
  lua_setiuservalue(L, 1, 1);
  return 0;
}

/* ---- events -------------------------------------------------------------- */

static void push_decoded(lua_State *L, const struct disposition *disposition,
                         struct slice sent,
                         size_t decode(const struct disposition *, char *)) {
  luaL_Buffer buffer;
  if (sent.bytes == NULL) {
    lua_pushnil(L);
    return;
  }
  char *to = luaL_buffinitsize(L, &buffer, sent.size);
  luaL_pushresultsize(&buffer, decode(disposition, to));
}

static void push_headers(lua_State *L, const struct part_head *head) {
  headers_new(L, (int)head->count);
  for (unsigned i = 0; i < head->count; i++) {
    const struct part_header *one = &head->headers[i];
    headers_add(L, head->bytes + one->name, one->name_size,
                head->bytes + one->value, one->value_size);
  }
}

static int push_part(lua_State *L, const struct part_head *head) {
  const struct disposition *disposition = &head->disposition;
  struct slice type = part_head_find(head, "content-type");
  lua_pushliteral(L, "part");
  push_decoded(L, disposition, disposition->name, disposition_name);
  push_decoded(L, disposition, disposition->filename, disposition_filename);
  if (type.bytes == NULL)
    lua_pushnil(L);
  else
    lua_pushlstring(L, type.bytes, type.size);
  push_headers(L, head);
  return 5;
}

static int push_refusal(lua_State *L, const struct multipart *parser) {
  static const char *const codes[] = {"", "EINVAL", "EMSGSIZE", "ENOMEM"};
  static const int statuses[] = {0, 400, 413, 503};
  lua_pushliteral(L, "refused");
  lua_pushstring(L, parser->why);
  lua_pushinteger(L, statuses[parser->fault]);
  lua_pushstring(L, codes[parser->fault]);
  return 4;
}

static int next_event(lua_State *L) {
  struct box *box = box_at(L);
  struct multipart *parser = &box->parser;
  switch (multipart_next(parser, &box->bytes, &box->size)) {
    case MULTIPART_PART: return push_part(L, &parser->head);
    case MULTIPART_PART_END: lua_pushliteral(L, "part end"); return 1;
    case MULTIPART_END: lua_pushliteral(L, "end"); return 1;
    case MULTIPART_REFUSED: return push_refusal(L, parser);
    case MULTIPART_MORE: return 0;
    case MULTIPART_DATA: break;
  }
  lua_pushliteral(L, "data");
  lua_pushlstring(L, parser->data.bytes, parser->data.size);
  return 2;
}

/* ---- what kind of form ---------------------------------------------------- */

static int content_type(lua_State *L) {
  struct slice text;
  text.bytes = luaL_checklstring(L, 1, &text.size);
  if (content_type_is(text, "application/x-www-form-urlencoded")) {
    lua_pushliteral(L, "urlencoded");
    return 1;
  }
  if (!content_type_is(text, "multipart/form-data")) return 0;
  lua_pushliteral(L, "multipart");
  struct slice boundary = content_type_boundary(text);
  if (boundary.bytes == NULL) return 1;
  lua_pushlstring(L, boundary.bytes, boundary.size);
  return 2;
}

const luaL_Reg part_events_functions[] = {
  {"content_type", content_type}, {"event", next_event}, {"feed", feed},
  {"parser", new_parser},         {NULL, NULL},
};

void part_events_open_class(lua_State *L) {
  static const luaL_Reg methods[] = {{NULL, NULL}};
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
