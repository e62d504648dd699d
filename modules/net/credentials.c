/* credentials.c - who is at the other end of a Unix socket, as the system knows
 * it: nothing the peer says of itself. They are those of the moment when it
 * connected, or began to listen; the process may have ended since. */
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __APPLE__
#include <sys/un.h>
#endif

#include "modules/net/connection.h"

struct credentials {
  uid_t uid;
  gid_t gid;
  pid_t pid; /* 0: nobody can say */
};

#ifdef SO_PEERCRED

static bool ask(int fd, struct credentials *result) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
  *result = (struct credentials){peer.uid, peer.gid, peer.pid};
  return true;
}

#else

static pid_t ask_pid(int fd) {
  pid_t pid = 0;
#ifdef LOCAL_PEERPID
  socklen_t size = sizeof pid;
  if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &size) < 0) pid = 0;
#else
  (void)fd;
#endif
  return pid;
}

static bool ask(int fd, struct credentials *result) {
  result->pid = ask_pid(fd);
  return getpeereid(fd, &result->uid, &result->gid) == 0;
}

#endif

static void set(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

void connection_push_credentials(lua_State *L,
                                 const struct connection *connection) {
  const struct stream *stream = &connection->stream;
  struct credentials peer;
  uv_os_fd_t fd;
  if (stream->uv.any.type != UV_NAMED_PIPE || stream->handle.closing ||
      uv_fileno(&stream->uv.any, &fd) < 0 || !ask(fd, &peer)) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 3);
  set(L, "uid", (lua_Integer)peer.uid);
  set(L, "gid", (lua_Integer)peer.gid);
  if (peer.pid > 0) set(L, "pid", (lua_Integer)peer.pid);
}
