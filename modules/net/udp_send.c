/* udp_send.c - datagrams go out at once. Those that have no room in the socket,
 * or whose address is a name that has to be looked up, are errands: they wait,
 * as memory of the socket, and hold what lies on the stack of their task. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/net/udp.h"

enum { QUEUED_MOST = 16 << 20 }; /* bytes, of those who do not wait */

/* ---- errands ------------------------------------------------------------- */

static void unqueue(struct errand *errand) {
  if (errand->queued) errand->udp->queued -= errand->size + 1;
  errand->queued = false;
}

/* Its memory stays: the task may still be in the list that begins in it. */
static void end(struct errand *errand) {
  inquiry_leave(&errand->inquiry);
  unqueue(errand);
  errand->done = true;
}

static void end_with(struct errand *errand, int status) {
  end(errand);
  if (errand->waiter != NULL) task_wake(errand->waiter, status);
}

/* Frees those whose task has gone on, when there are twice as many as before:
 * of a great many not all are looked at for each. */
static void sweep(struct udp *udp) {
  struct errand **place = &udp->errands;
  if (udp->errand_count < udp->sweep_at) return;
  while (*place != NULL) {
    struct errand *errand = *place;
    if (errand->waiter == NULL) {
      *place = errand->next;
      udp->errand_count--;
      end(errand);
      free(errand);
    } else {
      place = &errand->next;
    }
  }
  udp->last_errand = place;
  udp->sweep_at = 2 * udp->errand_count;
}

void udp_end_errands(struct udp *udp) {
  for (struct errand *e = udp->errands; e != NULL; e = e->next)
    if (!e->done) end_with(e, UV_ECANCELED);
}

void udp_free_errands(struct udp *udp) {
  while (udp->errands != NULL) {
    struct errand *errand = udp->errands;
    udp->errands = errand->next;
    end(errand);
    free(errand);
  }
}

static bool interrupt(struct task *task) {
  struct errand *errand = (struct errand *)task->parked;
  end(errand);
  udp_watch(errand->udp);
  return false;
}

/* ---- doing them ---------------------------------------------------------- */

static int send_now(struct udp *udp, const char *data, size_t size,
                    const union udp_name *name) {
  udp->handle.host->has_sent = true;
  return udp_send_now(udp->fd, data, size, name);
}

/* 1: it has to wait for room. */
static int perform(struct errand *errand) {
  struct udp *udp = errand->udp;
  const union udp_name *name = errand->has_name ? &errand->name : NULL;
  if (errand->connects) return udp_connect_now(udp->fd, name);
  int status = udp->queued > 0 && !errand->queued
                 ? UV_EAGAIN /* behind the others */
                 : send_now(udp, errand->data, errand->size, name);
  if (status != UV_EAGAIN) return status;
  if (!errand->queued) udp->queued += errand->size + 1; /* it may be empty */
  errand->queued = true;
  return 1;
}

void udp_send_queued(struct udp *udp) {
  for (struct errand *e = udp->errands; e != NULL; e = e->next) {
    if (!e->queued) continue;
    int status = e->waiter != NULL ? perform(e) : UV_ECANCELED;
    if (status == 1) return;
    end_with(e, status);
  }
}

static bool set_name(struct errand *errand, const struct addrinfo *found) {
  memset(&errand->name, 0, sizeof errand->name);
  if (found->ai_addrlen > sizeof errand->name) return false;
  memcpy(&errand->name, found->ai_addr, found->ai_addrlen);
  errand->name.v4.sin_port = htons((uint16_t)errand->port); /* of both */
  return udp_map(errand->udp->family, &errand->name);
}

/* The system knows at once that nothing goes there. */
static bool is_no_way(int status) {
  return status == UV_EAFNOSUPPORT || status == UV_ENETUNREACH ||
         status == UV_EHOSTUNREACH || status == UV_EADDRNOTAVAIL;
}

/* To the first address that there is a way to: a socket that has been connected
 * to an IPv4 address knows none to an IPv6 one any more. */
static int perform_by_name(struct errand *errand,
                           const struct addrinfo *found) {
  int status = UV_EAFNOSUPPORT;
  for (; found != NULL && is_no_way(status); found = found->ai_next)
    if (set_name(errand, found)) status = perform(errand);
  return status;
}

static void on_answer(struct inquiry *inquiry, int status) {
  char *place = (char *)inquiry;
  struct errand *errand =
    (struct errand *)(place - offsetof(struct errand, inquiry));
  if (errand->waiter == NULL) status = UV_ECANCELED;
  if (status == 0) status = perform_by_name(errand, inquiry_addresses(inquiry));
  if (status == 1)
    udp_watch(errand->udp);
  else
    end_with(errand, status);
}

/* ---- their beginning ----------------------------------------------------- */

static struct errand *new_errand(struct udp *udp) {
  struct errand *errand = calloc(1, sizeof *errand);
  if (errand == NULL) return NULL;
  errand->udp = udp;
  errand->inquiry.on_answer = on_answer;
  *udp->last_errand = errand;
  udp->last_errand = &errand->next;
  udp->errand_count++;
  return errand;
}

enum target { TARGET_PEER, TARGET_NUMBER, TARGET_NAME };

/* As a task waits for it. `errand` comes without its address. */
static int run_errand(lua_State *L, struct task *task, struct errand *errand,
                      enum target target, const struct address *address,
                      int64_t timeout) {
  struct udp *udp = errand->udp;
  int family = udp->family == AF_INET ? AF_INET : AF_UNSPEC;
  int status;
  errand->has_name = target != TARGET_PEER;
  errand->port = target == TARGET_NAME ? address_port(address) : 0;
  if (target == TARGET_NAME)
    status =
      question_ask(L, &errand->inquiry, QUESTION_USABLE, address->host, family);
  else
    status = perform(errand);
  if (status < 0 || (status == 0 && target != TARGET_NAME)) {
    end(errand);
    return wait_fail(L, task, status);
  }
  udp_watch(udp);
  return wait_park(L, task, &errand->waiter, timeout);
}

/* ---- socket:send(data [, address] [, options] [, callback]) -------------- */

/* The stack becomes: socket, data or nothing, address or nil, options, callback.
 * `at` is where the address lies. */
static void arrange(lua_State *L, int at) {
  static const char *const options[] = {"timeout", NULL};
  int type = lua_type(L, at);
  if (type == LUA_TTABLE || type == LUA_TFUNCTION) {
    lua_pushnil(L);
    lua_insert(L, at);
  } else if (type != LUA_TNIL) {
    if (type != LUA_TNONE) luaL_checkstring(L, at);
  }
  if (lua_gettop(L) < at) lua_settop(L, at);
  option_arguments(L, at, options);
}

/* An answer to whom it came from needs no more thought. */
static bool is_known(lua_State *L, const struct udp *udp, int at) {
  lua_getiuservalue(L, 1, UDP_VALUE_FROM);
  bool known = lua_rawequal(L, -1, at);
  lua_pop(L, 1);
  return known && udp->known.any.sa_family != AF_UNSPEC;
}

static enum target check_target(lua_State *L, const struct udp *udp, int at,
                                struct address *address, union udp_name *name) {
  if (lua_isnil(L, at)) return TARGET_PEER;
  if (is_known(L, udp, at)) {
    *name = udp->known;
    return TARGET_NUMBER;
  }
  address_check(L, at, address);
  if (address->is_unix)
    luaL_argerror(L, at, "datagrams have no Unix sockets here");
  return udp_resolve(address, name) ? TARGET_NUMBER : TARGET_NAME;
}

static int target_error(lua_State *L, int status, const char *what, int at) {
  const struct udp *udp =
    (struct udp *)((struct box *)lua_touserdata(L, 1))->handle;
  if (lua_isnil(L, at)) return udp_error(L, udp, status, what);
  lua_pushfstring(L, "%s %s", what, lua_tostring(L, at));
  return error_result(L, status, lua_tostring(L, -1));
}

static int send_finish(lua_State *L) { /* socket, data, address, options */
  int status = wait_status(L);
  if (status < 0) return target_error(L, status, "send", 3);
  lua_pushvalue(L, 1);
  return 1;
}

static const struct wait send_wait = {"send", send_finish, interrupt};

int udp_send(lua_State *L) {
  struct udp *udp = udp_check(L);
  struct address address;
  union udp_name name;
  size_t size;
  memset(&name, 0, sizeof name);
  luaL_checkany(L, 2);
  arrange(L, 3);
  enum target target = check_target(L, udp, 3, &address, &name);
  int64_t timeout = option_ms(L, 4, "timeout");
  check_strings(L, 2);
  const char *data = lua_tolstring(L, 2, &size);
  struct task *task = wait_begin(L, &send_wait, 5);
  if (udp->handle.closing) return wait_fail(L, task, UV_ECANCELED);
  if (udp->errands != NULL) sweep(udp);
  if (target == TARGET_NUMBER && !udp_map(udp->family, &name))
    return wait_fail(L, task, UV_EAFNOSUPPORT);
  if (target != TARGET_NAME && udp->queued == 0) {
    int status =
      send_now(udp, data, size, target == TARGET_NUMBER ? &name : NULL);
    if (status == 0) return wait_pass(L, task, NULL);
    if (status != UV_EAGAIN) return wait_fail(L, task, status);
  }
  if (udp->queued > QUEUED_MOST) return wait_fail(L, task, UV_ENOBUFS);
  struct errand *errand = new_errand(udp);
  if (errand == NULL) return wait_fail(L, task, UV_ENOMEM);
  errand->data = data;
  errand->size = size;
  errand->name = name;
  return run_errand(L, task, errand, target, &address, timeout);
}

/* ---- socket:connect(address [, options] [, callback]) -------------------- */

static int connect_finish(lua_State *L) { /* socket, address, options */
  int status = wait_status(L);
  if (status < 0) return target_error(L, status, "connect", 2);
  lua_pushvalue(L, 1);
  return 1;
}

static const struct wait connect_wait = {"connect", connect_finish, interrupt};

int udp_connect(lua_State *L) {
  struct udp *udp = udp_check(L);
  struct address address;
  union udp_name name;
  memset(&name, 0, sizeof name);
  luaL_checkstring(L, 2);
  arrange(L, 2);
  enum target target = check_target(L, udp, 2, &address, &name);
  int64_t timeout = option_ms(L, 3, "timeout");
  struct task *task = wait_begin(L, &connect_wait, 4);
  if (udp->handle.closing) return wait_fail(L, task, UV_ECANCELED);
  if (udp->errands != NULL) sweep(udp);
  if (target == TARGET_NUMBER) {
    int status = UV_EAFNOSUPPORT;
    if (udp_map(udp->family, &name)) status = udp_connect_now(udp->fd, &name);
    return wait_fail(L, task, status);
  }
  struct errand *errand = new_errand(udp);
  if (errand == NULL) return wait_fail(L, task, UV_ENOMEM);
  errand->connects = true;
  return run_errand(L, task, errand, target, &address, timeout);
}

int udp_disconnect(lua_State *L) {
  const struct udp *udp = udp_check(L);
  if (udp->handle.closing) return udp_error(L, udp, UV_ECANCELED, "disconnect");
  int status = udp_connect_now(udp->fd, NULL);
  if (status < 0) return udp_error(L, udp, status, "disconnect");
  lua_settop(L, 1);
  return 1;
}
