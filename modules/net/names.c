/* names.c - what the two ends of a connection are called.
 *
 * The system forgets the peer of a TCP connection as soon as that has left, but
 * then messages must name it: so it is noted at the beginning. */
#include <string.h>

#include "host/address.h"
#include "modules/net/connection.h"

static bool is_tcp(const struct connection *connection) {
  return connection->stream.uv.any.type == UV_TCP;
}

void connection_set_peer(struct connection *connection,
                         const struct sockaddr *peer) {
  if (peer->sa_family == AF_INET)
    memcpy(&connection->peer, peer, sizeof connection->peer.v4);
  else if (peer->sa_family == AF_INET6)
    memcpy(&connection->peer, peer, sizeof connection->peer.v6);
}

void connection_learn_peer(struct connection *connection) {
  int size = sizeof connection->peer;
  if (is_tcp(connection))
    uv_tcp_getpeername(&connection->stream.uv.tcp, &connection->peer.any,
                       &size);
}

static void push_tcp(lua_State *L, const struct sockaddr *name) {
  char text[ADDRESS_TEXT];
  address_format(name, text);
  lua_pushstring(L, text);
}

typedef int (*get_path)(const uv_pipe_t *pipe, char *buffer, size_t *size);

static void push_unix(lua_State *L, const struct connection *connection,
                      get_path get) {
  char path[ADDRESS_TEXT] = "";
  size_t size = sizeof path;
  if (connection->stream.handle.closing ||
      get(&connection->stream.uv.pipe, path, &size) < 0 ||
      size == 0) { /* most clients have none */
    lua_pushnil(L);
    return;
  }
  if (path[0] == '\0') path[0] = '@'; /* an abstract name */
  lua_pushliteral(L, "unix:");
  lua_pushlstring(L, path, size);
  lua_concat(L, 2);
}

void connection_push_peer(lua_State *L, const struct connection *connection) {
  if (!is_tcp(connection))
    push_unix(L, connection, uv_pipe_getpeername);
  else if (connection->peer.any.sa_family == AF_UNSPEC)
    lua_pushnil(L); /* it never was connected */
  else
    push_tcp(L, &connection->peer.any);
}

void connection_push_address(lua_State *L,
                             const struct connection *connection) {
  struct sockaddr_storage name;
  int size = sizeof name;
  if (!is_tcp(connection))
    push_unix(L, connection, uv_pipe_getsockname);
  else if (connection->stream.handle.closing ||
           uv_tcp_getsockname(&connection->stream.uv.tcp,
                              (struct sockaddr *)&name, &size) < 0)
    lua_pushnil(L);
  else
    push_tcp(L, (struct sockaddr *)&name);
}
