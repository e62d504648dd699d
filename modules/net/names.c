/* names.c - what the two ends of a connection are called.
 *
 * The system forgets the peer of a TCP connection as soon as that has left, but
 * then messages must name it: so it is asked for once, at the beginning. */
#include "host/address.h"
#include "host/error.h"
#include "modules/net/stream.h"

static bool is_tcp(const struct stream *stream) {
  return stream->uv.any.type == UV_TCP;
}

void stream_learn_peer(struct stream *stream) {
  int size = sizeof stream->peer;
  if (is_tcp(stream))
    uv_tcp_getpeername(&stream->uv.tcp, &stream->peer.any, &size);
}

static void push_tcp(lua_State *L, const struct sockaddr *name) {
  char text[ADDRESS_TEXT];
  address_format(name, text);
  lua_pushstring(L, text);
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

void stream_push_peer(lua_State *L, const struct stream *stream) {
  if (!is_tcp(stream))
    push_unix(L, stream, uv_pipe_getpeername);
  else if (stream->peer.any.sa_family == AF_UNSPEC)
    lua_pushnil(L); /* it never was connected */
  else
    push_tcp(L, &stream->peer.any);
}

void stream_push_address(lua_State *L, const struct stream *stream) {
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

int stream_error(lua_State *L, const struct stream *stream, int status,
                 const char *what) {
  stream_push_peer(L, stream);
  if (lua_isnil(L, -1))
    lua_pushstring(L, what);
  else
    lua_pushfstring(L, "%s %s", what, lua_tostring(L, -1));
  error_result(L, status, lua_tostring(L, -1));
  lua_rotate(L, -5, 3);
  lua_pop(L, 2); /* the peer, and what was made of it */
  return 3;
}
