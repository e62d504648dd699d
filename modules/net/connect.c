/* connect.c - look a name up, try all its addresses, hand the connection over.
 *
 * The attempt is a body in C memory, as a handle is: it lives until libuv has
 * called back for the last time and the box, that lies on the stack of who
 * waits, is gone. */
#include "modules/net/connect.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/address.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/net/bind.h"
#include "modules/net/connection.h"

static const char class_name[] = "neap.connect";

struct attempt {
  struct task *waiter; /* first member, see interrupt */
  struct host *host;
  struct owner *owner; /* alive while its waiter is */
  struct address address;
  struct origin origin;
  uv_getaddrinfo_t lookup;
  uv_connect_t request;
  struct addrinfo *found, *next; /* all addresses, those not yet tried */
  struct connection *connection; /* that connects, or has connected */
  int status;                    /* of the last try */
  int users;                     /* the box, a request in flight */
  bool done;                     /* connected, failed, or given up */
};

static void leave(struct attempt *attempt) {
  if (--attempt->users > 0) return;
  uv_freeaddrinfo(attempt->found);
  free(attempt);
}

static void finish_with(struct attempt *attempt, int status) {
  attempt->status = status;
  attempt->done = true;
  if (attempt->waiter != NULL) task_wake(attempt->waiter, 0);
}

static void drop_connection(struct attempt *attempt) {
  if (attempt->connection == NULL) return;
  handle_close(&attempt->connection->stream.handle);
  handle_leave(&attempt->connection->stream.handle);
  attempt->connection = NULL;
}

/* ---- one address after the other ----------------------------------------- */

static void try_next(struct attempt *attempt);

static void on_connect(uv_connect_t *uv, int status) {
  struct attempt *attempt = uv->data;
  attempt->host->peer_requests--;
  if (!attempt->done) {
    bool stopped =
      attempt->connection->stream.handle.closing; /* by its owner */
    if (status == 0 && !stopped) {
      connection_learn_peer(attempt->connection);
      status = stream_start(&attempt->connection->stream);
    }
    if (status == 0 || stopped) {
      finish_with(attempt, status);
    } else {
      attempt->status = status;
      drop_connection(attempt);
      try_next(attempt);
    }
  }
  leave(attempt);
}

static int open_connection(struct attempt *attempt, uv_handle_type type) {
  attempt->connection = connection_new(attempt->host, attempt->owner, type);
  if (attempt->connection == NULL) return UV_ENOMEM;
  handle_use(
    &attempt->connection->stream.handle); /* its owner may stop it meanwhile */
  attempt->connection->stream.handle.origin = attempt->origin;
  attempt->request.data = attempt;
  return 0;
}

static int try_tcp(struct attempt *attempt, const struct sockaddr *name) {
  int status = open_connection(attempt, UV_TCP);
  if (status < 0) return status;
  uv_tcp_nodelay(&attempt->connection->stream.uv.tcp, 1);
  status = uv_tcp_connect(
    &attempt->request, &attempt->connection->stream.uv.tcp, name, on_connect);
  if (status == 0) attempt->users++;
  if (status == 0) attempt->host->peer_requests++;
  return status;
}

static void try_next(struct attempt *attempt) {
  while (attempt->next != NULL) {
    const struct addrinfo *one = attempt->next;
    attempt->next = one->ai_next;
    attempt->status = try_tcp(attempt, one->ai_addr);
    if (attempt->status == 0) return;
    drop_connection(attempt);
  }
  finish_with(attempt, attempt->status);
}

static void on_lookup(uv_getaddrinfo_t *uv, int status,
                      struct addrinfo *found) {
  struct attempt *attempt = uv->data;
  attempt->found = attempt->next = found;
  if (status == UV_EAI_CANCELED) status = UV_ECANCELED;
  if (attempt->done)
    (void)status; /* nobody waits any more */
  else if (status < 0)
    finish_with(attempt, status);
  else
    try_next(attempt);
  leave(attempt);
}

static int look_up(struct attempt *attempt) {
  struct addrinfo hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  attempt->lookup.data = attempt;
  int status =
    uv_getaddrinfo(&attempt->host->loop, &attempt->lookup, on_lookup,
                   attempt->address.host, attempt->address.port, &hints);
  if (status == 0) attempt->users++;
  return status;
}

/* This never has to wait. (libuv's does not know names like "@name".) */
static int try_unix(struct attempt *attempt) {
  struct sockaddr_un name;
  socklen_t size = address_unix(attempt->address.host, &name);
  int status = open_connection(attempt, UV_NAMED_PIPE);
  if (status < 0) return status;
  int fd = bind_open_socket(AF_UNIX);
  if (fd < 0) return uv_translate_sys_error(errno);
  if (connect(fd, (const struct sockaddr *)&name, size) < 0)
    status = uv_translate_sys_error(errno);
  if (status == 0)
    status = uv_pipe_open(&attempt->connection->stream.uv.pipe, fd);
  if (status < 0) {
    close(fd);
    return status;
  }
  status = stream_start(&attempt->connection->stream);
  if (status == 0) finish_with(attempt, 0);
  return status;
}

static void begin(struct attempt *attempt) {
  struct sockaddr_storage name;
  int status;
  if (attempt->address.is_unix)
    status = try_unix(attempt);
  else if (address_resolve(&attempt->address, false, &name) == 0)
    status = try_tcp(attempt, (struct sockaddr *)&name);
  else
    status = look_up(attempt);
  if (status == 0) return; /* under way, or done */
  drop_connection(attempt);
  finish_with(attempt, status);
}

/* ---- the function -------------------------------------------------------- */

static void give_up(struct attempt *attempt) {
  if (!attempt->done) uv_cancel((uv_req_t *)&attempt->lookup);
  attempt->done = true;
  drop_connection(attempt);
}

static int collect(lua_State *L) {
  struct attempt **box = luaL_checkudata(L, 1, class_name);
  if (*box == NULL) return 0;
  give_up(*box);
  leave(*box);
  *box = NULL;
  return 0;
}

static int finish(lua_State *L) { /* address, box */
  struct attempt *attempt = *(struct attempt **)lua_touserdata(L, 2);
  int status = wait_status(L);
  if (status == 0) status = attempt->status;
  const struct connection *connection = attempt->connection;
  if (status == 0 && (connection == NULL || connection->stream.handle.closing))
    status = UV_ECANCELED;
  if (status == 0) {
    stream_push(L, &attempt->connection->stream);
    handle_leave(
      &attempt->connection->stream.handle); /* it has a box of its own now */
    attempt->connection = NULL;
    return 1;
  }
  give_up(attempt);
  lua_pushfstring(L, "connect %s", lua_tostring(L, 1));
  return error_result(L, status, lua_tostring(L, -1));
}

/* Late or cancelled: nothing may come of it behind our back. */
static bool interrupt(struct task *task) {
  give_up((struct attempt *)task->parked);
  return false;
}

static const struct wait connect_wait = {"connect", finish, interrupt};

static struct attempt *new_attempt(lua_State *L, struct address *address) {
  struct attempt **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, class_name);
  struct attempt *attempt = calloc(1, sizeof *attempt);
  if (attempt == NULL) luaL_error(L, "not enough memory to connect");
  attempt->host = host_of(L);
  attempt->address = *address;
  attempt->origin = origin_here(L);
  attempt->users = 1;
  *box = attempt;
  return attempt;
}

int net_connect(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct address address;
  address_check(L, 1, &address);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  struct owner *owner = owner_here(L);
  struct attempt *attempt = new_attempt(L, &address);
  lua_replace(L, 2);
  struct task *task = wait_begin(L, &connect_wait, 3);
  attempt->owner = owner;
  begin(attempt);
  if (attempt->done) return wait_pass(L, task, &attempt->waiter);
  return wait_park(L, task, &attempt->waiter, timeout);
}

void connect_open_class(lua_State *L) {
  luaL_newmetatable(L, class_name);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
