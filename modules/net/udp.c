/* udp.c - the life of a datagram socket: opened, polled, passed on to the next
 * version of the program, closed. */
#include "modules/net/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/error.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"

static const char class_name[] = "neap.udp";

struct udp *udp_check(lua_State *L) {
  return handle_check(L, 1, class_name);
}

struct udp *udp_check_any(lua_State *L) {
  return handle_check_any(L, 1, class_name);
}

/* ---- polling ------------------------------------------------------------- */

static int wanted(const struct udp *udp) {
  int events = 0;
  if (udp->receiving && !udp->handle.work.staged) events |= UV_READABLE;
  if (udp->queued > 0) events |= UV_WRITABLE;
  return events;
}

static void on_ready(uv_poll_t *uv, int status, int events);

static void poll_for(struct udp *udp, int events) {
  if (events == udp->watched) return;
  udp->watched = events;
  if (events == 0)
    uv_poll_stop(&udp->poll);
  else
    uv_poll_start(&udp->poll, events, on_ready);
}

/* To start and stop are system calls: so it is polled for input until some has
 * come that nobody waits for. */
void udp_watch(struct udp *udp) {
  if (udp->handle.closing) return;
  int events = wanted(udp);
  if (events != 0)
    uv_ref(udp->handle.uv);
  else
    uv_unref(udp->handle.uv);
  poll_for(udp, events | (udp->watched & UV_READABLE));
}

/* libuv stops polling, and gives an error, where the socket has one to tell. */
static void on_ready(uv_poll_t *uv, int status, int events) {
  struct udp *udp = uv->data;
  if (status < 0) {
    udp->watched = 0;
    events = UV_READABLE | UV_WRITABLE;
  }
  handle_use(&udp->handle);
  int unwanted = events & ~wanted(udp);
  if ((events & UV_WRITABLE) != 0) udp_send_queued(udp);
  if ((events & UV_READABLE) != 0 && udp->receiving) udp_take(udp);
  udp_watch(udp);
  if ((unwanted & UV_READABLE) != 0 && !udp->handle.closing)
    poll_for(udp, wanted(udp));
  handle_leave(&udp->handle);
}

/* ---- as work of its owner ------------------------------------------------ */

static void leave_before(struct udp *udp) {
  if (udp->before == NULL) return;
  udp->before->has_heir = false;
  handle_leave(&udp->before->handle);
  udp->before = NULL;
}

static void on_close(struct handle *h) {
  struct udp *udp = (struct udp *)h;
  uv_poll_stop(&udp->poll);
  close(udp->fd);
  leave_before(udp);
  udp_end_errands(udp);
  udp_drop_held(udp);
  udp->receiving = false;
  wait_wake_all(udp->receiver, UV_ECANCELED);
}

static void on_free(struct handle *h) {
  udp_free_errands((struct udp *)h);
}

/* Its version goes live: from now on it is the one to receive. */
static int start(struct work *work) {
  struct udp *udp = (struct udp *)work;
  udp_hand_over(udp->before, udp);
  leave_before(udp);
  work->staged = false;
  udp_watch(udp);
  return 0;
}

static const struct work_kind kind = {.name = "datagram socket",
                                      .stop = handle_stop,
                                      .start = start,
                                      .lasts = true};

/* ---- its socket: a new one, or that of the version before ---------------- */

static bool name_of(const struct udp *udp, char text[ADDRESS_TEXT]) {
  union udp_name name;
  socklen_t size = sizeof name;
  memset(&name, 0, sizeof name);
  if (udp->handle.closing || getsockname(udp->fd, &name.any, &size) < 0)
    return false;
  if (name.v4.sin_port == 0) return false; /* at the same place in both */
  udp_unmap(&name); /* where it is connected to one of IPv4 */
  address_format(&name.any, text);
  return true;
}

/* The address as it was asked for, in numbers: "127.0.0.1:0". */
static void format_asked(const struct address *address,
                         char text[ADDRESS_TEXT]) {
  struct sockaddr_storage name;
  memset(&name, 0, sizeof name);
  text[0] = '\0';
  if (address_resolve(address, true, &name) == 0)
    address_format((struct sockaddr *)&name, text);
}

/* The one of the live version at this address. Where the system chooses the
 * port, the n-th socket gets that of the n-th. */
static struct udp *predecessor(const struct owner *owner, const char *asked) {
  const struct host *host = owner->generation->host;
  if (!owner_is_staged(owner) || host->live == NULL) return NULL;
  for (struct work *work = host->live->background.first; work != NULL;
       work = work->next) {
    struct udp *udp = (struct udp *)work;
    char bound[ADDRESS_TEXT];
    if (work->kind != &kind || udp->asked[0] == '\0' || udp->has_heir ||
        udp->handle.closing)
      continue;
    if (strcmp(udp->asked, asked) == 0) return udp;
    if (name_of(udp, bound) && strcmp(bound, asked) == 0) return udp;
  }
  return NULL;
}

static void adopt(struct udp *udp, struct udp *before) {
  udp->before = before;
  before->has_heir = true;
  handle_use(&before->handle);
  udp->handle.work.staged = true;
  udp->handle.work.inherits = true;
}

static int inherit_socket(const struct udp *from) {
  int fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
  return fd < 0 ? uv_translate_sys_error(errno) : fd;
}

/* Takes the descriptor, in any case. */
static struct udp *new_udp(struct owner *owner, int fd) {
  struct host *host = owner->generation->host;
  struct udp *udp = handle_new(host, sizeof *udp);
  if (udp == NULL || uv_poll_init(&host->loop, &udp->poll, fd) < 0) {
    free(udp);
    close(fd);
    return NULL;
  }
  udp->fd = fd;
  udp->family = udp_family(fd);
  udp->last_errand = &udp->errands;
  udp->handle.on_close = on_close;
  udp->handle.on_free = on_free;
  handle_open(&udp->handle, &udp->poll, &kind, owner);
  uv_unref(udp->handle.uv);
  return udp;
}

static int open_udp(struct owner *owner, const struct address *address,
                    const struct udp_options *options, struct udp **result) {
  char asked[ADDRESS_TEXT] = "";
  struct udp *before = NULL;
  int fd;
  if (address == NULL) {
    fd = udp_open(options);
  } else {
    format_asked(address, asked);
    before = predecessor(owner, asked);
    fd = before != NULL ? inherit_socket(before) : udp_bind(address, options);
  }
  if (fd < 0) return fd;
  struct udp *udp = new_udp(owner, fd);
  if (udp == NULL) return UV_ENOMEM;
  strcpy(udp->asked, asked);
  if (before != NULL) adopt(udp, before);
  *result = udp;
  return 0;
}

/* ---- net.udp([address] [, options]) -------------------------------------- */

static struct udp_options check_options(lua_State *L, int index) {
  struct udp_options options = {0};
  if (lua_isnil(L, index)) return options;
  if (lua_getfield(L, index, "reuse") != LUA_TNIL) {
    const char *what = lua_tostring(L, -1);
    options.reuse_address = what != NULL && strcmp(what, "address") == 0;
    options.reuse_port = what != NULL && strcmp(what, "port") == 0;
    if (!options.reuse_address && !options.reuse_port)
      luaL_argerror(L, index, "reuse must be \"address\" or \"port\"");
  }
  lua_pop(L, 1);
  options.ipv6_only = option_flag(L, index, "ipv6only");
  options.receive_buffer =
    (int)option_integer(L, index, "receive_buffer", 1, INT32_MAX / 2, 0);
  options.send_buffer =
    (int)option_integer(L, index, "send_buffer", 1, INT32_MAX / 2, 0);
  return options;
}

static int open_error(lua_State *L, int status) {
  if (lua_isnil(L, 1))
    lua_pushliteral(L, "udp");
  else
    lua_pushfstring(L, "udp %s", lua_tostring(L, 1));
  return error_result(L, status, lua_tostring(L, -1));
}

int net_udp(lua_State *L) {
  static const char *const names[] = {"ipv6only", "receive_buffer", "reuse",
                                      "send_buffer", NULL};
  struct address address;
  if (lua_isnone(L, 1) || lua_istable(L, 1)) {
    lua_pushnil(L);
    lua_insert(L, 1);
  }
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2); /* it does not wait: no callback */
  option_arguments(L, 1, names);
  struct udp_options options = check_options(L, 2);
  bool is_bound = !lua_isnil(L, 1);
  if (is_bound) address_check(L, 1, &address);
  if (is_bound && address.is_unix)
    luaL_argerror(L, 1, "datagrams have no Unix sockets here");
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, UDP_VALUES);
  struct udp *udp = NULL;
  int status = open_udp(owner, is_bound ? &address : NULL, &options, &udp);
  if (status < 0) return open_error(L, status);
  udp->handle.origin = origin;
  handle_fill_box(box, &udp->handle);
  return 1;
}

/* ---- the class ----------------------------------------------------------- */

static bool peer_of(const struct udp *udp, char text[ADDRESS_TEXT]) {
  union udp_name name;
  socklen_t size = sizeof name;
  memset(&name, 0, sizeof name);
  if (udp->handle.closing || getpeername(udp->fd, &name.any, &size) < 0)
    return false;
  udp_unmap(&name);
  address_format(&name.any, text);
  return true;
}

int udp_error(lua_State *L, const struct udp *udp, int status,
              const char *what) {
  char text[ADDRESS_TEXT];
  if (peer_of(udp, text) || name_of(udp, text))
    lua_pushfstring(L, "%s %s", what, text);
  else
    lua_pushstring(L, what);
  return error_result(L, status, lua_tostring(L, -1));
}

static int get_address(lua_State *L) {
  char text[ADDRESS_TEXT];
  if (!name_of(udp_check_any(L), text)) return 0;
  lua_pushstring(L, text);
  return 1;
}

static int get_peer(lua_State *L) {
  char text[ADDRESS_TEXT];
  if (!peer_of(udp_check_any(L), text)) return 0;
  lua_pushstring(L, text);
  return 1;
}

static const luaL_Reg methods[] = {
  {"broadcast", udp_broadcast},
  {"close", handle_method_close},
  {"connect", udp_connect},
  {"disconnect", udp_disconnect},
  {"join", udp_join},
  {"leave", udp_leave},
  {"messages", udp_messages},
  {"multicast_interface", udp_multicast_interface},
  {"multicast_loop", udp_multicast_loop},
  {"multicast_ttl", udp_multicast_ttl},
  {"receive", udp_receive},
  {"send", udp_send},
  {"ttl", udp_ttl},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"address", get_address, NULL},
  {"closed", handle_field_closed, NULL},
  {"peer", get_peer, NULL},
  {NULL, NULL, NULL},
};

void udp_open_class(lua_State *L) {
  handle_class(L, class_name, methods, fields);
}
