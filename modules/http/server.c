/* server.c - http.serve(address [, options], handler), and its limits. */
#include "modules/http/server.h"

#include <lauxlib.h>

#include "host/host.h"
#include "host/option.h"
#include "modules/http/client.h"
#include "modules/http/request.h"
#include "modules/http/serve.h"

/* ---- as a listener ------------------------------------------------------- */

/* Connections have their timeouts by what holds for them; and only where there
 * is a limit for them addresses are counted. */
static bool differs(const struct listener *old, const struct listener *heir) {
  const struct limits *a = &((const struct server *)old)->limits;
  const struct limits *b = &((const struct server *)heir)->limits;
  return a->header_ms != b->header_ms || a->idle_ms != b->idle_ms ||
         a->handler_ms != b->handler_ms || a->write_ms != b->write_ms ||
         (a->connections_per_client == 0 && b->connections_per_client > 0);
}

/* ---- and no longer ------------------------------------------------------- */

static void on_drained(struct timeout *timeout) {
  serve_end_all(timeout->data);
}

/* Closed, or replaced by the next version: what is in flight may end in order,
 * but not take for ever. */
static void closed(struct listener *listener) {
  struct server *server = (struct server *)listener;
  struct clock *clock = &listener->handle.host->clock;
  if (server->limits.drain_ms == 0) return;
  server->drain.fire = on_drained;
  server->drain.data = server;
  clock_set(clock, &server->drain, clock_ms(clock) + server->limits.drain_ms);
}

static void on_free(struct handle *h) {
  clock_cancel(&h->host->clock, &((struct server *)h)->drain);
}

static const struct listener_kind kind = {
  .work = {.name = "server", .stop = handle_stop, .start = listener_start},
  .class_name = "neap.http.server",
  .size = sizeof(struct server),
  .accept = client_accept,
  .pump = client_pump_served,
  .differs = differs,
  .closed = closed,
  .last_call = true};

/* Closed by its script: connections that rest end now, the others after their
 * answer. */
static void end(struct handle *h) {
  struct listener *listener = (struct listener *)h;
  handle_close(h); /* and the service, if nobody is connected */
  if (listener->service != NULL) service_pump(listener->service);
}

/* ---- options ------------------------------------------------------------- */

static const char *const names[] = {
  "body_rate",       "drain_timeout",
  "handler_timeout", "header_timeout",
  "idle_timeout",    "max_body",
  "max_connections", "max_connections_per_client",
  "max_header_size", "max_headers",
  "max_requests",    "max_target",
  "write_timeout",   NULL};

static bool is_false(lua_State *L, const char *name) {
  if (lua_isnil(L, 2)) return false;
  bool none = lua_getfield(L, 2, name) == LUA_TBOOLEAN && !lua_toboolean(L, -1);
  lua_pop(L, 1);
  return none;
}

/* Seconds, or false: none. Would 0 be none, or no time at all? */
static uint64_t read_time(lua_State *L, const char *name, uint64_t other) {
  if (is_false(L, name)) return 0;
  int64_t ms = option_ms(L, 2, name);
  if (ms == 0)
    luaL_argerror(
      L, 2, lua_pushfstring(L, "%s must be more than 0, or false: none", name));
  return ms < 0 ? other : (uint64_t)ms;
}

/* 0 or false: none. */
static uint32_t read_count(lua_State *L, const char *name, lua_Integer other) {
  if (is_false(L, name)) return 0;
  return (uint32_t)option_integer(L, 2, name, 0, INT32_MAX, other);
}

static size_t read_size(lua_State *L, const char *name, lua_Integer least,
                        lua_Integer most, lua_Integer other) {
  return (size_t)option_integer(L, 2, name, least, most, other);
}

enum { HEADER_SIZE_MOST = 1 << 20, HEADERS_MOST = 10000 };

static struct limits read_limits(lua_State *L) {
  struct limits limits = {
    .header_ms = read_time(L, "header_timeout", 10000),
    .idle_ms = read_time(L, "idle_timeout", 60000),
    .handler_ms = read_time(L, "handler_timeout", 60000),
    .write_ms = read_time(L, "write_timeout", 60000),
    .drain_ms = read_time(L, "drain_timeout", 30000),
    .body_rate = read_count(L, "body_rate", 500),
    .requests = read_count(L, "max_requests", 0),
    .connections = read_count(L, "max_connections", 10000),
    .connections_per_client = read_count(L, "max_connections_per_client", 0)};
  limits.body_size = LUA_MAXINTEGER;
  if (!is_false(L, "max_body"))
    limits.body_size = read_size(L, "max_body", 0, LUA_MAXINTEGER, 1 << 20);
  limits.intake.headers =
    (uint32_t)read_size(L, "max_headers", 1, HEADERS_MOST, 100);
  limits.intake.header_size =
    (uint32_t)read_size(L, "max_header_size", 64, HEADER_SIZE_MOST, 16384);
  limits.intake.target_size =
    (uint32_t)read_size(L, "max_target", 16, HEADER_SIZE_MOST, 8192);
  limits.least_ms = timeouts_least(&limits);
  return limits;
}

/* A function, or what can be called as one: a router. */
static bool is_handler(lua_State *L, int index) {
  if (lua_isfunction(L, index)) return true;
  if (luaL_getmetafield(L, index, "__call") == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

static void check_handler(lua_State *L, int index) {
  if (is_handler(L, index)) return;
  const char *got = luaL_typename(L, index);
  if (lua_isboolean(L, index) && lua_toboolean(L, index))
    got = "true; a module that returns nothing gives that";
  luaL_argerror(L, index,
                lua_pushfstring(L, "a handler expected, got %s", got));
}

/* address [, options], handler: as everywhere, the function is last. Behind what
 * it loads `require` gives the name of the file. */
static void check_arguments(lua_State *L) {
  bool is_second = is_handler(L, 2);
  bool is_required = is_second && lua_type(L, 3) == LUA_TSTRING;
  luaL_argcheck(L, !is_second || is_required || lua_isnoneornil(L, 3), 3,
                "the options come before the handler");
  if (!is_second && !lua_istable(L, 2) && !is_handler(L, 3))
    check_handler(L, 2);
  if (is_second) {
    lua_pushnil(L);
    lua_insert(L, 2);
  }
  check_handler(L, 3);
  lua_settop(L, 3);
  option_check(L, 2, names);
}

int http_serve(lua_State *L) {
  struct address address;
  struct listener *listener;
  address_check(L, 1, &address);
  check_arguments(L);
  struct limits limits = read_limits(L);
  int status = listener_open(L, &kind, &address, true, &listener);
  if (status < 0) return listener_error(L, status);
  struct server *server = (struct server *)listener;
  server->limits = limits;
  server->request_class = request_class(L);
  listener->handle.end = end;
  listener->handle.on_free = on_free;
  status = listener_begin(L, listener, 3);
  return status < 0 ? listener_error(L, status) : 1;
}

/* ---- without an address -------------------------------------------------- */

/* It is a part of what it serves, and reports name that. */
static struct origin hide(const struct work *work) {
  (void)work;
  return (struct origin){NULL, 0};
}

static const struct listener_kind private_kind = {.work = {.name = "server",
                                                           .stop = handle_stop,
                                                           .origin = hide,
                                                           .lasts = true},
                                                  .size = sizeof(struct server),
                                                  .accept = client_accept,
                                                  .pump = client_pump_served};

struct server *server_open_private(lua_State *L, int index) {
  struct limits limits = read_limits(L);
  struct server *server =
    (struct server *)listener_open_private(L, &private_kind, index);
  if (server == NULL) return NULL;
  server->limits = limits;
  server->request_class = request_class(L);
  return server;
}

/* ---- the class ----------------------------------------------------------- */

static int get_connections(lua_State *L) {
  const struct server *server = handle_check_any(L, 1, kind.class_name);
  const struct service *service = server->listener.service;
  lua_pushinteger(L, service != NULL ? (lua_Integer)service->count : 0);
  return 1;
}

static int get_requests(lua_State *L) {
  const struct server *server = handle_check_any(L, 1, kind.class_name);
  lua_pushinteger(L, (lua_Integer)server->requests);
  return 1;
}

static const luaL_Reg methods[] = {
  {"close", handle_method_close},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"address", listener_field_address, NULL},
  {"closed", handle_field_closed, NULL},
  {"connections", get_connections, NULL},
  {"requests", get_requests, NULL},
  {NULL, NULL, NULL},
};

void http_server_open_class(lua_State *L) {
  listener_class(L, &kind, methods, fields);
}
