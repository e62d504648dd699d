/* ends.c - names of sockets, as text. */
#include "host/stream/ends.h"

#include <string.h>

#include "host/address.h"
#include "host/stream/stream.h"

/* ---- the peer ------------------------------------------------------------ */

void peer_set(union peer *peer, const struct sockaddr *name) {
  if (name->sa_family == AF_INET)
    memcpy(peer, name, sizeof peer->v4);
  else if (name->sa_family == AF_INET6)
    memcpy(peer, name, sizeof peer->v6);
}

static bool is_tcp(const struct stream *stream) {
  return stream->uv.any.type == UV_TCP;
}

void peer_learn(union peer *peer, const struct stream *stream) {
  int size = sizeof *peer;
  if (is_tcp(stream)) uv_tcp_getpeername(&stream->uv.tcp, &peer->any, &size);
}

/* ---- as text ------------------------------------------------------------- */

static void push_tcp(lua_State *L, const struct sockaddr *name) {
  char text[ADDRESS_TEXT];
  address_format(name, text);
  lua_pushstring(L, text);
}

void peer_push(lua_State *L, const union peer *peer) {
  if (peer->any.sa_family == AF_UNSPEC)
    lua_pushnil(L);
  else
    push_tcp(L, &peer->any);
}

typedef int (*get_path)(const uv_pipe_t *pipe, char *buffer, size_t *size);

static void push_unix(lua_State *L, const struct stream *stream, get_path get) {
  char path[ADDRESS_TEXT] = "";
  size_t size = sizeof path;
  if (stream->handle.closing || get(&stream->uv.pipe, path, &size) < 0 ||
      size == 0) { /* most clients have none */
    lua_pushnil(L);
    return;
  }
  if (path[0] == '\0') path[0] = '@'; /* an abstract name */
  lua_pushliteral(L, "unix:");
  lua_pushlstring(L, path, size);
  lua_concat(L, 2);
}

void ends_push_peer(lua_State *L, const struct stream *stream,
                    const union peer *peer) {
  if (is_tcp(stream) || peer->any.sa_family != AF_UNSPEC)
    peer_push(L, peer);
  else
    push_unix(L, stream, uv_pipe_getpeername);
}

void ends_push_address(lua_State *L, const struct stream *stream) {
  struct sockaddr_storage name;
  int size = sizeof name;
  if (!is_tcp(stream))
    push_unix(L, stream, uv_pipe_getsockname);
  else if (stream->handle.closing ||
           uv_tcp_getsockname(&stream->uv.tcp, (struct sockaddr *)&name,
                              &size) < 0)
    lua_pushnil(L);
  else
    push_tcp(L, (struct sockaddr *)&name);
}
