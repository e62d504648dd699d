/* pair.c - a socket pair: the server has one end, a script the other.
 *
 * The server is a real one, but listens nowhere, and has this one connection:
 * what the handler answers comes as it would to any client. Server and client
 * are work of whoever asks, and when the client's end is closed, however that
 * comes, the server is closed, too: so nothing is left of a request that is
 * over, was given up, or was forgotten. */
#include "modules/http/app/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/error.h"
#include "host/host.h"
#include "host/stream/stream.h"
#include "modules/http/client.h"
#include "modules/http/server.h"

struct end {
  struct stream stream; /* first member */
  struct handle *server;
  void (*on_close)(struct handle *h); /* of all streams */
};

static struct client *client_of(const struct handle *server) {
  const struct service *service = ((const struct listener *)server)->service;
  if (service == NULL || service->connections == NULL) return NULL;
  return service->connections->connection;
}

/* ---- its end ------------------------------------------------------------- */

/* The server learns of it now, and not when the loop comes to it: then nothing
 * is left for whoever counts. */
static void on_close(struct handle *h) {
  struct end *end = (struct end *)h;
  struct client *client = client_of(end->server);
  end->on_close(h);
  if (client != NULL) handle_close(&client->stream.handle);
  handle_end(end->server);
}

static void on_free(struct handle *h) {
  handle_leave(((struct end *)h)->server);
  inbox_free(&((struct end *)h)->stream.inbox);
  stream_free(h);
}

/* A client that leaves: nobody waits until what it has written is taken. */
static void end_now(struct handle *h) {
  handle_close(h);
}

/* ---- its class --------------------------------------------------------- */

static void push_name(lua_State *L, const struct stream *stream) {
  (void)stream;
  lua_pushnil(L);
}

static const struct stream_kind kind = {
  .work = {.name = "request", .stop = handle_stop, .lasts = true},
  .class_name = "http.client_end",
  .size = sizeof(struct end),
  .push_name = push_name,
  .is_socket = true};

/* ---- all has been read --------------------------------------------------- */

static bool on_event(struct stream *stream) {
  inbox_consume(&stream->inbox, stream->inbox.size);
  if (stream->ending != 0) handle_close(&stream->handle);
  return false;
}

static bool is_busy(const struct stream *stream) {
  (void)stream;
  return false;
}

static const struct stream_consumer leaver = {on_event, is_busy};

/* end:finish(): the answer is whole. What its handler still does afterwards is
 * not to be cancelled as that of a client who has left: the server closes when
 * it is done, and nobody need hold this end until then. */
static int finish(lua_State *L) {
  struct handle *h = handle_check_any(L, 1, kind.class_name);
  struct end *end = (struct end *)h;
  struct client *client = client_of(end->server);
  if (h->ended || h->closing) return 0;
  if (client == NULL || client->task == NULL || end->stream.ending != 0) {
    handle_end(h);
    return 0;
  }
  client->last = true;
  end->stream.consumer = &leaver;
  h->rooted = true;
  h->origin = (struct origin){NULL, 0}; /* a part of that task */
  stream_resume_reading(&end->stream);
  return 0;
}

/* ---- its beginning ------------------------------------------------------- */

/* (The flag of socket(2) for it is not everywhere.) */
static int open_pair(int fds[2]) {
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
    return uv_translate_sys_error(errno);
  fcntl(fds[0], F_SETFD, FD_CLOEXEC);
  fcntl(fds[1], F_SETFD, FD_CLOEXEC);
  return 0;
}

/* Takes the descriptor, in any case. */
static struct end *new_end(struct handle *server, int fd) {
  struct end *end = (struct end *)stream_new(server->host, server->work.owner,
                                             UV_NAMED_PIPE, &kind);
  if (end == NULL) {
    close(fd);
    return NULL;
  }
  struct handle *h = &end->stream.handle;
  end->on_close = h->on_close;
  end->server = server;
  handle_use(server);
  h->on_close = on_close;
  h->on_free = on_free;
  h->end = end_now;
  if (uv_pipe_open(&end->stream.uv.pipe, fd) == 0) return end;
  close(fd);
  handle_close(h);
  return NULL;
}

/* NULL: the server has been closed, and `*status` says why. */
static struct end *connect_to(struct server *server,
                              const struct sockaddr *peer, int *status) {
  int fds[2];
  struct end *end = NULL;
  *status = open_pair(fds);
  if (*status == 0) {
    end = new_end(&server->listener.handle, fds[0]);
    if (end != NULL)
      client_accept(&server->listener, fds[1], peer);
    else
      close(fds[1]);
  }
  if (end != NULL) *status = stream_start(&end->stream);
  if (*status == 0 && end != NULL) return end;
  if (*status == 0) *status = UV_ENOMEM;
  if (end != NULL) handle_close(&end->stream.handle);
  handle_end(&server->listener.handle);
  return NULL;
}

/* No address: it is as if it came over a Unix socket. */
static int read_peer(lua_State *L, int index, struct sockaddr_storage *peer) {
  struct address address;
  *peer = (struct sockaddr_storage){.ss_family = AF_UNIX};
  if (lua_isnoneornil(L, index)) return 0;
  if (address_parse(luaL_checkstring(L, index), &address) < 0 ||
      address.is_unix || address_resolve(&address, false, peer) < 0)
    return UV_EINVAL;
  return 0;
}

enum { AT_HANDLER = 1, AT_LIMITS, AT_PEER };

int http_pair(lua_State *L) {
  struct sockaddr_storage peer;
  lua_settop(L, AT_PEER);
  int status = read_peer(L, AT_PEER, &peer);
  if (status < 0) return error_result(L, status, "peer");
  struct origin origin = origin_of_script(L);
  struct box *box = handle_push_empty_box(L, kind.class_name, 0);
  struct server *server = server_open_private(L, AT_HANDLER);
  if (server == NULL) return error_result(L, UV_EMFILE, "request");
  struct end *end = connect_to(server, (struct sockaddr *)&peer, &status);
  if (end == NULL) return error_result(L, status, "request");
  end->stream.handle.origin = origin;
  server->listener.handle.origin = origin; /* so tasks have it, see serve.c */
  handle_fill_box(box, &end->stream.handle);
  return 1;
}

/* ---- the class ----------------------------------------------------------- */

static const luaL_Reg methods[] = {
  {"close", handle_method_close}, {"finish", finish}, {"read", stream_read},
  {"write", stream_write},        {NULL, NULL},
};

static const struct class_field fields[] = {
  {"closed", handle_field_closed, NULL},
  {NULL, NULL, NULL},
};

void http_pair_open_class(lua_State *L) {
  stream_class(L, &kind, methods, fields);
}
