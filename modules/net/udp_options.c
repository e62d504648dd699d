/* udp_options.c - how datagrams travel: to how many, how far, to which groups.
 * None of these waits; each returns the socket, or why not. */
#include <lauxlib.h>
#include <string.h>

#include "host/error.h"
#include "modules/net/udp.h"

/* The socket, or why not. */
static int result(lua_State *L, int status, const char *what) {
  if (status < 0) return error_result(L, status, what);
  lua_settop(L, 1);
  return 1;
}

static bool check_boolean(lua_State *L) {
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  return lua_toboolean(L, 2);
}

static int check_hops(lua_State *L, lua_Integer least) {
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_argcheck(L, count >= least && count <= 255, 2,
                least == 0 ? "0 to 255 expected" : "1 to 255 expected");
  return (int)count;
}

/* It may have been closed by its owner. */
static int set(lua_State *L, const struct udp *udp, int value,
               int (*call)(int fd, int value), const char *what) {
  int status = udp->handle.closing ? UV_ECANCELED : call(udp->fd, value);
  return result(L, status, what);
}

static int set_broadcast(int fd, int on) {
  return udp_set_broadcast(fd, on != 0);
}

static int set_loop(int fd, int on) {
  return udp_set_multicast_loop(fd, on != 0);
}

static int set_interface(int fd, int index) {
  return udp_set_multicast_interface(fd, (unsigned)index);
}

int udp_broadcast(lua_State *L) {
  const struct udp *udp = udp_check(L);
  return set(L, udp, check_boolean(L), set_broadcast, "broadcast");
}

int udp_ttl(lua_State *L) {
  const struct udp *udp = udp_check(L);
  return set(L, udp, check_hops(L, 1), udp_set_ttl, "ttl");
}

int udp_multicast_ttl(lua_State *L) {
  const struct udp *udp = udp_check(L);
  return set(L, udp, check_hops(L, 0), udp_set_multicast_ttl, "multicast_ttl");
}

int udp_multicast_loop(lua_State *L) {
  const struct udp *udp = udp_check(L);
  return set(L, udp, check_boolean(L), set_loop, "multicast_loop");
}

/* ---- groups -------------------------------------------------------------- */

static const char *check_text(lua_State *L, int index) {
  size_t size;
  const char *text = luaL_checklstring(L, index, &size);
  luaL_argcheck(L, strlen(text) == size, index, "it contains a zero");
  return text;
}

/* No interface: 0, and the system chooses. */
static int find_interface(lua_State *L, int at, unsigned *index) {
  *index = 0;
  if (lua_isnoneornil(L, at)) return 0;
  return udp_find_interface(check_text(L, at), index);
}

int udp_multicast_interface(lua_State *L) {
  const struct udp *udp = udp_check(L);
  unsigned index;
  check_text(L, 2);
  lua_pushfstring(L, "multicast_interface %s", lua_tostring(L, 2));
  const char *what = lua_tostring(L, -1);
  int status = find_interface(L, 2, &index);
  if (status < 0) return error_result(L, status, what);
  return set(L, udp, (int)index, set_interface, what);
}

static union udp_name check_number(lua_State *L, int index) {
  struct sockaddr_storage storage;
  union udp_name name;
  memset(&storage, 0, sizeof storage);
  if (!question_numeric(check_text(L, index), AF_UNSPEC, &storage))
    luaL_argerror(L, index, "an address in numbers, without a port, expected");
  memcpy(&name, &storage, sizeof name);
  return name;
}

static int set_member(lua_State *L, bool joins, const char *what) {
  const struct udp *udp = udp_check(L);
  union udp_name group = check_number(L, 2), source;
  unsigned index;
  bool has_source = !lua_isnoneornil(L, 4);
  if (has_source) source = check_number(L, 4);
  int status = find_interface(L, 3, &index);
  if (udp->handle.closing) status = UV_ECANCELED;
  if (status == 0)
    status = udp_set_member(udp->fd, joins, &group, index,
                            has_source ? &source : NULL);
  /* The version before has joined it, with this very socket. */
  if (joins && status == UV_EADDRINUSE && udp->handle.work.inherits) status = 0;
  lua_pushfstring(L, "%s %s", what, lua_tostring(L, 2));
  return result(L, status, lua_tostring(L, -1));
}

int udp_join(lua_State *L) {
  return set_member(L, true, "join");
}

int udp_leave(lua_State *L) {
  return set_member(L, false, "leave");
}
