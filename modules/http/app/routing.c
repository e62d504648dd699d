/* routing.c - a request is given to the handler of its route.
 *
 * A router is a table of Lua. What is needed for each request lies at integer
 * keys: the tree, and by the number of a route its handler and its pattern.
 * Nothing is made here for a request but what its handler asks for: its route
 * is noted as the pattern, and the parameters are read from that and the path.
 *
 * For what is mounted the path begins later: at request->base. */
#include "modules/http/app/routing.h"

#include <lauxlib.h>
#include <llhttp.h>
#include <string.h>

#include "host/class.h"
#include "modules/http/app/mounting.h"
#include "modules/http/app/tree.h"
#include "modules/http/request.h"
#include "modules/http/values/percent.h"

static const char class_name[] = "neap.http.tree";

/* By the number of a route, which is 1 or more: its handler, and its pattern. */
enum { SLOT_TREE = 1, SLOT_RUN, SLOT_OTHERWISE };

static int handler_slot(int route) {
  return 2 * route + 2;
}

static int pattern_slot(int route) {
  return 2 * route + 3;
}

enum { AT_REQUEST = 1, AT_ROUTER, AT_PATH }; /* what is called returns above */

/* ---- the tree ------------------------------------------------------------ */

struct tree_box {
  const char *class; /* class_name: nothing else of this size has it */
  struct tree *tree;
};

static struct tree *check_tree(lua_State *L, int index) {
  return ((struct tree_box *)class_check(L, index, class_name))->tree;
}

/* That of the router at this index. It is asked for by each request: what the
 * class says is found out faster. */
static struct tree *tree_of(lua_State *L, int router) {
  struct tree *tree = NULL;
  lua_rawgeti(L, router, SLOT_TREE);
  const struct tree_box *box = lua_touserdata(L, -1);
  if (box != NULL && lua_rawlen(L, -1) == sizeof *box &&
      box->class == class_name)
    tree = box->tree;
  lua_pop(L, 1);
  return tree;
}

int routing_tree(lua_State *L) {
  struct tree_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (struct tree_box){class_name, NULL};
  class_set(L, class_name);
  box->tree = tree_new();
  if (box->tree == NULL) return luaL_error(L, "not enough memory");
  return 1;
}

static int free_tree(lua_State *L) {
  struct tree_box *box = class_check(L, 1, class_name);
  tree_free(box->tree);
  box->tree = NULL;
  return 0;
}

void routing_open_class(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  class_open(L, class_name, none, NULL);
  lua_pushcfunction(L, free_tree);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

/* TREE_METHODS: no request has it. */
static unsigned method_number(const char *name) {
  if (strcmp(name, "*") == 0) return TREE_ANY;
  if (strcmp(name, "mount") == 0) return TREE_MOUNT;
  for (unsigned method = 0; method < HTTP_PRI; method++) /* see lines.c */
    if (strcmp(llhttp_method_name((llhttp_method_t)method), name) == 0)
      return method != HTTP_CONNECT ? method : TREE_METHODS;
  return TREE_METHODS;
}

/* (tree, pattern, method, number) -> true; or false, the number that is there
 * already; or nil, why that is no path; or nil: no server of ours knows the
 * method. */
int routing_add(lua_State *L) {
  size_t size;
  struct tree *tree = check_tree(L, 1);
  const char *pattern = luaL_checklstring(L, 2, &size);
  unsigned method = method_number(luaL_checkstring(L, 3));
  const char *why =
    size > 0 || method != TREE_MOUNT ? tree_fault(pattern, size) : NULL;
  bool is_known = method != TREE_METHODS;
  if (why != NULL || !is_known) {
    lua_pushnil(L);
    lua_pushstring(L, is_known ? why : NULL);
    return 2;
  }
  int *slot = tree_slot(tree, pattern, size, method);
  if (slot == NULL) return luaL_error(L, "not enough memory");
  lua_pushboolean(L, *slot == 0);
  lua_pushinteger(L, *slot);
  if (*slot == 0) *slot = (int)luaL_checkinteger(L, 4);
  return 2;
}

int routing_methods(lua_State *L) {
  size_t size;
  const struct tree *tree = check_tree(L, 1);
  const char *path = luaL_checklstring(L, 2, &size);
  uint64_t methods = tree_methods(tree, path, size);
  lua_newtable(L);
  for (unsigned method = 0; method < HTTP_PRI; method++) {
    if ((methods >> method & 1) == 0) continue;
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, llhttp_method_name((llhttp_method_t)method));
  }
  return 1;
}

/* ---- parameters ---------------------------------------------------------- */

struct text {
  const char *bytes;
  size_t size;
};

static struct text segment_of(struct text text) {
  const char *slash = memchr(text.bytes, '/', text.size);
  if (slash != NULL) text.size = (size_t)(slash - text.bytes);
  return text;
}

static void skip(struct text *text, size_t size) {
  if (size > text->size) size = text->size;
  text->bytes += size;
  text->size -= size;
}

static void push_decoded(lua_State *L, struct text text) {
  luaL_Buffer buffer;
  if (memchr(text.bytes, '%', text.size) == NULL) {
    lua_pushlstring(L, text.bytes, text.size);
    return;
  }
  char *to = luaL_buffinitsize(L, &buffer, text.size);
  luaL_pushresultsize(&buffer,
                      percent_decode(to, text.bytes, text.size, false));
}

/* To the table on top: the path is one of the pattern. */
static void add_params(lua_State *L, struct text pattern, struct text path) {
  while (pattern.size > 0) {
    skip(&pattern, 1); /* slashes */
    skip(&path, 1);
    struct text name = segment_of(pattern), value = segment_of(path);
    bool is_rest = name.size > 1 && name.bytes[0] == '*';
    if (is_rest) value = path;
    if (is_rest || (name.size > 1 && name.bytes[0] == ':')) {
      lua_pushlstring(L, name.bytes + 1, name.size - 1);
      push_decoded(L, value);
      lua_rawset(L, -3);
    }
    skip(&pattern, name.size);
    skip(&path, value.size);
  }
}

void routing_push_params(lua_State *L, struct request *request) {
  struct text pattern, path;
  if (request->has_params) {
    lua_getiuservalue(L, 1, REQUEST_PARAMS);
    return;
  }
  path.bytes = request_path(request, &path.size);
  lua_createtable(L, 0, 1); /* most have one */
  if (lua_getiuservalue(L, 1, REQUEST_ROUTE) == LUA_TSTRING) {
    pattern.bytes = lua_tolstring(L, -1, &pattern.size);
    lua_insert(L, -2);
    add_params(L, pattern, path);
    lua_remove(L, -2);
  } else {
    lua_pop(L, 1);
  }
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, REQUEST_PARAMS);
  request->has_params = true;
}

/* ---- a request ----------------------------------------------------------- */

/* Middleware may have given it another path or method; then they are kept with
 * it, see request.c. The path is left on top, or nil. */
static struct text path_of(lua_State *L, const struct request *request) {
  struct text path;
  if (request_push_kept(L, "path")) {
    path.bytes = luaL_tolstring(L, -1, &path.size);
    lua_remove(L, -2);
  } else {
    path.bytes = request_path(request, &path.size);
    skip(&path, request->base);
    lua_pushnil(L);
  }
  return path.size > 0 ? path : (struct text){"/", 1};
}

static unsigned method_of(lua_State *L, const struct request *request) {
  if (!request_push_kept(L, "method")) return request->method;
  unsigned method = method_number(luaL_tolstring(L, -1, NULL));
  lua_pop(L, 2);
  return method;
}

/* Whoever has asked for parameters before gets others from now on. Where the path
 * is not the client's they are made now. */
static void set_params(lua_State *L, struct request *request,
                       struct text pattern, struct text path) {
  bool is_sent = lua_isnil(L, AT_PATH);
  if (is_sent || request->route == 0) request->has_params = false;
  if (is_sent) return;
  if (request->route == 0) { /* nothing of what came before */
    lua_pushnil(L);
    lua_setiuservalue(L, AT_REQUEST, REQUEST_ROUTE);
  }
  routing_push_params(L, request);
  add_params(L, pattern, path);
  lua_pop(L, 1);
}

/* Behind what is the route of the mounts. */
static void set_route(lua_State *L, struct request *request, struct text path,
                      int route) {
  struct text pattern;
  lua_rawgeti(L, AT_ROUTER, pattern_slot(route));
  pattern.bytes = lua_tolstring(L, -1, &pattern.size);
  set_params(L, request, pattern, path);
  if (request->route > 0) {
    lua_getiuservalue(L, AT_REQUEST, REQUEST_ROUTE);
    lua_pushlstring(L, lua_tostring(L, -1), request->route);
    lua_replace(L, -2);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  lua_setiuservalue(L, AT_REQUEST, REQUEST_ROUTE);
}

static int served(lua_State *L, int status, lua_KContext below) {
  (void)status;
  return lua_gettop(L) - (int)below;
}

static int call_otherwise(lua_State *L) {
  lua_rawgeti(L, AT_ROUTER, SLOT_OTHERWISE);
  lua_pushvalue(L, AT_ROUTER);
  lua_pushvalue(L, AT_REQUEST);
  lua_callk(L, 2, LUA_MULTRET, AT_PATH, served);
  return served(L, LUA_OK, AT_PATH);
}

static int serve(lua_State *L) { /* request, router */
  struct request *request = request_check(L);
  const struct tree *tree = tree_of(L, AT_ROUTER);
  if (tree == NULL) return luaL_error(L, "a router expected");
  struct text path = path_of(L, request);
  unsigned method = method_of(L, request);
  struct tree_match match = tree_find(tree, path.bytes, path.size, method);
  if (match.route == 0) return call_otherwise(L);
  set_route(L, request, path, match.route);
  int below = AT_PATH;
  if (match.mounted) {
    mounting_begin(L, request, AT_PATH, path.bytes, match.rest);
    below++;
  }
  lua_rawgeti(L, AT_ROUTER, handler_slot(match.route));
  lua_pushvalue(L, AT_REQUEST);
  lua_callk(L, 1, LUA_MULTRET, below, served);
  return served(L, LUA_OK, below);
}

static void take_arguments(lua_State *L) { /* router, request */
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  lua_insert(L, 1);
}

int routing_serve(lua_State *L) {
  take_arguments(L);
  return serve(L);
}

int routing_call(lua_State *L) {
  take_arguments(L);
  if (lua_rawgeti(L, AT_ROUTER, SLOT_RUN) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return serve(L);
  }
  lua_pushvalue(L, AT_REQUEST);
  lua_callk(L, 1, LUA_MULTRET, AT_ROUTER, served);
  return served(L, LUA_OK, AT_ROUTER);
}

/* ---- who has answered, for reports --------------------------------------- */

enum { MOUNTS_SHOWN = 100 };

/* What the router on top finds. The path becomes that for what is mounted. */
static struct tree_match follow(lua_State *L, struct text *path,
                                unsigned method) {
  const struct tree *tree = tree_of(L, lua_gettop(L));
  struct tree_match match = tree_find(tree, path->bytes, path->size, method);
  if (match.mounted) skip(path, match.rest);
  if (path->size == 0) *path = (struct text){"/", 1};
  return match;
}

/* The router on top becomes what its answer came from: its outermost middleware,
 * or that of the route, or the route's handler; ours are not looked at, as they
 * hand on what they are given. False: it answers itself. */
static bool step_inside(lua_State *L, struct text *path, unsigned method) {
  int router = lua_gettop(L);
  struct tree_match match = follow(L, path, method);
  if (lua_getfield(L, router, "outermost") == LUA_TNIL && match.route != 0) {
    lua_pop(L, 1);
    lua_getfield(L, router, "routes");
    lua_rawgeti(L, -1, match.route);
    lua_getfield(L, -1, "outermost");
  }
  lua_replace(L, router);
  lua_settop(L, router);
  return !lua_isnil(L, router);
}

void routing_push_handler(lua_State *L, int index) {
  lua_pushvalue(L, index);
  if (index == AT_REQUEST || !lua_istable(L, -1)) return;
  const struct request *request = request_check(L);
  struct text path = path_of(L, request);
  lua_insert(L, -2); /* it is needed */
  unsigned method = method_of(L, request);
  for (int i = 0; i < MOUNTS_SHOWN && lua_istable(L, -1); i++)
    if (tree_of(L, lua_gettop(L)) == NULL || !step_inside(L, &path, method))
      break;
  lua_remove(L, -2);
}

/* The router on top becomes the handler of the route, or nil. */
static void step_to_route(lua_State *L, struct text *path, unsigned method) {
  int router = lua_gettop(L);
  struct tree_match match = follow(L, path, method);
  lua_getfield(L, router, "routes");
  if (lua_rawgeti(L, -1, match.route) == LUA_TTABLE)
    lua_getfield(L, -1, "handler");
  lua_replace(L, router);
  lua_settop(L, router);
}

void routing_push_route_handler(lua_State *L, int index) {
  const struct request *request = request_check(L);
  struct text path;
  path.bytes = request_path(request, &path.size);
  lua_pushvalue(L, index);
  for (int i = 0; i < MOUNTS_SHOWN && lua_istable(L, -1); i++) {
    if (tree_of(L, lua_gettop(L)) == NULL) break;
    step_to_route(L, &path, request->method);
  }
}
